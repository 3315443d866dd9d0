"""A small school in files of its own: a policy, a few categories and the settings around them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry
from schoolgate.core.index import index_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: office@hill.example

default_group: pupils
groups:
  pupils: Pupils
  staff: Staff

category_groups:
  play: [games, gambling]

clauses:
  C-1:
    title: No games
  C-2:
    title: No bypass
  C-3:
    title: Use is watched
  C-4:
    title: Declaration
    enforcement: not_yet
    missing: The register.
  C-5:
    title: Reports
    enforcement: partly
    by: the journal
    missing: A page.

suspension_clause: C-3
local_clause: C-3
grant_clause: C-3

locked:
  - id: core
    clause: C-2
    when:
      hosts: [locked.example]
    then: block

always_reachable:
  - id: help
    clause: C-3
    when:
      categories: [advice]
    then: allow

circumvention:
  - id: bypass
    clause: C-2
    when:
      categories: [vpn]
    then: block

rules:
  - id: no-play
    clause: C-1
    when:
      categories: [play]
      hosts: [play.example/now]
      groups: [pupils]
    then: block
    note: Not in lessons.

default:
  id: otherwise
  clause: C-3
  then: monitor
"""

CATEGORIES = {
    "games": ("Games", ["chess.example", "games.example"]),
    "gambling": ("Gambling", ["bet.example"]),
    "advice": ("Advice", ["help.example"]),
    "vpn": ("Getting round", ["vpn.example"]),
}


def category_text(id_: str, title: str, domains: list[str], **keys: Any) -> str:
    """Give the text of a category file."""
    data = {"id": id_, "title": title, "description": f"About {id_}.", "domains": domains, **keys}
    return yaml.safe_dump(data, sort_keys=False)


def catalogue() -> Catalogue:
    """Give the catalogue that the category files hold."""
    entries = [
        ListEntry.parse(domain, id_, "curated")
        for id_, (_, domains) in CATEGORIES.items()
        for domain in domains
    ]
    categories = {id_: Category(id_, title, "") for id_, (title, _) in CATEGORIES.items()}
    return Catalogue(categories, index_of(entries), "v1")


@dataclass(frozen=True)
class School:
    """Where the files of the small school are; its gateway listens on free ports."""

    root: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.root / "schoolgate.yaml"

    @property
    def policy(self) -> Path:
        """The policy."""
        return self.root / "policies" / "hill.yaml"

    @property
    def categories(self) -> Path:
        """The category files."""
        return self.root / "categories"

    @property
    def local(self) -> Path:
        """The school's own lists."""
        return self.root / "local"

    @property
    def state(self) -> Path:
        """The state directory, which the first run makes."""
        return self.root / "state"

    def write_config(self, **sections: Any) -> None:
        """Write the settings anew, with some sections changed."""
        settings: dict[str, Any] = {
            "policy": "hill",
            "state_dir": "state",
            "proxy": {"listen": "127.0.0.1:0", "workers": 1},
            "metrics": {"listen": "127.0.0.1:0"},
            "portal": {"enabled": False, "listen": "127.0.0.1:0"},
            "lists": {"dirs": ["categories"]},
        }
        self.config.write_text(yaml.safe_dump({**settings, **sections}))


def write_school(root: Path) -> School:
    """Write all files below a directory."""
    school = School(root)
    for directory in (school.policy.parent, school.categories, school.local):
        directory.mkdir(parents=True)
    school.policy.write_text(POLICY)
    for id_, (title, domains) in CATEGORIES.items():
        (school.categories / f"{id_}.yaml").write_text(category_text(id_, title, domains))
    school.write_config()
    return school
