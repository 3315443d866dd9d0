"""A person has one name, whatever way it was written."""

import pytest

from schoolgate.core.people import People, sign_in_name

DOMAINS = ("school.example", "SCHOOL")


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("ann", "ann"),
        (" Ann ", "ann"),
        ("SCHOOL\\Ann", "ann"),
        ("school\\ann", "ann"),
        ("ann@School.Example", "ann"),
        ("ann@SCHOOL", "ann"),
        ("Straße", "straße"),  # not strasse, who is somebody else
        ("\uff21nn", "ann"),  # of the width of East Asian letters
        # of another domain: never taken for ours
        ("OTHER\\ann", "other\\ann"),
        ("ann@other.example", "ann@other.example"),
        ("ann@other.example@school.example", "ann@other.example"),
        ("", ""),
        ("@school.example", ""),
        ("SCHOOL\\", ""),
    ],
)
def test_a_sign_in_name_has_one_form(raw: str, want: str) -> None:
    assert sign_in_name(raw, DOMAINS) == want


def test_without_domains_of_its_own_every_name_stays_whole() -> None:
    assert sign_in_name("Ann@school.example") == "ann@school.example"


def test_a_school_that_wrote_nothing_down_knows_nobody() -> None:
    assert not People().networks
    assert not People().people
