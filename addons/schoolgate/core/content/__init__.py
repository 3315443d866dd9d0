"""What a page says: its category by its own words, as they stream by.

Values in, values out: decoded bytes go in, and a category with its evidence comes out, or nothing. What
undoes gzip and what becomes of a verdict is for others.
"""

from schoolgate.core.content.hostnames import HostWord, HostWords
from schoolgate.core.content.labels import Label, age_of_label, label_of_header
from schoolgate.core.content.model import Language, PhraseModel, Subject, Weights
from schoolgate.core.content.scorer import PageScorer, is_text
from schoolgate.core.content.scoring import Score
from schoolgate.core.content.signals import Signal

__all__ = [
    "HostWord",
    "HostWords",
    "Label",
    "Language",
    "PageScorer",
    "PhraseModel",
    "Score",
    "Signal",
    "Subject",
    "Weights",
    "age_of_label",
    "is_text",
    "label_of_header",
]
