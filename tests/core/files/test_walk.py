"""The limits hold for everything in one body together."""

import pytest

from schoolgate.core.files.finding import Kind, Limits
from schoolgate.core.files.walk import Found, Walk, found


def test_what_unpacks_is_held_against_what_came() -> None:
    walk = Walk(Limits(ratio=10, grace_bytes=100))
    walk.fed = 5
    walk.unpacked(150, ())
    with pytest.raises(Found):
        walk.unpacked(1, ("a",))
    walk.fed = 6
    walk.unpacked(1, ())


def test_there_is_an_end_to_it_in_any_case() -> None:
    walk = Walk(Limits(unpacked_bytes=1000))
    walk.fed = 10**9
    with pytest.raises(Found):
        walk.unpacked(1001, ())


def test_members_and_depth() -> None:
    walk = Walk(Limits(members=2, depth=1))
    walk.member(("a",))
    with pytest.raises(Found):
        walk.member(("a", "b"))
    with pytest.raises(Found):
        Walk(Limits(members=0)).member(("a",))


def test_names_are_told_from_the_outside_in() -> None:
    finding = found(Kind.SOFTWARE, "pe", ("a.zip", "b/c.exe")).finding
    assert (finding.name_inside, finding.title) == ("a.zip > b/c.exe", "a Windows program")
