"""A mail server of the tests, with TLS, that does as it is told."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from schoolgate.notify import MailServer
from schoolgate.notify.mail_server import Security
from tests.origin import certificates


@dataclass
class Post:
    """What the server got, and what it answers next to a recipient."""

    ca_file: Path
    port: int = 0
    got: list[Envelope] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    pause_seconds: float = 0.0
    is_taking: bool = False

    @property
    def ids(self) -> list[str]:
        """Message-ID of each mail it got."""
        contents = [got.content for got in self.got if isinstance(got.content, bytes)]
        return [message_from_bytes(content)["Message-ID"] for content in contents]

    def settings(self, **more: Any) -> dict[str, Any]:
        """Give the section ``mail`` that leads to it."""
        return {
            "host": "localhost",
            "port": self.port,
            "ca_file": str(self.ca_file),
            "sender": "filter@school.example",
            **more,
        }

    def server(self, **more: Any) -> MailServer:
        """Give the way to it."""
        return MailServer(
            **{"host": "localhost", "port": self.port, "ca_file": self.ca_file, **more}
        )

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Take a recipient, or say otherwise."""
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail; takes its time where the test wants that."""
        self.is_taking = True
        await asyncio.sleep(self.pause_seconds)
        self.is_taking = False
        self.got.append(envelope)
        return "250 OK"


@contextmanager
def running(directory: Path, security: Security = Security.STARTTLS) -> Iterator[Post]:
    """Run a server on a free port."""
    ca_file, certificate, key = certificates(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    post = Post(ca_file)
    ways: dict[Security, dict[str, Any]] = {
        Security.STARTTLS: {"tls_context": context, "require_starttls": True},
        Security.TLS: {},
        Security.NONE: {},
    }
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            post, hostname="localhost", authenticator=_authenticate, loop=loop, **ways[security]
        )

    from_start = context if security is Security.TLS else None
    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=from_start))
    post.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield post
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    pending = asyncio.all_tasks() - {asyncio.current_task()}
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _authenticate(*given: Any) -> AuthResult:
    login = given[-1]
    right = (login.login, login.password) == (b"gate", b"secret")
    return AuthResult(success=right, handled=False)
