"""Which sites are in which category: category files, lists of others, the school's own, their index."""

from schoolgate.lists.catalogue import (
    ListPlaces,
    Progress,
    build_catalogue,
    load_catalogue,
    make_catalogue,
    version_of,
)
from schoolgate.lists.category_files import CURATED, category_names, read_category_files
from schoolgate.lists.index_file import open_index, write_index
from schoolgate.lists.lint import lint_catalogue
from schoolgate.lists.local_lists import load_local_lists
from schoolgate.lists.public_suffixes import is_public_suffix

__all__ = [
    "CURATED",
    "ListPlaces",
    "Progress",
    "build_catalogue",
    "category_names",
    "is_public_suffix",
    "lint_catalogue",
    "load_catalogue",
    "load_local_lists",
    "make_catalogue",
    "open_index",
    "read_category_files",
    "version_of",
    "write_index",
]
