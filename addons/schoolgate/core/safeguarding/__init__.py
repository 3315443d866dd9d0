"""Signs that somebody may come to harm, or do it: themes and severities.

Values in, values out, and independent of whether anything was blocked. Who is told, and how often, is for
others.
"""

from schoolgate.core.safeguarding.lexicon import Lexicon, Phrases
from schoolgate.core.safeguarding.matcher import Matcher
from schoolgate.core.safeguarding.phrases import PhraseError
from schoolgate.core.safeguarding.themes import (
    Concern,
    Hit,
    Severity,
    Source,
    Theme,
    strongest,
)
from schoolgate.core.safeguarding.watch import Asked, SiteSign, Watch

__all__ = [
    "Asked",
    "Concern",
    "Hit",
    "Lexicon",
    "Matcher",
    "PhraseError",
    "Phrases",
    "Severity",
    "SiteSign",
    "Source",
    "Theme",
    "Watch",
    "strongest",
]
