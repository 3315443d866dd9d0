"""All categories with the index over their sites, as one value that is replaced whole."""

from dataclasses import dataclass

from schoolgate.core.categories import Category
from schoolgate.core.index import SiteIndex


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is listed, by categories; the version changes with the content."""

    categories: dict[str, Category]
    sites: SiteIndex
    version: str
