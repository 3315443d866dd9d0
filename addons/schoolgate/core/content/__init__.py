"""What a page says: its category by its own words, as they stream by.

Values in, values out: decoded bytes go in, and a category with its evidence comes out, or nothing. What
undoes gzip and what becomes of a verdict is for others.
"""

from schoolgate.core.content.beside import Beside, host_of, host_of_refresh
from schoolgate.core.content.hostnames import HostWord, HostWords
from schoolgate.core.content.labels import Label, label_of_header
from schoolgate.core.content.model import Language, PhraseModel, Subject, Weights
from schoolgate.core.content.relations import Listed, Relation, Relations, Worth
from schoolgate.core.content.scorer import LookAround, PageScorer, is_text
from schoolgate.core.content.scoring import Score
from schoolgate.core.content.seen import SeenSites, is_image
from schoolgate.core.content.signals import Signal
from schoolgate.core.content.trails import Trails

__all__ = [
    "Beside",
    "HostWord",
    "HostWords",
    "Label",
    "Language",
    "Listed",
    "LookAround",
    "PageScorer",
    "PhraseModel",
    "Relation",
    "Relations",
    "Score",
    "SeenSites",
    "Signal",
    "Subject",
    "Trails",
    "Weights",
    "Worth",
    "host_of",
    "host_of_refresh",
    "is_image",
    "is_text",
    "label_of_header",
]
