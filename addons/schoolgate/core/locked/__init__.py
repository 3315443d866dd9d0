"""Lists that nobody can lift, plain and hashed: matched in every spelling of an address, never named."""

from schoolgate.core.locked.hashed import (
    ALGORITHMS,
    HashedEntries,
    HashForm,
    Hashing,
    Spelling,
)
from schoolgate.core.locked.lists import Hit, LockedBy, LockedList, LockedLists
from schoolgate.core.locked.plain import Page, PlainEntries

__all__ = [
    "ALGORITHMS",
    "HashForm",
    "HashedEntries",
    "Hashing",
    "Hit",
    "LockedBy",
    "LockedList",
    "LockedLists",
    "Page",
    "PlainEntries",
    "Spelling",
]
