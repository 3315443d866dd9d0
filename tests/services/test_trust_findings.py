"""What `schoolgate doctor` says of trust, pair and server: troubles are notes, and name who mends them."""

from datetime import UTC, datetime, timedelta

import pytest

from schoolgate.bundles.manifest import BundleFile, Manifest
from schoolgate.bundles.store import Status
from schoolgate.services import trust_findings
from schoolgate.services.kept_requests import KeptState
from schoolgate.storage.server_state import ServerState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FILES = (BundleFile(path="policies/vale.yaml", length=1, sha256="0" * 64),)
WELL = Status(highest=7, tried="2026-11-23T11:50:00+00:00", succeeded="2026-11-23T11:50:00+00:00")


def manifest(good_days: float = 80) -> Manifest:
    return Manifest(
        version=7,
        bundle=3,
        ring="all",
        made=NOW - 10 * DAY,
        expires=NOW + good_days * DAY,
        files=FILES,
    )


IN_FORCE = "version 7 (bundle 3) is in force, let out 10 days ago"


@pytest.mark.parametrize(
    ("found", "status", "want"),
    [
        (manifest(), WELL, [(False, f"{IN_FORCE}, good for 80 more")]),
        (None, WELL, [(True, "none of the trust's is in force")]),
        (manifest(-1), WELL, [(True, "it ended on 2026-11-22 and stays in force: central IT")]),
        (
            manifest(),
            Status(7, 9, WELL.tried, WELL.succeeded),
            [(False, IN_FORCE), (True, "until something newer than version 9 comes")],
        ),
        (
            manifest(),
            Status(7, 0, WELL.tried, "2026-11-20T09:00:00+00:00", 4, "it answers 403"),
            [(False, IN_FORCE), (True, "failed 4 times since 2026-11-20T09:00:00+00:00: it answers 403")],
        ),
        (
            None,
            Status(tried=WELL.tried, failures=1, fault="nobody there"),
            [(True, "none"), (True, "failed 1 times and it never succeeded: nobody there; central IT")],
        ),
        (
            manifest(),
            Status(7, 0, "2026-11-23T11:00:00+00:00", "2026-11-23T11:00:00+00:00"),
            [(False, IN_FORCE), (True, "nobody has since 2026-11-23T11:00:00+00:00")],
        ),
        (None, Status(), [(True, "none"), (True, "nobody has since ever")]),
    ],
)  # fmt: skip
def test_how_bundles_stand(
    found: Manifest | None, status: Status, want: list[tuple[bool, str]]
) -> None:
    said = list(trust_findings.bundles(found, status, 900, NOW))
    assert [(one.ok, one.is_note) for one in said] == [(True, note) for note, _ in want]
    for one, (_, words) in zip(said, want, strict=True):
        assert words in one.said


@pytest.mark.parametrize(
    ("age_days", "is_note", "words"),
    [
        (1, False, "good for 59 days; it renews itself"),
        (44, False, "it renews itself"),
        (46, True, "'schoolgate bundle fetch', which says what keeps it from that"),
        (60, True, "central IT makes a token, then run 'schoolgate enrol' here"),
    ],
)
def test_a_certificate_that_is_not_renewed_is_told_before_it_ends(
    age_days: int, is_note: bool, words: str
) -> None:
    begins = NOW - age_days * DAY
    found = trust_findings.certificate(begins, begins + 60 * DAY, NOW)
    assert (found.ok, found.is_note) == (True, is_note)
    assert words in found.said


@pytest.mark.parametrize(
    ("trouble", "is_note", "words"),
    [
        ("", False, "https://c.example answers and knows this gateway"),
        ("it does not answer;", True, "It does not answer; central IT can put it right, unless"),
    ],
)
def test_whether_the_centre_answers(trouble: str, is_note: bool, words: str) -> None:
    found = trust_findings.centre("https://c.example", trouble)
    assert (found.ok, found.is_note) == (True, is_note)
    assert words in found.said


@pytest.mark.parametrize(
    ("is_held", "has_keepalived", "is_note", "words"),
    [
        (True, True, False, "this gateway has the shared address"),
        (False, True, False, "this gateway stands by"),
        (True, False, True, "has the shared address and keepalived does not run"),
        (False, False, True, "'systemctl start keepalived', by whoever looks after this gateway"),
    ],
)
def test_which_of_a_pair_this_is(
    is_held: bool, has_keepalived: bool, is_note: bool, words: str
) -> None:
    found = trust_findings.pair(is_held=is_held, has_keepalived=has_keepalived)
    assert (found.ok, found.is_note) == (True, is_note)
    assert words in found.said


@pytest.mark.parametrize(
    ("takers", "is_note", "words"),
    [(1, False, "the centre takes from it"), (0, True, "central IT has to name this gateway")],
)
def test_what_a_leaf_keeps_and_who_takes_it(takers: int, is_note: bool, words: str) -> None:
    found = trust_findings.leaf("nats", 1_200, takers)
    assert (found.what, found.is_note) == ("receiver nats", is_note)
    assert found.said.startswith("the leaf answers and keeps 1,200 messages")
    assert words in found.said


def test_a_leaf_that_is_away_and_a_gateway_that_is_not_enrolled_are_notes() -> None:
    away = trust_findings.no_leaf("nats", "nats://127.0.0.1:4222: refused")
    assert "starts nats-server" in away.said
    assert "schoolgate trust gateway token" in trust_findings.not_enrolled().said
    assert away.is_note
    assert trust_findings.not_enrolled().is_note


@pytest.mark.parametrize(
    ("state", "is_note", "words"),
    [
        (ServerState("17.2", "hill", False, 12, 80), False, "17.2, schema hill, 12 connections of 80"),
        (ServerState("17.2", "hill", False, 12, -1), False, "12 connections"),
        (ServerState("17.2", "hill", False, 78, 80), True, "whoever keeps the database server raises"),
        (ServerState("17.2", "hill", True, 3, 80), True, "decisions wait until whoever keeps"),
    ],
)  # fmt: skip
def test_how_the_database_server_stands(state: ServerState, is_note: bool, words: str) -> None:
    found = trust_findings.server(state)
    assert (found.ok, found.is_note) == (True, is_note)
    assert words in found.said


@pytest.mark.parametrize(
    ("state", "want"),
    [
        (KeptState(0, 0, None), []),
        (KeptState(2, 0, NOW.timestamp() - 600), ["2 wait on this gateway, the oldest for 10 minutes"]),
        (KeptState(0, 1, None), ["1 cannot be read"]),
    ],
)  # fmt: skip
def test_which_requests_wait_for_the_database(state: KeptState, want: list[str]) -> None:
    said = [one.said for one in trust_findings.kept(state, NOW)]
    assert len(said) == len(want)
    assert all(words in one for one, words in zip(said, want, strict=True))
