"""What gateways ask of their centre (WSGI): to be enrolled, to go on being so, and bundles."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from schoolgate.authority.pairs import Pair
from schoolgate.bundles.repository import newest_root
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.enrolment.certificates import Named, certify, fingerprint_of
from schoolgate.enrolment.ledger import Ledger, LimitedError

_MOST_BODY = 16_384
_PIECE = 1 << 16
_FILE = re.compile(r"/bundles/(metadata|targets|blobs)/([A-Za-z0-9][A-Za-z0-9._-]{0,150})")
_RANGE = re.compile(r"bytes=([0-9]{1,15})-")

type Environment = dict[str, Any]
type Start = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    body: Iterable[bytes]
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Application:
    """Answers gateways.

    Attributes:
        authority: that signs their certificates.
        ledger: of tokens and certificates.
        repository: folder of the bundles.
        peer: gives the client's certificate in DER form, which TLS has verified; None without one.
        now: gives the time, aware.
    """

    authority: Pair
    ledger: Ledger
    repository: Path
    peer: Callable[[Environment], bytes | None]
    now: Callable[[], datetime]

    def __call__(self, environment: Environment, start: Start) -> Iterable[bytes]:
        """Answer one request; whatever fails is refused."""
        try:
            answer = self._answer(environment)
        except LimitedError as error:
            answer = _said("429 Too Many Requests", str(error))
        except RefusedError as error:
            answer = _said("403 Forbidden", str(error))
        except UnavailableError:
            answer = _said("503 Service Unavailable", "The centre cannot answer now.")
        start(answer.status, [*answer.fields, ("Cache-Control", "no-store")])
        return answer.body

    def _answer(self, environment: Environment) -> _Answer:
        asked = (environment["REQUEST_METHOD"], environment.get("PATH_INFO", ""))
        if asked == ("GET", "/ca.pem"):
            return _bytes(self.authority.certificate_pem, "application/x-pem-file")
        if asked == ("GET", "/healthz"):
            return _bytes(b"ok\n", "text/plain")
        if asked == ("POST", "/enrol"):
            return self._enrol(environment)
        if asked == ("POST", "/renew"):
            return self._renew(environment)
        found = _FILE.fullmatch(asked[1])
        if asked[0] == "GET" and found:
            self._who(environment)
            return _file(self.repository / found[1] / found[2], environment)
        return _said("404 Not Found", "There is nothing here.")

    def _enrol(self, environment: Environment) -> _Answer:
        said = _body(environment, ("token", "school", "gateway", "request"))
        named, now = Named(said["school"], said["gateway"]), self.now()
        # What is no request spends no token.
        made = certify(self.authority, named, said["request"].encode(), now)
        address = environment.get("REMOTE_ADDR", "")
        self.ledger.enrol(said["token"], named, address, now, lambda: made)
        # Not the first: its keys may have been replaced since because somebody else had them.
        root = newest_root(self.repository)
        answer = {"certificate": _pem(made), "root": root.read_text() if root else ""}
        return _bytes(json.dumps(answer).encode(), "application/json")

    def _renew(self, environment: Environment) -> _Answer:
        named = self._who(environment)
        said = _body(environment, ("request",))
        made = certify(self.authority, named, said["request"].encode(), self.now())
        self.ledger.add(named, made)
        return _bytes(json.dumps({"certificate": _pem(made)}).encode(), "application/json")

    def _who(self, environment: Environment) -> Named:
        """Give who asks.

        Raises:
            RefusedError: when that is no gateway, or one that was revoked.
        """
        shown = self.peer(environment)
        if shown is None:
            raise RefusedError("Show the certificate of a gateway.")
        fingerprint = fingerprint_of(x509.load_der_x509_certificate(shown))
        named = self.ledger.who(fingerprint, self.now())
        if named is None:
            raise RefusedError("This gateway is not enrolled, or not any more.")
        return named


def _body(environment: Environment, keys: tuple[str, ...]) -> dict[str, str]:
    """Read what was sent.

    Raises:
        RefusedError: when it is not these texts.
    """
    length = environment.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or int(length) > _MOST_BODY:
        raise RefusedError("That is too long, or of no length.")
    try:
        said = json.loads(environment["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError) as error:
        raise RefusedError("That is no JSON.") from error
    if not isinstance(said, dict) or not all(isinstance(said.get(key), str) for key in keys):
        raise RefusedError(f"Send {', '.join(keys)}.")
    return said


def _file(path: Path, environment: Environment) -> _Answer:
    """Give a file, or the rest of it (RFC 9110, 14.2)."""
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError:
        return _said("404 Not Found", "There is nothing here.")
    asked = _RANGE.fullmatch(environment.get("HTTP_RANGE", ""))
    start = int(asked[1]) if asked else 0
    if asked is None or start >= size:
        start = 0
    file.seek(start)
    fields = [("Content-Type", "application/octet-stream"), ("Content-Length", str(size - start))]
    if start:
        fields.append(("Content-Range", f"bytes {start}-{size - 1}/{size}"))
    status = "206 Partial Content" if start else "200 OK"

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return _Answer(status, pieces(), tuple(fields))


def _said(status: str, sentence: str) -> _Answer:
    found = _bytes(json.dumps({"error": sentence}).encode(), "application/json")
    return _Answer(status, found.body, found.fields)


def _bytes(content: bytes, kind: str) -> _Answer:
    fields = (("Content-Type", kind), ("Content-Length", str(len(content))))
    return _Answer("200 OK", [content], fields)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
