"""Whom a grant or a suspension concerns."""

import pytest

from schoolgate.core.approvals import Subject, SubjectKind
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError

EVERYONE = Subject(SubjectKind.EVERYONE)
PUPILS = frozenset({"pupils"})
PUPIL = Client("10.0.0.7", "pupils", user="abc", device="tablet-3")


@pytest.mark.parametrize(
    ("text", "want", "shown"),
    [
        ("everyone", EVERYONE, "everyone"),
        ("group:staff", Subject(SubjectKind.GROUP, "staff"), "group:staff"),
        ("user:abc", Subject(SubjectKind.USER, "abc"), "user:abc"),
        ("user:a:b", Subject(SubjectKind.USER, "a:b"), "user:a:b"),
        ("user:10.0.0.7", Subject(SubjectKind.USER, "10.0.0.7"), "user:10.0.0.7"),
        ("device:00:1b:44", Subject(SubjectKind.DEVICE, "00:1b:44"), "device:00:1b:44"),
        ("client:10.0.0.7", Subject(SubjectKind.CLIENT, "10.0.0.7"), "client:10.0.0.7"),
        ("10.0.0.7", Subject(SubjectKind.CLIENT, "10.0.0.7"), "client:10.0.0.7"),
        ("2001:DB8:0::7", Subject(SubjectKind.CLIENT, "2001:db8::7"), "client:2001:db8::7"),
        ("client:2001:DB8:0::7", Subject(SubjectKind.CLIENT, "2001:db8::7"),
         "client:2001:db8::7"),
    ],
)  # fmt: skip
def test_a_subject_is_everyone_a_kind_with_an_id_or_a_bare_address(
    text: str, want: Subject, shown: str
) -> None:
    assert Subject.parse(text) == want
    assert str(want) == shown
    assert Subject.parse(shown) == want


@pytest.mark.parametrize(
    "text",
    ["", ":", "abc", "everyone:", "everyone:x", "Everyone", "group:", "user:", "class:7b",
     "10.0.0", "10.0.0.256"],
)  # fmt: skip
def test_a_subject_that_names_nobody_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(RefusedError, match="names nobody: write everyone, an IP address, or"):
        Subject.parse(text)


@pytest.mark.parametrize("text", ["client:abc", "client:10.0.0", "client:10.0.0.0/8"])
def test_a_client_is_named_by_its_address(text: str) -> None:
    with pytest.raises(RefusedError, match="is not an IP address"):
        Subject.parse(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("everyone", True),
        ("group:pupils", True),
        ("group:staff", False),
        ("user:abc", True),
        ("user:ab", False),
        ("device:tablet-3", True),
        ("device:tablet-33", False),
        ("client:10.0.0.7", True),
        ("client:10.0.0.77", False),
        ("user:pupils", False),  # an id of another kind
        ("group:abc", False),
        ("device:10.0.0.7", False),
    ],
)
def test_a_subject_concerns_exactly_the_client_that_it_names(text: str, want: bool) -> None:
    assert Subject.parse(text).concerns(PUPIL, PUPILS) is want


@pytest.mark.parametrize("text", ["::ffff:10.0.0.7", "client:::ffff:10.0.0.7", "10.0.0.7"])
def test_an_address_is_the_one_by_which_the_client_is_known(text: str) -> None:
    assert Subject.parse(text).concerns(PUPIL, PUPILS)
