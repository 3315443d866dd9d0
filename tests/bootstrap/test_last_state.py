"""What was last in force is read back as it was, and a file that cannot be read is as none."""

from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap.last_state import LastState
from schoolgate.core.approvals import Acceptance, Overlay, Role, Subject
from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.categories import ListEntry
from schoolgate.storage import DecisionStore, open_database
from tests.storage.days import at


def full(directory: Path) -> Overlay:
    """Give an overlay that a store gave, with something of each kind."""
    engine = open_database(f"sqlite:///{directory / 'x.db'}")
    store, later = DecisionStore(engine), at(9) + timedelta(days=3)
    for host in ("a.example", "b.example/path"):
        entry, whom = ListEntry.parse(host, "grant", "grant"), Subject.parse("group:staff")
        store.add_grant(
            entry, whom, at(9), later, Role.HEADTEACHER, reason="x", actor="account:a", now=at(9)
        )
    store.suspend(Subject.parse("user:tom"), at(9), later, "x", "account:a", now=at(9))
    store.supervise(Subject.parse("user:tom"), at(9), later, "x", "account:a", now=at(9))
    store.keep_acceptances([Acceptance("user:ann", "rule", "2026-11-23")], at(9))
    found = store.overlay(at(10))
    engine.dispose()
    return found


def test_an_overlay_is_read_back_by_another_worker_as_it_was(tmp_path: Path) -> None:
    overlay = full(tmp_path)
    assert overlay.grants
    assert overlay.suspensions
    assert overlay.supervisions
    assert overlay.acceptances
    LastState(tmp_path).keep_overlay(overlay)
    assert LastState(tmp_path).overlay() == overlay
    assert (tmp_path / "last-overlay.json").stat().st_mode & 0o777 == 0o600


def test_sign_ins_are_read_back_as_they_were(tmp_path: Path) -> None:
    binding = Binding(
        "1", "tom", "pupils", frozenset({"band"}), "10.0.0.1", "", 1.5, 2.5, BindingState.ENDED
    )
    LastState(tmp_path).keep_bindings([binding])
    assert LastState(tmp_path).bindings() == (binding,)


@pytest.mark.parametrize("text", [None, b"", b"{}", b"\xff", b'{"version": "x"}'])
def test_what_cannot_be_read_is_as_none(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        for name in ("last-overlay.json", "last-sign-ins.json"):
            (tmp_path / name).write_bytes(text)
    assert LastState(tmp_path).overlay() is None
    assert LastState(tmp_path).bindings() == ()


def test_a_place_that_cannot_be_written_holds_nothing_up(tmp_path: Path) -> None:
    LastState(tmp_path / "not-there").keep_overlay(Overlay())


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    last = LastState(tmp_path)
    last.keep_overlay(Overlay())
    last.keep_bindings([])
    last.forget()
    last.forget()
    assert list(tmp_path.iterdir()) == []
