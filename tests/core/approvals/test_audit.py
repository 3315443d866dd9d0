"""A chain of audit entries shows every change of it, and outlives a lawful erasure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from schoolgate.core.approvals.audit import (
    FIRST,
    AuditEntry,
    Beside,
    broken_at,
    commitment,
    sealed,
)

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
type Chain = list[tuple[AuditEntry, Beside | None]]


def chain(length: int = 3) -> Chain:
    made: Chain = []
    for number in range(1, length + 1):
        beside = Beside(f"salt-{number}", {"actor": "A. Name", "words": f"text {number}"})
        previous = made[-1][0].hash if made else FIRST
        entry = sealed(number, AT, "p-1", "x", "everyone", commitment(beside), previous)
        made.append((entry, beside))
    return made


def verdict(entries: Chain, whole: Chain) -> str | None:
    return broken_at(entries, len(whole), whole[-1][0].hash if whole else FIRST)


def changed(chain: Chain, place: int, **what: Any) -> Chain:
    entry, beside = chain[place]
    return [*chain[:place], (replace(entry, **what), beside), *chain[place + 1 :]]


def resealed(chain: Chain, place: int, action: str) -> Chain:
    entry, beside = chain[place]
    told = (entry.actor, action, entry.subject, entry.commitment, entry.previous)
    again = sealed(entry.id, entry.at, *told)
    return [*chain[:place], (again, beside), *chain[place + 1 :]]


@pytest.mark.parametrize(
    ("tamper", "want"),
    [
        (lambda c: c, None),
        (lambda c: [(entry, None) for entry, _ in c], None),
        (lambda c: changed(c, 1, action="y"), "entry 2 was changed"),
        (lambda c: changed(c, 1, at=datetime(2026, 11, 24, tzinfo=UTC)), "entry 2 was changed"),
        (lambda c: resealed(c, 1, "y"), "entry 3 does not follow the one before"),
        (lambda c: resealed(c, 2, "y"), "there are 3 entries, and should be 3"),
        (lambda c: [c[0], c[2]], "entry 2 is missing"),
        (lambda c: c[:2], "there are 2 entries, and should be 3"),
        (lambda c: c[1:], "entry 1 is missing"),
        (lambda c: [], "there are 0 entries, and should be 3"),
        (
            lambda c: [(c[0][0], Beside("salt-1", {"actor": "B. Name"})), *c[1:]],
            "the names or texts of entry 1 were changed",
        ),
    ],
)
def test_a_changed_chain_is_shown_and_an_erased_one_is_whole(
    tamper: Callable[[Chain], Chain], want: str | None
) -> None:
    whole = chain()
    assert verdict(tamper(whole), whole) == want


def test_an_empty_chain_is_whole() -> None:
    assert verdict([], []) is None


def test_the_same_text_has_another_commitment_under_another_salt() -> None:
    assert commitment(Beside("a", {"x": 1})) != commitment(Beside("b", {"x": 1}))
