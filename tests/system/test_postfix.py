"""Mail goes from the outbox to a mailbox by a real Postfix: TLS, greylisting, a refusal for good."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.core.approvals import Role, Told
from schoolgate.services.mailing import Mailing, Round
from schoolgate.settings import load_settings
from schoolgate.storage import ApprovalStore, Outbox, open_database
from tests import gateway
from tests.gateway import eventually
from tests.system import postfix
from tests.system.postfix import DOMAIN, Postfix

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.getuid() != 0, reason="a mail server of its own needs root"),
]
MINUTE = timedelta(minutes=1)
AUDIENCES = (Role.HEADTEACHER, Role.ONLINE_SAFETY_LEAD, Role.DSL)


@pytest.fixture(scope="module")
def post() -> Iterator[Postfix]:
    with postfix.running() as running:
        yield running


def configured(directory: Path, post: Postfix, **mail: object) -> Path:
    roles = {"headteacher": ["head"], "online-safety-lead": ["lead"], "dsl": ["nobody"]}
    return gateway.write_config(
        directory,
        mail={
            "host": "localhost",
            "port": post.port,
            "ca_file": str(post.ca_file),
            "sender": f"filter@{DOMAIN}",
            "roles": {role: [f"{name}@{DOMAIN}" for name in to] for role, to in roles.items()},
            **mail,
        },
    )


def test_greylisted_then_delivered_and_refused_for_good_as_doctor_says(
    post: Postfix, tmp_path: Path
) -> None:
    config = configured(tmp_path, post)
    settings = load_settings(config)
    database = open_database(settings.database_url)
    mailing, now = bootstrap.open_mailing(settings), bootstrap.now()
    with ApprovalStore(database).writing() as work:
        work.tell(Told("A site is asked for", roles=AUDIENCES), "request:7", now)
    # Two come back later; to the third there is no mailbox.
    assert [mailing.round(now) for _ in range(4)] == [
        Round(waiting=1), Round(waiting=1), Round(gave_up=1), Round(),
    ]  # fmt: skip
    state = Outbox(database).state(now - MINUTE)
    assert (state.waiting, len(state.gave_up)) == (2, 1)
    assert "greylisted, come back later" in state.trouble
    said = " ".join(gateway.schoolgate("doctor", "--config", str(config)).stdout.split())
    assert f"note mail: localhost:{post.port}, 2 mails waiting; the last that failed: " in said
    assert "note mail: not sent to role:dsl, 'A site is asked for' (request:7): " in said
    assert "User unknown" in said
    assert [mailing.round(now + MINUTE) for _ in range(3)] == [
        Round(sent=1), Round(sent=1), Round(),
    ]  # fmt: skip
    for name, number in (("head", 1), ("lead", 2)):
        assert eventually(lambda name=name: len(post.mails(name)) == 1), post.log()  # type: ignore[misc]
        [mail] = post.mails(name)
        assert mail["Message-ID"] == f"<schoolgate-{number}@{DOMAIN}>"
        # With TLS, as its own line says (RFC 3848).
        assert "ESMTPS" in mail["Received"]
        assert "https://schoolgate.internal/requests/7" in str(mail.get_payload())
    close(mailing)
    database.dispose()


def test_without_tls_postfix_takes_nothing_and_the_mail_is_not_lost(
    post: Postfix, tmp_path: Path
) -> None:
    settings = load_settings(configured(tmp_path, post, ca_file=""))
    settings = settings.model_copy(
        update={"mail": settings.mail.model_copy(update={"ca_file": None})}
    )
    database = open_database(settings.database_url)
    mailing, now = bootstrap.open_mailing(settings), bootstrap.now()
    with ApprovalStore(database).writing() as work:
        work.tell(Told("A site is asked for", roles=(Role.HEADTEACHER,)), "request:8", now)
    assert mailing.round(now) == Round(waiting=1)
    [(_, error)] = Outbox(database).unsent()
    assert "CERTIFICATE_VERIFY_FAILED" in error
    close(mailing)
    database.dispose()


def close(mailing: Mailing) -> None:
    """Close the database of what sends: what nobody closes fails whichever test comes later."""
    mailing._outbox._engine.dispose()
