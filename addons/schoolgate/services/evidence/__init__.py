"""The evidence of a review: facts, the answers of each line of the standards, and both as tables."""

from schoolgate.services.evidence.answers import Line, State
from schoolgate.services.evidence.facts import Facts, plain
from schoolgate.services.evidence.gathering import Sources, gather
from schoolgate.services.evidence.tables import Table, answers, as_json, tables

__all__ = [
    "Facts",
    "Line",
    "Sources",
    "State",
    "Table",
    "answers",
    "as_json",
    "gather",
    "plain",
    "tables",
]
