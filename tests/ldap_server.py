"""A directory of our own making that speaks LDAP over TLS: enough for a gateway, and it can fail."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder, encoder

BASE = "dc=school,dc=example"
SEARCH_DN, SEARCH_PASSWORD = f"cn=search,{BASE}", "the searching account's"
_SUCCESS, _INVALID_CREDENTIALS, _BUSY = 0, 49, 51


@dataclass
class LdapServer:
    """People with their passwords, groups with their members; both may change while it runs.

    Attributes:
        port: on localhost, over TLS.
        people: name → password.
        groups: name → names of people.
        is_down: it answers that it is busy.
        binds: names whose passwords were asked for.
    """

    port: int
    people: dict[str, str]
    groups: dict[str, set[str]]
    is_down: bool = False
    binds: list[str] = field(default_factory=list)

    def bind(self, name: str, password: str) -> int:
        """Give the result of a sign-in."""
        if self.is_down:
            return _BUSY
        if name == SEARCH_DN:
            return _SUCCESS if password == SEARCH_PASSWORD else _INVALID_CREDENTIALS
        user = name.partition(",")[0].removeprefix("uid=")
        self.binds.append(user)
        return _SUCCESS if self.people.get(user) == password else _INVALID_CREDENTIALS

    def search(self, attribute: str, value: str) -> list[tuple[str, str]]:
        """Give the entries that fit ``(attribute=value)``, each with its name."""
        if attribute == "uid":
            return [(_dn(value), value)] if value in self.people else []
        return [
            (f"cn={group},{BASE}", group)
            for group, members in self.groups.items()
            if value in {_dn(member) for member in members}
        ]


@contextmanager
def running(
    certificates: Path, people: dict[str, str], groups: dict[str, set[str]]
) -> Iterator[LdapServer]:
    """Run it; ``server.pem`` and ``server.key`` are in the directory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = LdapServer(listener.getsockname()[1], people, groups)
        peers: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    peers.append(listener.accept()[0])
                    threading.Thread(target=one, args=(peers[-1],), daemon=True).start()

        def one(peer: socket.socket) -> None:
            with suppress(OSError, EOFError), context.wrap_socket(peer, server_side=True) as tls:
                _converse(server, tls)

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        for peer in peers:
            peer.close()


def _dn(user: str) -> str:
    return f"uid={user},{BASE}"


def _converse(server: LdapServer, stream: socket.socket) -> None:
    while True:
        message, _ = decoder.decode(_read_message(stream), asn1Spec=rfc4511.LDAPMessage())
        kind = message["protocolOp"].getName()
        asked = message["protocolOp"].getComponent()
        if kind == "bindRequest":
            password = bytes(asked["authentication"].getComponent()).decode()
            result = server.bind(bytes(asked["name"]).decode(), password)
            _answer(stream, message, "bindResponse", rfc4511.BindResponse(), result)
        elif kind == "searchRequest":
            equal = asked["filter"].getComponent()
            attribute, value = (bytes(equal[i]).decode() for i in (0, 1))
            for name, plain in server.search(attribute, value):
                _send_entry(stream, message, name, plain)
            _answer(stream, message, "searchResDone", rfc4511.SearchResultDone(), _SUCCESS)
        else:
            return


def _read_message(stream: socket.socket) -> bytes:
    """Read a whole element (X.690, 8.1) and nothing more."""
    head = _read(stream, 2)
    more = head[1] & 0x7F if head[1] & 0x80 else 0
    length = _read(stream, more)
    size = int.from_bytes(length) if more else head[1]
    return head + length + _read(stream, size)


def _read(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = stream.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _answer(stream: socket.socket, to: Any, kind: str, answer: Any, result: int) -> None:
    answer["resultCode"] = result
    answer["matchedDN"] = ""
    answer["diagnosticMessage"] = ""
    _send(stream, to, kind, answer)


def _send_entry(stream: socket.socket, to: Any, name: str, plain: str) -> None:
    entry, attribute = rfc4511.SearchResultEntry(), rfc4511.PartialAttribute()
    attribute["type"] = "uid"
    attribute["vals"][0] = plain
    entry["object"] = name
    entry["attributes"][0] = attribute
    _send(stream, to, "searchResEntry", entry)


def _send(stream: socket.socket, to: Any, kind: str, content: Any) -> None:
    message = rfc4511.LDAPMessage()
    message["messageID"] = to["messageID"]
    message["protocolOp"][kind] = content
    stream.sendall(encoder.encode(message))
