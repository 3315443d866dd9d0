"""A gateway's side: it makes its key, shows its token once, and renews its certificate by itself."""

import contextlib
import hmac
import json
import ssl
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from schoolgate.authority.pairs import PRIVATE, PUBLIC, write_whole
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.enrolment.certificates import Named, fingerprint_of, pem_of, request_of

_MOST_ANSWER = 100_000
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class EnrolmentFiles:
    """Files by which a gateway and its centre know each other; some may be missing.

    Attributes:
        directory: of all of them, readable by nobody else.
    """

    directory: Path

    @property
    def identity(self) -> Path:
        """The gateway's key, which never leaves this machine, and its certificate."""
        return self.directory / "gateway.pem"

    @property
    def authority(self) -> Path:
        """The centre's authority."""
        return self.directory / "centre-ca.crt"

    @property
    def root(self) -> Path:
        """The trust's root of bundles."""
        return self.directory / "root.json"

    @property
    def centre(self) -> Path:
        """Where the centre is."""
        return self.directory / "centre.url"

    def context(self) -> ssl.SSLContext:
        """Give how this gateway speaks TLS with the centre: as itself, and with nobody else.

        Raises:
            UnavailableError: when a file is damaged or cannot be read.
        """
        try:
            # Where nobody enrolled the system's authorities are trusted.
            trusted = str(self.authority) if self.authority.exists() else None
            context = ssl.create_default_context(cafile=trusted)
            if self.identity.exists():
                context.load_cert_chain(self.identity)
        except OSError as error:
            raise UnavailableError(
                f"The enrolment in {self.directory} cannot be used: {error}. Enrol anew."
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


def enrol(
    files: EnrolmentFiles, centre: str, token: str, fingerprint: str, named: Named
) -> x509.Certificate:
    """Enrol this gateway; what was there before stays until it is done.

    Args:
        files: that are made.
        centre: address of the centre.
        token: that is spent.
        fingerprint: SHA-256 of the centre's authority, in hex, with or without colons.
        named: which school and gateway this is.

    Raises:
        RefusedError: when the centre is another one, or refuses.
        UnavailableError: when it cannot be reached, or files not be written.
    """
    authority = _authority(centre, fingerprint)
    context = ssl.create_default_context(cadata=authority.decode())
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    key = ec.generate_private_key(ec.SECP256R1())
    said = {
        "token": token,
        "school": named.school,
        "gateway": named.gateway,
        "request": request_of(key, named).decode(),
    }
    answer = _post(f"{centre.rstrip('/')}/enrol", said, context)
    certificate = _certificate(answer, key)
    try:
        files.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(files.authority, authority, PUBLIC)
        write_whole(files.centre, centre.encode(), PUBLIC)
        if answer.get("root"):
            write_whole(files.root, answer["root"].encode(), PUBLIC)
        # Last, and both at once: with it this gateway is enrolled.
        _put_identity(files, key, answer)
    except OSError as error:
        raise UnavailableError(f"{files.directory} cannot be written: {error.strerror}.") from error
    return certificate


def renew(files: EnrolmentFiles, now: datetime) -> bool:
    """Renew the certificate, with a new key, where half of its time has gone.

    Returns:
        Whether it was renewed.

    Raises:
        RefusedError: when the centre refuses: this gateway was revoked.
        UnavailableError: when it cannot be reached, or files not be written.
    """
    if not files.identity.exists():
        return False
    try:
        old = x509.load_pem_x509_certificate(files.identity.read_bytes())
        centre = files.centre.read_text().strip()
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"The enrolment in {files.directory} is damaged: enrol anew."
        ) from error
    begins, ends = old.not_valid_before_utc, old.not_valid_after_utc
    if now < begins + (ends - begins) / 2:
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    # The centre puts down the names that it knows.
    request = request_of(key, Named("renewal", "renewal")).decode()
    answer = _post(f"{centre.rstrip('/')}/renew", {"request": request}, files.context())
    _certificate(answer, key)
    try:
        _put_identity(files, key, answer)
    except OSError as error:
        raise UnavailableError(f"{files.directory} cannot be written: {error.strerror}.") from error
    return True


def _put_identity(
    files: EnrolmentFiles, key: ec.EllipticCurvePrivateKey, answer: dict[str, Any]
) -> None:
    write_whole(files.identity, pem_of(key) + answer["certificate"].encode(), PRIVATE)


def _authority(centre: str, fingerprint: str) -> bytes:
    """Fetch the centre's authority from whoever answers, and believe it by its fingerprint alone."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = urlsplit(centre)
    if place.scheme != "https":
        # The token would go there in the clear.
        raise RefusedError(f"{centre} is no address that begins with https://.")
    try:
        # Not by urllib3, which warns of what is meant here.
        asked = HTTPSConnection(place.hostname or "", place.port, timeout=_SECONDS, context=context)
        with contextlib.closing(asked):
            asked.request("GET", f"{place.path.rstrip('/')}/ca.pem")
            content = asked.getresponse().read(_MOST_ANSWER)
    except (OSError, HTTPException, ValueError) as error:
        raise UnavailableError(f"The centre cannot be reached: {error}.") from error
    try:
        found = fingerprint_of(x509.load_pem_x509_certificate(content))
    except ValueError as error:
        raise RefusedError(f"{centre} is no centre of a trust.") from error
    wanted = fingerprint.replace(":", "").strip().lower()
    if not hmac.compare_digest(found.encode(), wanted.encode()):
        raise RefusedError(f"{centre} has another fingerprint: {found}. Nothing was sent to it.")
    return content


def _post(url: str, said: dict[str, str], context: ssl.SSLContext) -> dict[str, Any]:
    status, content = _ask(url, json.dumps(said).encode(), context)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    if status != 200 or not isinstance(answer, dict):
        why = answer.get("error", "") if isinstance(answer, dict) else ""
        raise RefusedError(why or f"The centre refuses: it answers {status}.")
    return answer


def _ask(url: str, body: bytes, context: ssl.SSLContext) -> tuple[int, bytes]:
    from urllib3 import PoolManager  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    with PoolManager(ssl_context=context, timeout=_SECONDS, retries=False) as pool:
        try:
            answer = pool.request("POST", url, body=body, preload_content=False, redirect=False)
            content = answer.read(_MOST_ANSWER)
            answer.close()
        except HTTPError as error:
            raise UnavailableError(f"The centre cannot be reached: {error}.") from error
    return answer.status, content


def _certificate(answer: dict[str, Any], key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    except (KeyError, ValueError, AttributeError) as error:
        raise RefusedError("The centre has sent no certificate.") from error
    if certificate.public_key() != key.public_key():
        raise RefusedError("The centre has sent another's certificate.")
    return certificate
