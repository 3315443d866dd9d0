"""`schoolgate grants` and `suspend`: a site is opened and closed again, and so is a person's access."""

import re
from collections.abc import Sequence

import pytest

from tests.cli.ended import NO, Ended, answers, lines, refused, run
from tests.school import School


def add(school: School, site: str, *more: str, until: str = "2h") -> Ended:
    options = ["--until", until, "--decided-by", "slt", "--reason", "the fair", *more]
    return run(school, "grants", "add", site, *options)


def test_a_grant_opens_a_site_until_it_is_revoked(school: School) -> None:
    assert lines(run(school, "grants", "list")) == ["There are no grants."]
    [said] = lines(add(school, "https://www.bet.example/now"))
    assert said.startswith("Grant 1: www.bet.example/now is open for everyone until ")
    asked = ("check", "--json", "www.bet.example/now/1", "www.bet.example")
    opened, beside = answers(run(school, *asked))
    assert (opened["verdict"], opened["reason"], opened["grant"]) == ("allow", "grant", 1)
    assert (beside["verdict"], beside["grant"]) == ("block", None)
    listed = lines(run(school, "grants", "list"))[1]
    assert listed.split()[:3] == ["1", "www.bet.example/now", "everyone"]
    assert listed.endswith("the fair")
    assert lines(run(school, "grants", "revoke", "1")) == ["Grant 1 is revoked."]
    assert answers(run(school, *asked))[0]["verdict"] == "block"
    assert lines(run(school, "grants", "list")) == ["There are no grants."]
    assert lines(run(school, "grants", "list", "--all"))[1].startswith("1 ")
    refused(run(school, "grants", "revoke", "1"), NO, "grant 1 was revoked already")


@pytest.mark.parametrize(
    ("site", "more", "until", "want"),
    [
        ("co.uk", [], "2h", "co.uk is no single site: everybody's sites are below it"),
        ("locked.example", [], "2h", "locked.example is locked: nobody here can open it"),
        ("a.example", ["--for", "group:pupil"], "2h", "there is no group 'pupil'; there are: pupils, staff"),
        ("a.example", [], "2020-01-01T00:00", "must lie after the start"),
        ("a.example", ["--reason", " "], "2h", "give a reason: it is what people are shown later"),
    ],
)  # fmt: skip
def test_a_grant_that_cannot_be_is_refused_in_a_sentence(
    school: School, site: str, more: Sequence[str], until: str, want: str
) -> None:
    refused(add(school, site, *more, until=until), NO, re.escape(want))


def test_a_grant_that_never_was_cannot_be_revoked(school: School) -> None:
    refused(run(school, "grants", "revoke", "7"), NO, "there is no grant 7")


def test_access_is_withdrawn_until_it_is_given_back(school: School) -> None:
    ended = run(school, "suspend", "10.0.0.7", "--until", "1d", "--reason", "See the office")
    assert lines(ended)[0].startswith("Access is withdrawn from client:10.0.0.7 until ")
    asked = ("check", "--json", "a.example", "--client", "10.0.0.7")
    [stopped] = answers(run(school, *asked))
    assert (stopped["verdict"], stopped["reason"], stopped["clause"]) == (
        "block", "suspended", "C-3",
    )  # fmt: skip
    assert lines(run(school, "unsuspend", "10.0.0.7")) == ["client:10.0.0.7 has access again."]
    assert answers(run(school, *asked))[0]["verdict"] == "monitor"
    refused(run(school, "unsuspend", "10.0.0.7"), NO, "client:10.0.0.7 is not suspended")
