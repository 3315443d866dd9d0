"""Mail is handed over by TLS to a real server; a refusal for good is told apart from one for now."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.notify import Letter, MailServer, RejectedError, compose
from schoolgate.notify.mail_server import Security
from tests.notify import smtp

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def mail() -> EmailMessage:
    letter = Letter(7, "A site is asked for", "https://x.example/", AT, "Example School")
    return compose(letter, "filter@school.example", ("head@school.example",))


@pytest.mark.parametrize("security", list(Security))
def test_a_mail_arrives_by_each_way(tmp_path: Path, security: Security) -> None:
    with smtp.running(tmp_path, security) as post:
        post.server(security=security).send(mail())
        [got] = post.got
        assert (got.mail_from, got.rcpt_tos) == ("filter@school.example", ["head@school.example"])
        assert isinstance(got.content, bytes)
        assert b"Message-ID: <schoolgate-7@school.example>" in got.content


@pytest.mark.parametrize(
    ("answer", "want"),
    [("550 no such person", RejectedError), ("450 try later", UnavailableError)],
)
def test_what_the_server_refuses(tmp_path: Path, answer: str, want: type[Exception]) -> None:
    with smtp.running(tmp_path) as post:
        post.answers.append(answer)
        with pytest.raises(want, match=answer.partition(" ")[2]):
            post.server().send(mail())
        assert post.got == []


@pytest.mark.parametrize(("password", "want"), [("secret", None), ("wrong", UnavailableError)])
def test_who_must_sign_in_does_so_after_tls(
    tmp_path: Path, password: str, want: type[Exception] | None
) -> None:
    file = tmp_path / "password"
    file.write_text(password + "\n")
    with smtp.running(tmp_path) as post:
        server = post.server(user="gate", password_file=file)
        if want:
            with pytest.raises(want, match="says 535"):
                server.send(mail())
        else:
            server.send(mail())
        assert len(post.got) == (0 if want else 1)


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"host": "127.0.0.1"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"security": Security.TLS}, "cannot be used"),
        ({"security": Security.NONE}, "530 Must issue a STARTTLS"),
        ({"host": "mail.example", "security": Security.NONE}, "needs TLS"),
        ({"port": 1}, "cannot be used"),
    ],
)
def test_a_way_that_is_not_safe_or_not_there_is_none(
    tmp_path: Path, change: dict[str, Any], want: str
) -> None:
    with smtp.running(tmp_path) as post:
        server: MailServer = post.server(**change)
        with pytest.raises(UnavailableError if want[0] != "5" else RejectedError, match=want):
            server.send(mail())
        assert post.got == []
