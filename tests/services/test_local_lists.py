"""The school's own lists changed: what wins is said before, what is done is recorded first."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import RefusedError
from schoolgate.core.policy import PolicyEngine, Rule, Verdict
from schoolgate.services import local_lists
from tests.core.policy.example import engine, listed
from tests.school import NOON, category_text


class Trail:
    """Keeps what is recorded, or fails."""

    def __init__(self, file: Path, *, fails: bool = False) -> None:
        self.entries: list[tuple[str, str, str, Any]] = []
        self.told: list[Told] = []
        self.stood: list[str] = []
        self._file = file
        self._fails = fails

    def add(
        self,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any],
        told: Iterable[Told] = (),
    ) -> None:
        if self._fails:
            raise ZeroDivisionError
        self.entries.append((actor, action, subject, dict(detail)))
        self.told += told
        self.stood.append(self._file.read_text())


@pytest.fixture
def rules() -> PolicyEngine:
    games = Rule("no-games", "C-1", Verdict.BLOCK, ("games",))
    return engine([listed("games.example", "games")], rules=(games,))


@pytest.fixture
def local(tmp_path: Path) -> Path:
    (tmp_path / "games.yaml").write_text(category_text("games", "Games", ["games.example"]))
    directory = tmp_path / "local"
    directory.mkdir()
    (directory / "block.txt").write_text("# ours\nb.example  # since May\nno host\n")
    (directory / "allow.txt").write_text("a.example\n")
    return directory


def change(local: Path, rules: PolicyEngine, name: str, site: str, trail: Trail) -> None:
    file = next(one for one in local_lists.read_lists(local) if one.name == name)
    entry = local_lists.entry_of(site, name)
    local_lists.add_entry(
        file, entry, dirs=[local.parent], policy=rules.policy, reason=" The fair. ", trail=trail,
        actor="account:t", now=NOON,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"), [("block.txt", ()), ("allow.txt", ((Role.HEADTEACHER,),))]
)
def test_an_entry_is_added_with_its_reason(
    local: Path, rules: PolicyEngine, name: str, told: tuple[Any, ...]
) -> None:
    before, trail = (local / name).read_text(), Trail(local / name)
    change(local, rules, name, "https-less.example/Fair/", trail)
    after = "https-less.example/fair  # The fair. (2026-11-23)"
    assert (local / name).read_text() == f"{before}{after}\n"
    detail = {"before": "", "after": after, "reason": "The fair."}
    assert trail.entries == [("account:t", "list.added", f"list:{name}", detail)]
    assert tuple(one.roles for one in trail.told) == told
    assert trail.stood == [before], "recorded first"


@pytest.mark.parametrize(
    ("name", "number", "before", "opens"),
    [
        ("block.txt", 2, "b.example  # since May", True),
        ("block.txt", 3, "no host", False),
        ("allow.txt", 1, "a.example", False),
    ],
)
def test_a_line_is_taken_away_with_a_reason(
    local: Path, rules: PolicyEngine, name: str, number: int, before: str, opens: bool
) -> None:
    file = next(one for one in local_lists.read_lists(local) if one.name == name)
    trail = Trail(local / name)
    local_lists.remove_line(
        file, local_lists.line_of(file, number), policy=rules.policy, reason="Over.", trail=trail,
        actor="account:t", now=NOON,
    )  # fmt: skip
    assert before.partition(" ")[0] not in (local / name).read_text()
    detail = {"before": before, "after": "", "reason": "Over."}
    assert trail.entries == [("account:t", "list.removed", f"list:{name}", detail)]
    assert bool(trail.told) is opens


@pytest.mark.parametrize(
    ("name", "site", "want"),
    [
        ("block.txt", "b.example", "is in block.txt already"),
        ("block.txt", "B.example.", "is in block.txt already"),
        ("block.txt", "com", "bare label"),
        ("allow.txt", "github.io", "public suffix"),
        ("allow.txt", "https://x.example/", "write only host or host/path"),
        ("allow.txt", " ", "give a site"),
        ("allow.txt", "x.example\ny.example", "host"),
    ],
)
def test_what_is_no_entry_is_refused(
    local: Path, rules: PolicyEngine, name: str, site: str, want: str
) -> None:
    before, trail = (local / name).read_text(), Trail(local / name)
    with pytest.raises(RefusedError, match=want):
        change(local, rules, name, site, trail)
    assert (local / name).read_text() == before
    assert trail.entries == []


def test_what_cannot_be_recorded_is_not_done(local: Path, rules: PolicyEngine) -> None:
    before = (local / "block.txt").read_text()
    with pytest.raises(ZeroDivisionError):
        change(local, rules, "block.txt", "x.example", Trail(local / "block.txt", fails=True))
    assert (local / "block.txt").read_text() == before


@pytest.mark.parametrize(
    ("name", "site", "adds", "want"),
    [
        ("block.txt", "c.example", True, ("allow", "block")),
        ("allow.txt", "games.example", True, ("block", "allow")),
        ("block.txt", "games.example/x", True, ("block", "block")),
        # The block list wins.
        ("allow.txt", "b.example", True, ("allow", "block")),
        ("block.txt", "*.c.example", True, ("allow", "block")),
    ],
)
def test_what_wins_is_said_before(
    local: Path, rules: PolicyEngine, name: str, site: str, adds: bool, want: tuple[str, str]
) -> None:
    files = local_lists.read_lists(local)
    entry = local_lists.entry_of(site, name)
    shown = local_lists.preview(rules, files, [local.parent], entry, NOON, adds=adds)
    found = shown.groups[0]
    assert (found.before.decision.verdict, found.after.decision.verdict) == want
    assert found.changes is (want[0] != want[1])


def test_other_entries_that_cover_it_are_named(local: Path, rules: PolicyEngine) -> None:
    files = local_lists.read_lists(local)
    entry = local_lists.entry_of("www.games.example", "block.txt")
    shown = local_lists.preview(rules, files, [local.parent], entry, NOON, adds=True)
    assert [(one.text, one.category) for one in shown.listed] == [("games.example", "games")]
    assert "begins with www." in shown.remarks[0]
    with pytest.raises(RefusedError, match=r"block\.txt has no entry on line 1"):
        local_lists.line_of(files[0], 1)
