"""A message to a program of the school's: signed, over TLS that is verified, and without a name.

The signature is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): HMAC-SHA256 of
``ID.TIMESTAMP.BODY`` with a secret that both know, so that the receiver can tell a message of the
gateway from a forged, changed or repeated one.
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import urllib3

from schoolgate.core.errors import RefusedError, UnavailableError

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64
_TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
_GONE = 410


def signature(secret: bytes, number: str, at: datetime, body: bytes) -> str:
    """Give what stands in the header ``webhook-signature``.

    Args:
        secret: that both know.
        number: of the message; the same when it is sent again.
        at: when it is sent, aware.
        body: as it is sent.
    """
    signed = b".".join((number.encode(), str(int(at.timestamp())).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def read_secret(file: Path) -> bytes:
    """Read a secret: ``whsec_`` and 24 to 64 bytes as base64.

    Raises:
        UnavailableError: when it cannot be read or is none.
    """
    try:
        text = file.read_text(encoding="ascii").strip()
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise UnavailableError(f"the secret {file} cannot be read ({error})") from error
    if not text.startswith(PREFIX) or not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise UnavailableError(
            f"{file} holds no secret: {PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64"
        )
    return secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a program of the school's is told.

    Attributes:
        url: where messages are posted.
        secret_file: what they are signed with; read anew for each, so that it can be changed.
        ca_file: an authority to trust beside the usual ones.
    """

    url: str
    secret_file: Path
    ca_file: Path | None = None

    def post(self, number: str, at: datetime, body: bytes) -> None:
        """Hand a message over; redirects are not followed, and what is answered is not read.

        Args:
            number: of the message; the same when it is sent again.
            at: now, aware.
            body: JSON.

        Raises:
            RefusedError: when the receiver says that it is gone for good.
            UnavailableError: when it may be tried again.
        """
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "schoolgate",
            "webhook-id": number,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(read_secret(self.secret_file), number, at, body),
        }
        try:
            status = self._posted(body, headers)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # Its address may be a secret itself, and stands in the words of the library.
            said = type(getattr(error, "reason", None) or error).__name__
            raise UnavailableError(f"the webhook cannot be reached ({said})") from error
        if status == _GONE:
            raise RefusedError("the webhook answered 410: it wants no more")
        if not 200 <= status < 300:
            raise UnavailableError(f"the webhook answered {status}")

    def _posted(self, body: bytes, headers: dict[str, str]) -> int:
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        with urllib3.PoolManager(retries=False, timeout=_TIMEOUT, ssl_context=context) as pool:
            answer = pool.request(
                "POST", self.url, body=body, headers=headers, redirect=False, preload_content=False
            )
            answer.close()
            return answer.status
