"""A gateway where people sign in to the proxy, and those who do."""

import base64
import socket
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from tests.gateway import CUT, Gateway, eventually, put
from tests.ldap_server import LdapServer
from tests.origin import Origin
from tests.proxy.test_gate import read_head

ANN, BOB, EVE = ("ann", "Ännchen: 1"), ("bob", "bob's"), ("eve", "eve's")
BALANCER, OTHER_BALANCER, UNLISTED = "127.0.8.1", "127.0.8.2", "127.0.8.9"
# The last bits of an address say whose it is.
AT_EACH_WORKER = (UNLISTED, "127.0.8.10")
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: strangers
groups: {strangers: Strangers, staff: Staff, pupils: Pupils}
networks: {lab: Lab}
clauses:
  H-1: {title: Social networks are for staff}
  H-2: {title: Pupils see no auctions}
  H-3: {title: Use is watched}
suspension_clause: H-3
local_clause: H-3
grant_clause: H-3
rules:
  - {id: social, clause: H-1, when: {categories: [social-networks], groups: [strangers, pupils]}, then: block}
  - {id: auctions, clause: H-2, when: {categories: [auctions], groups: [pupils]}, then: block}
default: {id: otherwise, clause: H-3, then: monitor}
inspection:
  mode: needed
  needs: [{id: all, clause: H-3, except: {categories: [education]}}]
"""


@dataclass
class School:
    """A gateway, its directory and the file of people, which a test may change."""

    gateway: Gateway
    directory: LdapServer
    people: dict[str, Any]
    site: Origin

    def url(self, scheme: str, host: str = "www.facebook.com", path: str = "/") -> str:
        port = self.site.http_port if scheme == "http" else self.site.https_port
        return f"{scheme}://{host}:{port}{path}"

    def write(self, **changed: Any) -> None:
        """Write people.yaml with some of its keys changed."""
        file = self.gateway.config.parent / "people.yaml"
        put(file, yaml.safe_dump({**self.people, **changed}))

    def is_everywhere(self, want: int) -> bool:
        """Wait until whoever does not sign in gets this status from each worker."""
        url = self.url("http", "www.bbc.co.uk")
        for address in AT_EACH_WORKER:
            with self.gateway.client(address=address) as client:
                if not eventually(lambda client=client: status(client, url) == want):  # type: ignore[misc]
                    return False
        return True

    def tells(self, url: str, *want: tuple[str | None, str, str]) -> bool:
        """Wait until the journal has these lines about an address."""
        return eventually(lambda: self.lines(url) == list(want))

    def lines(self, url: str) -> list[tuple[str | None, str, str]]:
        """Give user, group and client of the journal's lines about an address."""
        found = [line for line in self.gateway.journal() if line.get("url") == url]
        return [(line["user"], line["group"], line["client"]) for line in found]

    def said(self, text: str) -> bool:
        return any(text in line for line in self.gateway.lines)


def credentials(who: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(who).encode()).decode()


def status(client: httpx.Client, url: str) -> int:
    """Give the status of an answer, the proxy's to a CONNECT too; 0 where it was cut."""
    try:
        return client.get(url).status_code
    except httpx.ProxyError as error:
        return int(str(error).split()[0])
    except CUT:
        return 0


def connect(
    connection: socket.socket,
    host: str,
    port: int,
    who: tuple[str, str] | None = None,
    *fields: str,
) -> int:
    """Send a CONNECT with credentials; give the status, and take the page that may come with it."""
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}", *fields]
    if who is not None:
        lines.append(f"Proxy-Authorization: {credentials(who)}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = read_head(connection)
    size = sum(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    while size:
        size -= len(connection.recv(size))
    return int(head.split()[1])
