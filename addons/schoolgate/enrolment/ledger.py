"""Who may enrol and who is enrolled: tokens by their hash, certificates by their fingerprint."""

import contextlib
import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.enrolment.certificates import Named, fingerprint_of

TOKEN_LIFE = timedelta(hours=24)
# Wrong tokens of one address before it has to wait; a token has 256 bits of chance all the same.
MOST_FAILURES = 10
FAILURES_WITHIN = timedelta(minutes=10)
_WAIT_SECONDS = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS token (
  hash TEXT PRIMARY KEY, school TEXT NOT NULL, gateway TEXT NOT NULL, expires REAL NOT NULL, used REAL);
CREATE TABLE IF NOT EXISTS certificate (
  fingerprint TEXT PRIMARY KEY, school TEXT NOT NULL, gateway TEXT NOT NULL, expires REAL NOT NULL,
  revoked REAL);
CREATE TABLE IF NOT EXISTS failure (address TEXT NOT NULL, at REAL NOT NULL);
"""


class LimitedError(RefusedError):
    """Too many wrong tokens came from an address; it has to wait."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gateway that was enrolled, until when, and whether it still is."""

    named: Named
    until: datetime
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of a centre, used by several processes at once.

    Attributes:
        file: an SQLite database, which is made.
    """

    file: Path

    def new_token(self, named: Named, now: datetime, life: timedelta = TOKEN_LIFE) -> str:
        """Give a token by which one gateway enrols once; only its hash is kept.

        Raises:
            UnavailableError: when the ledger cannot be written.
        """
        token = secrets.token_urlsafe(32)
        with self._changing() as ledger:
            # An earlier one that lies somewhere is of no use any more.
            ledger.execute(
                "DELETE FROM token WHERE school=? AND gateway=? AND used IS NULL",
                (named.school, named.gateway),
            )
            ledger.execute(
                "INSERT INTO token VALUES (?,?,?,?,NULL)",
                (_hash(token), named.school, named.gateway, (now + life).timestamp()),
            )
        return token

    def enrol(
        self,
        token: str,
        named: Named,
        address: str,
        now: datetime,
        certify: Callable[[], x509.Certificate],
    ) -> x509.Certificate:
        """Spend a token on a certificate, both or neither; of two at once exactly one has it.

        Certificates that the gateway had before are revoked.

        Args:
            token: as it was given out.
            named: who says to be enrolled.
            address: from where.
            now: aware.
            certify: makes the certificate, or raises.

        Raises:
            LimitedError: when too many wrong ones came from the address.
            RefusedError: when the token is wrong, spent, too old, or another gateway's.
            UnavailableError: when the ledger cannot be written.
        """
        at = now.timestamp()
        with self._changing() as ledger:
            _limit(ledger, address, now)
            spent = ledger.execute(
                "UPDATE token SET used=? WHERE hash=? AND school=? AND gateway=? "
                "AND used IS NULL AND expires>?",
                (at, _hash(token), named.school, named.gateway, at),
            )
            if spent.rowcount == 1:
                certificate = certify()
                _revoke(ledger, named, at)
                _add(ledger, named, certificate)
                return certificate
            ledger.execute("INSERT INTO failure VALUES (?,?)", (address, at))
        # One sentence for all: nobody learns from it which tokens there are.
        raise RefusedError("The token is not good for that gateway: wrong, used, or too old.")

    def add(self, named: Named, certificate: x509.Certificate) -> None:
        """Put down a certificate that follows another.

        Raises:
            UnavailableError: when the ledger cannot be written.
        """
        with self._changing() as ledger:
            _add(ledger, named, certificate)

    def who(self, fingerprint: str, now: datetime) -> Named | None:
        """Give the gateway whose certificate it is; None where it is nobody's, revoked or too old.

        Raises:
            UnavailableError: when the ledger cannot be read.
        """
        with self._changing() as ledger:
            row = ledger.execute(
                "SELECT school, gateway FROM certificate "
                "WHERE fingerprint=? AND revoked IS NULL AND expires>?",
                (fingerprint, now.timestamp()),
            ).fetchone()
        return Named(*row) if row else None

    def revoke(self, named: Named, now: datetime) -> int:
        """Revoke all certificates and open tokens of a gateway; give how many certificates.

        Raises:
            UnavailableError: when the ledger cannot be written.
        """
        with self._changing() as ledger:
            ledger.execute(
                "DELETE FROM token WHERE school=? AND gateway=? AND used IS NULL",
                (named.school, named.gateway),
            )
            return _revoke(ledger, named, now.timestamp())

    def revoke_school(self, school: str, now: datetime) -> tuple[int, int]:
        """Revoke all certificates and open tokens of a school; give how many of each.

        Raises:
            UnavailableError: when the ledger cannot be written.
        """
        with self._changing() as ledger:
            tokens = ledger.execute(
                "DELETE FROM token WHERE school=? AND used IS NULL", (school,)
            ).rowcount
            certificates = ledger.execute(
                "UPDATE certificate SET revoked=? WHERE school=? AND revoked IS NULL",
                (now.timestamp(), school),
            ).rowcount
        return certificates, tokens

    def enrolled(self) -> list[Enrolled]:
        """Give the gateways with the last certificate of each.

        Raises:
            UnavailableError: when the ledger cannot be read.
        """
        with self._changing() as ledger:
            rows = ledger.execute(
                "SELECT school, gateway, MAX(expires), MIN(revoked IS NOT NULL) FROM certificate "
                "GROUP BY school, gateway ORDER BY school, gateway"
            ).fetchall()
        return [
            Enrolled(Named(school, gateway), datetime.fromtimestamp(until, UTC), bool(revoked))
            for school, gateway, until, revoked in rows
        ]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Give the ledger in one transaction, which others wait for."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.closing(
                sqlite3.connect(self.file, timeout=_WAIT_SECONDS, isolation_level=None)
            ) as ledger:
                self.file.chmod(0o600)
                ledger.executescript(_TABLES)
                ledger.execute("BEGIN IMMEDIATE")
                try:
                    yield ledger
                except BaseException:
                    ledger.execute("ROLLBACK")
                    raise
                ledger.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(f"The ledger {self.file} cannot be used: {error}.") from error


def _limit(ledger: sqlite3.Connection, address: str, now: datetime) -> None:
    since = (now - FAILURES_WITHIN).timestamp()
    ledger.execute("DELETE FROM failure WHERE at<?", (since,))
    [many] = ledger.execute("SELECT COUNT(*) FROM failure WHERE address=?", (address,)).fetchone()
    if many >= MOST_FAILURES:
        raise LimitedError("Too many wrong tokens came from this address. Wait ten minutes.")


def _revoke(ledger: sqlite3.Connection, named: Named, at: float) -> int:
    return ledger.execute(
        "UPDATE certificate SET revoked=? WHERE school=? AND gateway=? AND revoked IS NULL",
        (at, named.school, named.gateway),
    ).rowcount


def _add(ledger: sqlite3.Connection, named: Named, certificate: x509.Certificate) -> None:
    until = certificate.not_valid_after_utc.timestamp()
    ledger.execute(
        "INSERT INTO certificate VALUES (?,?,?,?,NULL)",
        (fingerprint_of(certificate), named.school, named.gateway, until),
    )


def _hash(token: str) -> str:
    # Of 256 bits of chance: nothing slow is needed against guessing.
    return hashlib.sha256(token.encode()).hexdigest()
