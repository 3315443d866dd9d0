"""Which sites are in which category: category files, lists of others, the school's own, their index."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        add_host,
        load_local_lists,
        pass_unread,
        read_local_file,
        replacing,
        why_not_writable,
        with_line,
        without_line,
    )
    from schoolgate.lists.locked_lists import LockedPlace, faults_of, read_locked_lists
    from schoolgate.lists.phrases import phrase_paths, phrases_in_force
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
    "add_host",
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
    "phrase_paths",
    "phrases_in_force",
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

# Each part is loaded with the first of its names (PEP 562): a rollback must not wait for the linter.
_PART_OF = {
    "ALLOW": "local_lists",
    "BLOCK": "local_lists",
    "CURATED": "category_files",
    "ListPlaces": "catalogue",
    "LocalFile": "local_lists",
    "LocalLine": "local_lists",
    "LockedPlace": "locked_lists",
    "Progress": "catalogue",
    "Remarks": "lint",
    "add_host": "local_lists",
    "build_catalogue": "catalogue",
    "category_names": "category_files",
    "faults_of": "locked_lists",
    "is_public_suffix": "public_suffixes",
    "lint_catalogue": "lint",
    "load_catalogue": "catalogue",
    "load_local_lists": "local_lists",
    "make_catalogue": "catalogue",
    "open_index": "index_file",
    "pass_unread": "local_lists",
    "phrase_paths": "phrases",
    "phrases_in_force": "phrases",
    "read_category_files": "category_files",
    "read_local_file": "local_lists",
    "read_locked_lists": "locked_lists",
    "remarks_on": "lint",
    "replacing": "local_lists",
    "version_of": "catalogue",
    "why_not_writable": "local_lists",
    "with_line": "local_lists",
    "without_line": "local_lists",
    "write_index": "index_file",
}


def __getattr__(name: str) -> object:
    if name not in _PART_OF:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
