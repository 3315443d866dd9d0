"""A message to a webhook is signed, goes over TLS that is verified, and follows no redirect."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.notify import Webhook
from schoolgate.notify.webhook import read_secret, signature
from tests.notify.receiver import receiving
from tests.origin import certificates

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "hook.secret"
    file.write_text(f"whsec_{SECRET}\n")
    return file


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries: id, time, body and what must come of them."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    body = b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body) == want


def test_a_receiver_can_check_what_it_is_sent(secret: Path) -> None:
    with receiving() as receiver:
        Webhook(receiver.url, secret).post("gateway-7", AT, b'{"type":"x"}')
    [(headers, body)] = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.digest(base64.b64decode(SECRET), signed, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("number", "at", "body"),
    [("2", AT, b"{}"), ("1", AT + timedelta(seconds=1), b"{}"), ("1", AT, b"[]")],
)
def test_whatever_is_changed_changes_the_signature(number: str, at: datetime, body: bytes) -> None:
    assert signature(b"s" * 24, "1", AT, b"{}") != signature(b"s" * 24, number, at, body)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500, 503])
def test_whatever_is_not_success_is_tried_again_and_nobody_is_followed(
    secret: Path, status: int
) -> None:
    with receiving() as receiver:
        receiver.statuses = [status]
        with pytest.raises(UnavailableError, match=str(status)):
            Webhook(receiver.url, secret).post("1", AT, b"{}")
        assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_is_not_asked_again(secret: Path) -> None:
    with receiving() as receiver:
        receiver.statuses = [410]
        with pytest.raises(RefusedError, match="410"):
            Webhook(receiver.url, secret).post("1", AT, b"{}")


def test_its_certificate_is_verified(secret: Path, tmp_path: Path) -> None:
    ca, certificate, key = certificates(tmp_path, ("localhost",))
    with receiving((certificate, key)) as receiver:
        with pytest.raises(UnavailableError, match="SSL"):
            Webhook(receiver.url, secret).post("1", AT, b"{}")
        assert receiver.got == []
        Webhook(receiver.url, secret, ca).post("1", AT, b"{}")
        assert len(receiver.got) == 1
        other = receiver.url.replace("localhost", "127.0.0.1")
        with pytest.raises(UnavailableError, match="SSL"):
            Webhook(other, secret, ca).post("1", AT, b"{}")


def test_nobody_there_is_told_without_the_address_which_may_be_a_secret(secret: Path) -> None:
    with receiving() as receiver:
        url = f"{receiver.url}T0KEN"
    with pytest.raises(UnavailableError) as caught:
        Webhook(url, secret).post("1", AT, b"{}")
    assert "T0KEN" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", SECRET, "whsec_%%%", "whsec_é"])
def test_what_is_no_secret_signs_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnavailableError):
        read_secret(file)
    with pytest.raises(UnavailableError):
        read_secret(tmp_path / "nowhere")
