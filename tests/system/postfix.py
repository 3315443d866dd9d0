"""A Postfix from Debian for the time of a test: TLS alone, greylisting, two people who have a mailbox."""

import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from tests.gateway import PATIENCE_SECONDS, eventually, free_port
from tests.origin import certificates
from tests.system.conftest import program

DOMAIN = "school.example"
MAILBOXES = ("head", "lead")
_MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/log/mail.log
maillog_file_prefixes = {base}/log
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = localhost
mydestination =
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {base}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {key}, {certificate}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient,
    check_policy_service inet:127.0.0.1:{policy}
"""
# Name, kind, private, unprivileged, chroot, wake-up, most processes, command (man 5 master).
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A mail server that runs."""

    base: Path
    port: int
    ca_file: Path
    seen: set[str] = field(default_factory=set)

    def mails(self, mailbox: str) -> list[Message]:
        """Give what lies in somebody's Maildir."""
        place = self.base / "mail" / mailbox / "new"
        return [message_from_bytes(path.read_bytes()) for path in sorted(place.glob("*"))]

    def log(self) -> str:
        """Give what it wrote about itself."""
        file = self.base / "log" / "mail.log"
        return file.read_text() if file.exists() else ""


@contextmanager
def running() -> Iterator[Postfix]:
    """Run it on a free port, with directories of its own; its process ends with the context."""
    command = program("postfix")
    base = Path(tempfile.mkdtemp(prefix="postfix-"))
    try:
        with _greylisting() as (policy, seen):
            post = _prepared(base, policy)
            post.seen = seen
            process = subprocess.Popen(
                [command, "-c", str(base / "etc"), "start-fg"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            try:
                assert eventually(lambda: _answers(post.port) or process.poll() is not None)
                if process.poll() is not None:
                    assert process.stdout is not None
                    raise RuntimeError(f"postfix ended: {process.stdout.read()}{post.log()}")
                yield post
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)
                if process.stdout is not None:
                    process.stdout.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _prepared(base: Path, policy: int) -> Postfix:
    base.chmod(0o755)
    owner, reader = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
    for name in ("etc", "queue", "data", "mail", "log", "tls"):
        (base / name).mkdir()
    os.chown(base / "data", owner.pw_uid, owner.pw_gid)
    os.chown(base / "mail", reader.pw_uid, reader.pw_gid)
    ca_file, certificate, key = certificates(base / "tls")
    port = free_port()
    boxes = " ".join(f"{{ {name}@{DOMAIN} = {name}/ }}" for name in MAILBOXES)
    (base / "etc" / "main.cf").write_text(
        _MAIN.format(
            base=base,
            domain=DOMAIN,
            mailboxes=boxes,
            uid=reader.pw_uid,
            gid=reader.pw_gid,
            key=key,
            certificate=certificate,
            policy=policy,
        )
    )
    (base / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    return Postfix(base, port, ca_file)


@contextmanager
def _greylisting() -> Iterator[tuple[int, set[str]]]:
    """Refuse everybody to whom nothing was sent yet, once, as greylisting does (RFC 6647)."""
    seen: set[str] = set()

    class Policy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked: dict[str, str] = {}
            for line in self.rfile:
                name, equals, value = line.decode().rstrip("\n").partition("=")
                if equals:
                    asked[name] = value
                    continue
                known = asked["recipient"] in seen
                seen.add(asked["recipient"])
                answer = "DUNNO" if known else "DEFER_IF_PERMIT greylisted, come back later"
                self.wfile.write(f"action={answer}\n\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Policy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], seen
        finally:
            server.shutdown()
            thread.join()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as one:
            return one.recv(100).startswith(b"220")
    except OSError:
        return False
