"""The school's mail server, over TLS."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path

from schoolgate.core.errors import RefusedError, UnavailableError

_TIMEOUT_SECONDS = 20
# From here on a server says that trying again will not help (RFC 5321, 4.2.1).
_FOR_GOOD = 500


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class RejectedError(RefusedError):
    """The server refused a mail for good; its text says why."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over.

    Attributes:
        host: name, which its certificate must carry.
        port: usually 587, or 465 for TLS from the start.
        security: without TLS only to this machine itself.
        user: to sign in as; empty for none.
        password_file: of that user.
        ca_file: an authority to trust beside the usual ones.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None

    def send(self, message: EmailMessage) -> None:
        """Hand a mail over.

        Raises:
            RejectedError: when the server will not have it, now or later.
            UnavailableError: when it may be tried again.
        """
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            said = "; ".join(_text(reason) for _, reason in error.recipients.values())
            if min(codes) >= _FOR_GOOD:
                raise RejectedError(f"no recipient is accepted: {said}") from error
            raise UnavailableError(f"no recipient is accepted now: {said}") from error
        except smtplib.SMTPResponseException as error:
            said = f"{error.smtp_code} {_text(error.smtp_error)}"
            # A wrong password is put right by the technician: the mail waits for that.
            for_good = error.smtp_code >= _FOR_GOOD
            if for_good and not isinstance(error, smtplib.SMTPAuthenticationError):
                raise RejectedError(f"the mail server says {said}") from error
            raise UnavailableError(f"the mail server says {said}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(
                f"the mail server {self.host}:{self.port} cannot be used ({error})"
            ) from error

    def _connected(self) -> smtplib.SMTP:
        if self.security is Security.NONE and self.host not in ("localhost", "127.0.0.1", "[::1]"):
            raise UnavailableError(f"mail to {self.host} needs TLS: set mail.security")
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        if self.security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            if self.security is Security.STARTTLS:
                server.starttls(context=context)
            if self.user and self.password_file is not None:
                server.login(self.user, self.password_file.read_text(encoding="utf-8").strip())
        except BaseException:
            server.close()
            raise
        return server


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
