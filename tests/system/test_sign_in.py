"""People sign in to the proxy with a real directory (slapd) and a real Kerberos realm (MIT's KDC)."""

import base64
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.gateway import Gateway, eventually, running, to_origin, write_config
from tests.origin import Origin
from tests.proxy.sign_in.school import POLICY
from tests.proxy.test_gate import dial, read_head
from tests.system import kdc, slapd
from tests.system.conftest import program
from tests.system.kdc import REALM, SERVICE, Realm
from tests.system.slapd import BASE, SEARCH_DN, SEARCH_PASSWORD, Slapd

pytestmark = pytest.mark.long

PASSWORDS = {name: password for name, _, password in slapd.PEOPLE}
PROXY = SERVICE.partition("/")[2]

if importlib.util.find_spec("gssapi") is None:
    _WHY = "the package gssapi is not installed (requirements-kerberos.lock)"
    # In CI a skip is a failure (tests/conftest.py).
    pytest.skip(_WHY, allow_module_level=True)


@dataclass
class School:
    """A gateway, the directory and the realm."""

    gateway: Gateway
    directory: Slapd
    realm: Realm
    site: Origin

    def url(self, scheme: str, path: str = "/", host: str = "www.facebook.com") -> str:
        port = self.site.http_port if scheme == "http" else self.site.https_port
        return f"{scheme}://{host}:{port}{path}"

    def curl(self, *arguments: str, user: str = "", over_tls: bool = False) -> list[str]:
        """Run curl to its end, with somebody's tickets."""
        return [
            program("curl"), "-sS", "--max-time", "60", "--cacert", str(self.gateway.ca_file),
            "--proxy-cacert", str(self.gateway.ca_file),
            "--resolve", f"{PROXY}:{self.port}:127.0.0.1",
            "-x", f"{'https' if over_tls else 'http'}://{PROXY}:{self.port}",
            *(("--proxy-negotiate", "--proxy-user", ":") if user else ()),
            "-w", "\n%{http_code} %{http_connect}", *arguments,
        ]  # fmt: skip

    def asked(self, *arguments: str, user: str = "", over_tls: bool = False) -> tuple[str, str]:
        """Give what a site or the gateway says to curl, and the status, of the proxy where it refused."""
        done = subprocess.run(
            self.curl(*arguments, user=user, over_tls=over_tls),
            env={**self.realm.environment, "KRB5CCNAME": self.realm.signed_in(user) if user else ""},
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        body, _, codes = done.stdout.rpartition("\n")
        code, connect = codes.split()
        return body, connect if code == "000" else code

    @property
    def port(self) -> int:
        return int(self.gateway.proxy.rpartition(":")[2])

    def told(self, url: str) -> set[tuple[str | None, str]]:
        """Give user and group of the journal's lines about an address."""
        return {(li["user"], li["group"]) for li in self.gateway.journal() if li.get("url") == url}


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    directory = tmp_path_factory.mktemp("realm")
    with kdc.running(directory, "ann", "bob", "eve", "HTTP/other.school.example") as running:
        yield running


@pytest.fixture(scope="module")
def school(
    tmp_path_factory: pytest.TempPathFactory, realm: Realm, site: Origin
) -> Iterator[School]:
    directory = tmp_path_factory.mktemp("school")
    secret = directory / "secret"
    secret.write_text(SEARCH_PASSWORD)
    secret.chmod(0o600)
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    (directory / "slapd").mkdir()
    with slapd.running(directory / "slapd") as server, pytest.MonkeyPatch.context() as patched:
        people = directory / "people.yaml"
        people.write_text(yaml.safe_dump(written(server, realm)))
        config = write_config(
            directory,
            policy="hill",
            policies_dir=str(directory / "policies"),
            people=str(people),
            proxy=to_origin(site),
        )
        patched.setenv("KRB5_CONFIG", realm.environment["KRB5_CONFIG"])
        with running(config) as gateway:
            yield School(gateway, server, realm, site)


def written(server: Slapd, realm: Realm) -> dict[str, object]:
    """Give a school's people.yaml."""
    return {
        "neighbours": False,
        "sign_in": {
            "basic": True,
            "ldap": {
                "servers": [f"ldaps://localhost:{server.tls_port}"],
                "ca_file": str(server.ca_file),
                "bind_dn": SEARCH_DN,
                "bind_password_file": "secret",
                "base_dn": BASE,
                "group_base_dn": f"ou=groups,{BASE}",
                "groups": {"Teachers": {"group": "staff"}, "Pupils": {"group": "pupils"}},
                **slapd.PATIENCE,
            },
            "kerberos": {"keytab": str(realm.keytab(SERVICE)), "service": SERVICE, "realm": REALM},
        },
    }


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain proxy", "HTTPS proxy"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("by", ["password", "ticket"])
def test_two_people_behind_one_address_get_different_answers_to_one_address(
    school: School, by: str, scheme: str, over_tls: bool
) -> None:
    url = school.url(scheme, f"/{by}-{over_tls}")
    for who, want in (("ann", "origin says hello"), ("bob", "Social networks are for staff")):
        signed = ("--proxy-user", f"{who}:{PASSWORDS[who]}") if by == "password" else ()
        ticket = who if by == "ticket" else ""
        body, _ = school.asked(
            "-H", "Accept: text/html", *signed, url, user=ticket, over_tls=over_tls
        )
        assert want in body
    assert eventually(lambda: school.told(url) == {("ann", "staff"), ("bob", "pupils")})


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whoever_cannot_sign_in_is_asked(school: School, scheme: str) -> None:
    assert school.asked(school.url(scheme))[1] == "407"
    assert school.asked("--proxy-user", "ann:guess", school.url(scheme))[1] == "407"
    assert school.asked("--proxy-user", "twin:twin's password", school.url(scheme))[1] == "407"


def connect(school: School, token: bytes) -> tuple[int, bytes]:
    """Ask for a tunnel with a ticket; give the status and the acceptor's answer."""
    host = f"www.facebook.com:{school.site.https_port}"
    spoken = base64.b64encode(token).decode()
    with dial(school.gateway) as connection:
        asked = (
            f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Negotiate {spoken}"
        )
        connection.sendall(f"{asked}\r\n\r\n".encode())
        head = read_head(connection)
    lines = [li for li in head.split(b"\r\n") if li.startswith(b"Proxy-Authenticate: Negotiate ")]
    return int(head.split()[1]), base64.b64decode(lines[0].split()[2]) if lines else b""


def test_a_ticket_counts_once_and_for_this_proxy_alone(school: School) -> None:
    token = school.realm.token("ann")
    status, answer = connect(school, token)
    assert status == 200
    assert answer  # by which the client knows that the proxy is whom it asked for
    assert connect(school, token)[0] == 407
    assert connect(school, school.realm.token("ann", "HTTP/other.school.example"))[0] == 407
    assert connect(school, school.realm.token("HTTP/other.school.example"))[0] == 407


def test_whoever_is_suspended_is_stopped_in_a_download(school: School, tmp_path: Path) -> None:
    files = {who: tmp_path / who for who in ("ann", "bob")}
    url = school.url("https", "/endless", "origin.test")
    downloads = {
        who: subprocess.Popen(
            # The last of two limits counts: longer than whatever is waited for.
            school.curl("--max-time", "300", "-o", str(file), url, user=who),
            env={
                **os.environ,
                **school.realm.environment,
                "KRB5CCNAME": school.realm.signed_in(who),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for who, file in files.items()
    }
    try:
        for file in files.values():
            assert eventually(lambda file=file: file.exists() and file.stat().st_size > 0)  # type: ignore[misc]
        done = school.gateway.run("suspend", "user:bob", "--until", "1h", "--reason", "VPN")
        assert done.returncode == 0, done.stderr
        assert eventually(lambda: downloads["bob"].poll() is not None)
        assert downloads["bob"].returncode != 0
        size = files["ann"].stat().st_size
        assert eventually(lambda: files["ann"].stat().st_size > size)
        assert school.asked(school.url("http", host="www.bbc.co.uk"), user="bob")[1] == "403"
    finally:
        for download in downloads.values():
            download.kill()
            download.wait()
        school.gateway.run("unsuspend", "user:bob")


def test_without_a_directory_a_ticket_names_a_person_without_a_group(school: School) -> None:
    """The last test of the module: the directory ends."""
    school.directory.stop()
    url = school.url("http", "/without")
    assert school.asked("--proxy-user", "eve:eve's password", url)[1] == "503"
    assert school.asked(url, user="eve")[1] == "403"
    assert eventually(lambda: school.told(url) == {("eve", "strangers")})
