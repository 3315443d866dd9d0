"""Whoever shows no certificate of a gateway gets nothing but the authority and the way in."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from schoolgate.centre.application import Application
from schoolgate.enrolment.certificates import Named, make_authority, request_of
from schoolgate.enrolment.ledger import MOST_FAILURES, Ledger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HILL = Named("hill", "gw1")
KEY = ec.generate_private_key(ec.SECP256R1())
BLOB = bytes(range(256)) * 300


class Asked:
    """A centre that is asked without a server, by who shows some certificate."""

    def __init__(self, root: Path) -> None:
        self.shown: bytes | None = None
        repository = root / "repository"
        for name in ("metadata", "targets", "blobs", "bundles"):
            (repository / name).mkdir(parents=True)
        (repository / "metadata/1.root.json").write_text("{}")
        (repository / "blobs/abc").write_bytes(BLOB)
        (repository / "history.json").write_text("[]")
        self.ledger = Ledger(root / "enrolment.db")
        authority = make_authority(root / "authority.pem", NOW)
        self.application = Application(
            authority, self.ledger, repository, lambda _: self.shown, lambda: NOW
        )

    def __call__(
        self, method: str, path: str, said: object = None, **fields: str
    ) -> tuple[int, bytes, dict[str, str]]:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        environment: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **fields,
        }  # fmt: skip
        started: list[Any] = []
        content = b"".join(self.application(environment, lambda *args: started.extend(args)))
        return int(started[0].split()[0]), content, dict(started[1])

    def enrol(self, token: str, named: Named = HILL) -> tuple[int, bytes, dict[str, str]]:
        request = request_of(KEY, HILL).decode()
        names = {"school": named.school, "gateway": named.gateway}
        return self("POST", "/enrol", {"token": token, **names, "request": request})


@pytest.fixture
def centre(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def _enrolled(centre: Asked) -> None:
    status, content, _ = centre.enrol(centre.ledger.new_token(HILL, NOW))
    assert status == 200
    made = x509.load_pem_x509_certificate(json.loads(content)["certificate"].encode())
    centre.shown = made.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("method", "path", "want"),
    [
        ("GET", "/ca.pem", 200), ("GET", "/healthz", 200),
        ("GET", "/bundles/metadata/1.root.json", 403), ("GET", "/bundles/blobs/abc", 403),
        ("POST", "/renew", 403), ("GET", "/enrol", 404), ("GET", "/", 404),
        ("GET", "/bundles/history.json", 404), ("GET", "/bundles/../enrolment.db", 404),
        ("GET", "/bundles/blobs/../../enrolment.db", 404), ("GET", "/bundles/blobs/..", 404),
        ("GET", "/bundles/bundles/1.json", 404), ("DELETE", "/bundles/blobs/abc", 404),
    ],
)  # fmt: skip
def test_what_a_stranger_gets(centre: Asked, method: str, path: str, want: int) -> None:
    assert centre(method, path)[0] == want


def test_who_is_enrolled_gets_bundles_whole_or_their_rest(centre: Asked) -> None:
    _enrolled(centre)
    assert centre("GET", "/bundles/blobs/abc")[:2] == (200, BLOB)
    status, content, fields = centre("GET", "/bundles/blobs/abc", HTTP_RANGE="bytes=70000-")
    assert (status, content) == (206, BLOB[70000:])
    assert fields["Content-Range"] == f"bytes 70000-{len(BLOB) - 1}/{len(BLOB)}"
    for other in ("bytes=0-", "bytes=99999999-", "bytes=-5", "bytes=1-2", "lines=1-", "bytes=x-"):
        assert centre("GET", "/bundles/blobs/abc", HTTP_RANGE=other)[:2] == (200, BLOB)
    assert centre("GET", "/bundles/blobs/none")[0] == 404


def test_who_is_revoked_gets_nothing_and_renews_nothing(centre: Asked) -> None:
    _enrolled(centre)
    said = {"request": request_of(KEY, Named("dale", "gw9")).decode()}
    status, content, _ = centre("POST", "/renew", said)
    renewed = x509.load_pem_x509_certificate(json.loads(content)["certificate"].encode())
    # Whatever the request says.
    assert (status, renewed.subject.rfc4514_string()) == (200, "O=hill,CN=gw1")
    centre.ledger.revoke(HILL, NOW)
    for shown in (centre.shown, renewed.public_bytes(Encoding.DER)):
        centre.shown = shown
        assert centre("GET", "/bundles/blobs/abc")[0] == 403
        assert centre("POST", "/renew", said)[0] == 403


def test_a_stolen_token_is_of_no_use(centre: Asked) -> None:
    token = centre.ledger.new_token(HILL, NOW)
    assert centre.enrol(token, Named("dale", "gw1"))[0] == 403
    assert centre.enrol(token)[0] == 200
    assert centre.enrol(token)[0] == 403


def test_who_guesses_is_limited(centre: Asked) -> None:
    found = [centre.enrol(f"guess-{number}")[0] for number in range(MOST_FAILURES + 1)]
    assert found == [403] * MOST_FAILURES + [429]


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", b"[]", b'"x"', b'{"token": 1}', b"x" * 20_000, b"[" * 15_000,
        {"token": "t", "school": "../x", "gateway": "gw1", "request": "r"},
        {"token": "t", "school": "hill", "gateway": "gw1", "request": "no request"},
        {"token": "t", "school": "hill", "gateway": "gw1"},
    ],
)  # fmt: skip
def test_what_is_no_enrolment_is_refused(centre: Asked, said: object) -> None:
    assert centre("POST", "/enrol", said)[0] == 403
    assert centre("POST", "/enrol", said, CONTENT_LENGTH="")[0] == 403


def test_where_the_ledger_is_damaged_nobody_gets_anything(centre: Asked) -> None:
    _enrolled(centre)
    centre.ledger.file.write_bytes(b"x" * 5000)
    assert centre("GET", "/bundles/blobs/abc")[0] == 503
