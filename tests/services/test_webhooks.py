"""Webhooks are told of alerts at once, again until they have it, and never whom or what it is about."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, KeptAlert
from schoolgate.notify import Webhook
from schoolgate.services.incidents import Receivers
from schoolgate.services.mailing import GIVE_UP_AFTER, Round
from schoolgate.services.webhooks import Telling, findings, pause_after
from schoolgate.settings.alerts import WebhookSettings
from schoolgate.storage import IncidentStore, Outbox
from tests.core.policy.example import policy
from tests.notify.receiver import Receiver, receiving
from tests.school import NOON

SECOND = timedelta(seconds=1)


def alert(about: About = About.PUPILS, severity: Severity = Severity.DANGER) -> KeptAlert:
    content = {"search": "typed words", "url": "https://sad.example/page", "address": "192.0.2.7"}
    return KeptAlert(
        0, NOON, NOON, 1, "user:jsmith", "pupils", about, "self-harm", severity, "search",
        "sad.example", content,
    )  # fmt: skip


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    return file


def keep(database: Engine, hook: WebhookSettings, *alerts: KeptAlert) -> None:
    """Keep alerts as a worker does."""
    addresses = {Role.DSL: ("dsl@hill.example",), Role.HEADTEACHER: ("head@hill.example",)}
    receivers = Receivers(policy, addresses, webhooks=(hook,))
    IncidentStore(database).keep(alerts, receivers.audience, NOON)


def telling(database: Engine, receiver: Receiver, secret: Path) -> Telling:
    post = Webhook(receiver.url, secret).post
    return Telling(Outbox(database, "pastoral"), post, IncidentStore(database).alert, "gate")


def hook(secret: Path, **more: object) -> WebhookSettings:
    given = {"name": "pastoral", "url": "https://x.example/", "secret_file": secret}
    return WebhookSettings.model_validate(given | more)


def test_a_receiver_that_fails_and_recovers_is_told_once_and_of_nobody(
    database: Engine, secret: Path
) -> None:
    keep(database, hook(secret), alert())
    with receiving() as receiver:
        receiver.statuses = [500, 503]
        work = telling(database, receiver, secret)
        assert work.round(NOON) == Round(waiting=1)
        assert work.round(NOON + 4 * SECOND) == Round(), "it pauses"
        assert work.round(NOON + 5 * SECOND) == Round(waiting=1)
        assert work.round(NOON + 15 * SECOND) == Round(sent=1)
        assert work.round(NOON + timedelta(days=9)) == Round()
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {"gate-2"}
    assert len({body for _, body in receiver.got}) == 1
    told = json.loads(receiver.got[-1][1])
    assert told == {
        "type": "safeguarding.alert",
        "timestamp": "2026-11-23T12:00:00+00:00",
        "data": {"gateway": "gate", "number": 1, "severity": "danger", "theme": "self-harm"},
    }


def test_what_is_told_waits_for_one_who_is_not_there_and_is_given_up_at_last(
    database: Engine, secret: Path
) -> None:
    keep(database, hook(secret), alert())
    with receiving() as receiver:
        pass
    work, outbox = telling(database, receiver, secret), Outbox(database, "pastoral")
    assert work.round(NOON) == Round(waiting=1)
    [found] = findings("pastoral", outbox.state(NOON), NOON + SECOND)
    assert (found.is_note, "1 alerts waiting; the last that failed" in found.said) == (True, True)
    assert work.round(NOON + GIVE_UP_AFTER) == Round(gave_up=1)
    [_, gave_up] = findings("pastoral", outbox.state(NOON), NOON + GIVE_UP_AFTER)
    assert "was not told of alert:1" in gave_up.said


def test_mail_and_webhooks_keep_out_of_each_others_way(database: Engine, secret: Path) -> None:
    keep(database, hook(secret), alert())
    mails = Outbox(database).take(NOON, 9, SECOND)
    assert [one.audience for one in mails] == ["account:dsl@hill.example"]
    assert Outbox(database).state(NOON).waiting == 1
    assert Outbox(database, "other").take(NOON, 9, SECOND) == []
    [waiting] = Outbox(database, "pastoral").take(NOON, 9, SECOND)
    assert waiting.about == "alert:1"


@pytest.mark.parametrize(
    ("more", "about", "severity", "is_told"),
    [
        ({}, About.PUPILS, Severity.DANGER, True),
        ({}, About.PUPILS, Severity.CAUTION, False),
        # Whoever reads along may be the one whom it concerns (T-8-concern).
        ({}, About.STAFF, Severity.DANGER, False),
        ({"concerning": ["staff"]}, About.STAFF, Severity.DANGER, True),
        ({"severities": ["caution"]}, About.PUPILS, Severity.CAUTION, True),
    ],
)
def test_which_alerts_are_told(
    database: Engine, secret: Path, more: dict[str, object], about: About, severity: Severity, is_told: bool
) -> None:  # fmt: skip
    keep(database, hook(secret, **more), alert(about, severity))
    assert bool(Outbox(database, "pastoral").unsent()) is is_told


def test_of_an_alert_that_was_erased_nothing_is_told(database: Engine, secret: Path) -> None:
    keep(database, hook(secret), alert())

    def gone(_number: int) -> KeptAlert:
        return IncidentStore(database).alert(99)

    with receiving() as receiver:
        post = Webhook(receiver.url, secret).post
        assert Telling(Outbox(database, "pastoral"), post, gone, "g").round(NOON).gave_up == 1
    assert receiver.got == []


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (8, 640), (99, 900)])
def test_pauses_grow(attempts: int, seconds: int) -> None:
    assert pause_after(attempts) == seconds * SECOND
