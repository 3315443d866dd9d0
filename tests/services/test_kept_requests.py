"""A request that was made while the store was away: kept on the disk, sent once, refused with a mail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Actor
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.services.approvals import Approvals
from schoolgate.services.kept_requests import Delivery, KeptRequest, KeptRequests
from schoolgate.storage import AuditTrail
from tests.services.requested import HEAD, MINUTE, NINE, TEACHER, form, mails

KEPT = KeptRequest("7:a", TEACHER.id, form(), NINE)


@pytest.fixture
def spool(tmp_path: Path) -> KeptRequests:
    return KeptRequests(tmp_path / "kept")


def delivery(
    spool: KeptRequests, service: Approvals, actor: Callable[[str], Actor | None]
) -> Delivery:
    return Delivery(spool, service, actor, lambda: NINE + MINUTE)


def teacher(_: str) -> Actor | None:
    return TEACHER


def test_what_is_kept_is_read_back_as_it_was_by_another_process(
    spool: KeptRequests, tmp_path: Path
) -> None:
    later = replace(KEPT, submission="7:b", at=NINE + MINUTE, form=form(minimum_age=13))
    spool.keep(later)
    spool.keep(KEPT)
    assert list(KeptRequests(tmp_path / "kept").waiting()) == [KEPT, later]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "kept").iterdir()} == {0o600}


def test_a_form_that_is_sent_twice_is_kept_once(spool: KeptRequests) -> None:
    spool.keep(KEPT)
    spool.keep(KEPT)
    assert list(spool.waiting()) == [KEPT]


def test_what_waits_is_sent_once_in_its_senders_name(
    spool: KeptRequests, service: Approvals
) -> None:
    spool.keep(KEPT)
    sender = delivery(spool, service, teacher)
    assert (sender.round(), sender.round()) == (1, 0)
    [request] = service.requests(HEAD)
    assert (request.requester, request.form) == (TEACHER.id, KEPT.form)
    assert list(spool.waiting()) == []


def test_who_is_killed_between_sending_and_removing_sends_again_and_there_is_one_request(
    spool: KeptRequests, service: Approvals, tmp_path: Path
) -> None:
    spool.keep(KEPT)
    [file] = (tmp_path / "kept").iterdir()
    text = file.read_bytes()
    assert delivery(spool, service, teacher).round() == 1
    file.write_bytes(text)
    assert delivery(KeptRequests(tmp_path / "kept"), service, teacher).round() == 1
    assert len(service.requests(HEAD)) == 1
    assert list(spool.waiting()) == []


def test_a_form_that_reached_the_store_before_its_answer_was_lost_is_no_second_request(
    spool: KeptRequests, service: Approvals
) -> None:
    service.submit(KEPT.form, TEACHER, NINE, submission=KEPT.submission)
    spool.keep(KEPT)
    delivery(spool, service, teacher).round()
    assert len(service.requests(HEAD)) == 1


def test_while_the_store_is_away_everything_waits_on(
    spool: KeptRequests, service: Approvals
) -> None:
    def away(_: str) -> Actor | None:
        raise UnavailableError("the database is away")

    spool.keep(KEPT)
    with pytest.raises(UnavailableError):
        delivery(spool, service, away).round()
    assert list(spool.waiting()) == [KEPT]


@pytest.mark.parametrize(
    ("actor", "sent", "why"),
    [
        (lambda _: None, KEPT, "the account is closed"),
        (lambda _: Actor(TEACHER.id, frozenset()), KEPT, "the account is closed"),
        (teacher, replace(KEPT, form=form(reasons=" ")), "reason"),
    ],
)
def test_what_cannot_be_made_any_more_is_told_by_mail_and_recorded(
    spool: KeptRequests,
    service: Approvals,
    database: Engine,
    actor: Callable[[str], Actor | None],
    sent: KeptRequest,
    why: str,
) -> None:
    spool.keep(sent)
    assert delivery(spool, service, actor).round() == 1
    assert service.requests(HEAD) == []
    assert list(spool.waiting()) == []
    [(entry, content)] = AuditTrail(database).told(action="request.not-taken")
    assert why in str(content["detail"]["why"]).lower()
    assert entry.subject.startswith("p-")
    assert any("could not be made" in str(mail) for mail in mails(database))


def test_one_person_keeps_no_more_than_a_few(spool: KeptRequests) -> None:
    for n in range(20):
        spool.keep(replace(KEPT, submission=f"7:{n}"))
    with pytest.raises(RefusedError, match="come back later"):
        spool.keep(replace(KEPT, submission="7:last"))
    spool.keep(replace(KEPT, submission="8:first", account="other"))


@pytest.mark.parametrize("text", [b"", b"{", b'{"submission": 1}', b"\xff"])
def test_a_file_that_cannot_be_read_is_laid_aside_and_the_others_are_sent(
    spool: KeptRequests, service: Approvals, tmp_path: Path, text: bytes
) -> None:
    spool.keep(replace(KEPT, at=NINE + timedelta(hours=1)))
    (tmp_path / "kept" / "damaged.json").write_bytes(text)
    assert delivery(spool, service, teacher).round() == 1
    assert (tmp_path / "kept" / "damaged.unreadable").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError):
        KeptRequests(tmp_path / "file" / "kept").keep(KEPT)
