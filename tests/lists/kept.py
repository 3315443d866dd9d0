"""Lists in files of a test's own, and what is found in the index of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.index import Built
from schoolgate.lists import ListPlaces, make_catalogue
from tests.school import NOON, category_text


class Lists:
    """Category files and lists of others below a directory of the test's own."""

    def __init__(self, root: Path) -> None:
        self.categories = root / "categories"
        self.categories.mkdir()
        self.state = root / "state" / "lists"
        self.places = ListPlaces([self.categories], self.state)
        self.curate("games", "chess.example", "shop.example/games")
        self.curate("advice", "help.example", "forum.example/help", protected=True)
        self.builds: list[Built] = []

    def curate(self, category: str, *domains: str, protected: bool = False) -> Path:
        path = self.categories / f"{category}.yaml"
        title = category.capitalize()
        path.write_text(category_text(category, title, list(domains), protected=protected))
        return path

    def supply(self, feed: str, category: str, text: str | bytes) -> Path:
        path = self.state / "feeds" / feed / f"{category}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def make(self) -> Catalogue:
        """Open the index or build it, and remember what was built."""
        return make_catalogue(self.places, NOON, built=self.builds.append)

    def faults(self) -> list[str]:
        """Give the faults for which nothing is built."""
        with pytest.raises(ConfigurationError) as caught:
            self.make()
        return [str(fault) for fault in caught.value.faults]

    def identity(self) -> tuple[int, int]:
        """Give what changes when the file is written anew."""
        status = self.places.index.stat()
        return status.st_ino, status.st_mtime_ns


def found(catalogue: Catalogue, host: str, path: str = "/") -> tuple[str, ...]:
    return catalogue.sites.categories(catalogue.sites.get(host, path))


def evidence(catalogue: Catalogue, host: str) -> set[tuple[str, str, str]]:
    """Give (entry, category, feed) of every entry that covers a host."""
    return {(e.text, e.category, e.feed) for e in catalogue.sites.entries(host)}


def as_another_user(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run code inside a folder as a user who has no more rights than its mode gives others."""
    lines = (
        "import os",
        "from schoolgate.core.errors import SchoolgateError",
        "from schoolgate.core.index import build_index",
        "from schoolgate.lists import ListPlaces, load_catalogue, load_local_lists",
        "from schoolgate.lists import open_index, write_index",
        "from pathlib import Path",
        "from datetime import UTC, datetime",
        # Root may do everything.
        "os.geteuid() == 0 and os.setuid(65534)",
        "try:",
        f"    {code}",
        "except SchoolgateError as error:",
        "    print(type(error).__name__, error)",
    )
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
