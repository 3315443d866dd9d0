"""Which sites are in which category: the category files, the school's own lists, and their linter."""

from schoolgate.lists.category_files import CURATED, category_names, load_catalogue
from schoolgate.lists.lint import is_public_suffix, lint_catalogue
from schoolgate.lists.local_lists import load_local_lists

__all__ = [
    "CURATED",
    "category_names",
    "is_public_suffix",
    "lint_catalogue",
    "load_catalogue",
    "load_local_lists",
]
