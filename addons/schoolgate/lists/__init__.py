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
from schoolgate.lists.lint import Remarks, lint_catalogue, remarks_on
from schoolgate.lists.local_lists import (
    ALLOW,
    BLOCK,
    LocalFile,
    LocalLine,
    load_local_lists,
    pass_unread,
    read_local_file,
    replacing,
    why_not_writable,
    with_line,
    without_line,
)
from schoolgate.lists.locked_lists import LockedPlace, faults_of, read_locked_lists
from schoolgate.lists.public_suffixes import is_public_suffix

__all__ = [
    "ALLOW",
    "BLOCK",
    "CURATED",
    "ListPlaces",
    "LocalFile",
    "LocalLine",
    "LockedPlace",
    "Progress",
    "Remarks",
    "build_catalogue",
    "category_names",
    "faults_of",
    "is_public_suffix",
    "lint_catalogue",
    "load_catalogue",
    "load_local_lists",
    "make_catalogue",
    "open_index",
    "pass_unread",
    "read_category_files",
    "read_local_file",
    "read_locked_lists",
    "remarks_on",
    "replacing",
    "version_of",
    "why_not_writable",
    "with_line",
    "without_line",
    "write_index",
]
