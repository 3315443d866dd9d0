"""Another CA signs: curl and openssl before and after, while the gateway runs and connections stay open."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from schoolgate import authority
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.system.conftest import program
from tests.system.test_curl import curl

pytestmark = pytest.mark.long

BLOCKED = "https://www.bet365.com/"
# curl's exit code for a certificate that nobody vouches for.
UNTRUSTED = 60


@dataclass
class Trust:
    """Files of certificates that clients trust."""

    old: Path
    both: Path
    new: Path


@pytest.fixture
def own(tmp_path: Path, site: Origin) -> Iterator[Gateway]:
    config = gateway.write_config(tmp_path, proxy=gateway.to_origin(site))
    with gateway.running(config) as running:
        yield running


@pytest.fixture
def trust(own: Gateway, tmp_path: Path) -> Trust:
    """The certificates as they are exported before the switch."""
    assert own.run("ca", "renew").returncode == 0
    assert own.run("ca", "export", str(tmp_path / "old.crt")).returncode == 0
    made = Trust(tmp_path / "old.crt", tmp_path / "both.crt", tmp_path / "old-next.crt")
    made.both.write_bytes(made.old.read_bytes() + made.new.read_bytes())
    return made


def gets(own: Gateway, trusts: Path, url: str, *options: str) -> str:
    """Give the status of a page for a client that trusts some CAs alone, or how curl failed."""
    ended = curl(own, "--cacert", str(trusts), "-o", "-", "-w", "\n%{http_code}", *options, url)
    return (
        ended.stdout.rpartition("\n")[2] if ended.returncode == 0 else f"failed {ended.returncode}"
    )


def opens(own: Gateway, trusts: Path, url: str, status: str) -> bool:
    return gets(own, trusts, url) == status


def issuer(own: Gateway, host: str, trusts: Path) -> str:
    """Give what openssl says of the certificate of a host, through the proxy."""
    address = own.proxy.removeprefix("http://")
    ended = subprocess.run(
        [program("openssl"), "s_client", "-proxy", address, "-connect", f"{host}:443",
         "-servername", host, "-CAfile", str(trusts), "-verify_return_error", "-brief"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return "OK" if "Verification: OK" in ended.stdout + ended.stderr else "not trusted"


def test_clients_with_both_work_before_and_after_and_connections_stay(
    own: Gateway, trust: Trust, site: Origin
) -> None:
    """Both ways of a certificate: the gate's own page, and what mitmproxy decrypts."""
    read = f"https://origin.test:{site.https_port}/"
    for url, status in ((BLOCKED, "403"), (read, "200")):
        assert gets(own, trust.old, url) == gets(own, trust.both, url) == status
        assert gets(own, trust.new, url) == f"failed {UNTRUSTED}"
    assert issuer(own, "www.bet365.com", trust.old) == "OK"
    with own.client() as client:
        assert client.get(read).status_code == 200
        workers = own.processes()
        switched = own.run("ca", "switch")
        assert switched.returncode == 0, switched.stderr
        for url, status in ((BLOCKED, "403"), (read, "200")):
            assert eventually(partial(opens, own, trust.new, url, status))
        # Every worker has it, whichever takes the connection.
        said = "Another CA signs now"
        assert eventually(lambda: sum(said in line for line in own.lines) == gateway.WORKERS)
        for url, status in ((BLOCKED, "403"), (read, "200")):
            assert gets(own, trust.both, url) == gets(own, trust.new, url) == status
            assert gets(own, trust.old, url) == f"failed {UNTRUSTED}"
        assert issuer(own, "www.bet365.com", trust.old) == "not trusted"
        assert issuer(own, "www.bet365.com", trust.new) == "OK"
        # On the connection of before, whose client trusts the old one alone.
        assert client.get(read).status_code == 200
    assert own.processes() == workers
    ends = authority.describe(own.state / "ca").not_after.timestamp()
    assert own.metric("^schoolgate_ca_expiry_seconds") == pytest.approx(ends)
    assert own.run("ca", "switch", "--back").returncode == 0
    assert eventually(lambda: gets(own, trust.old, BLOCKED) == "403")


def test_what_is_damaged_is_never_signed_with(own: Gateway, trust: Trust) -> None:
    ca = own.state / "ca"
    (ca / "next-ca.pem").write_bytes(b"-----BEGIN NONSENSE-----\n")
    ended = own.run("ca", "switch")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "is damaged" in ended.stderr
    assert gets(own, trust.old, BLOCKED) == "403"
    said = own.run("doctor").stdout
    assert "note" in next(line for line in said.splitlines() if "next CA" in line)
    # Somebody destroys the one that signs: who runs goes on, and nobody starts without one.
    good = (ca / "mitmproxy-ca.pem").read_bytes()
    (ca / "mitmproxy-ca.pem").write_bytes(good[:100])
    assert eventually(lambda: any("The CA that signed goes on" in line for line in own.lines))
    assert gets(own, trust.old, BLOCKED) == "403"
    assert own.run("run").returncode == 3
    (ca / "mitmproxy-ca.pem").unlink()
    assert gets(own, trust.old, "https://www.betfair.com/") == "403"
    assert not (ca / "mitmproxy-ca-cert.pem").exists(), "mitmproxy makes none of its own"
    (ca / "mitmproxy-ca.pem").write_bytes(good)
    (ca / "mitmproxy-ca.pem").chmod(0o600)


def test_a_back_up_carries_both_and_the_portal_gives_them_away(
    tmp_path: Path, site: Origin
) -> None:
    portal = {"enabled": True, "listen": f"127.0.0.1:{gateway.free_port()}"}
    config = gateway.write_config(tmp_path, proxy=gateway.to_origin(site), portal=portal)
    file = tmp_path.parent / f"{tmp_path.name}.tar.gz"
    with gateway.running(config) as own:
        assert own.run("ca", "renew").returncode == 0
        assert own.run("ca", "switch").returncode == 0
        assert own.run("ca", "renew").returncode == 0
        before = own.run("ca", "list").stdout
        assert [line.split()[0] for line in before.splitlines()[1:]] == ["signing", "next", "old"]
        assert own.run("backup", str(file)).returncode == 0
        pages = f"{own.address('portal')}/certificates/"
        assert eventually(lambda: _fetched(pages)[0] == "200")
        names = ["school-filter.crt", "school-filter-next.crt", "school-filter-old.crt"]
        assert all(f"Download {name}" in _fetched(pages)[1] for name in names)
        given = [_fetched(f"{pages}file/?name={name}")[1] for name in names]
        listed = authority.listed(own.state / "ca")
        assert given == [each.pem.decode().replace("\r", "") for each in listed]
        for pem in given:
            ssl.PEM_cert_to_DER_cert(pem)
    shutil.rmtree(tmp_path / "state" / "ca")
    restored = gateway.schoolgate("restore", str(file), "--config", str(config))
    assert restored.returncode == 0, restored.stderr
    assert gateway.schoolgate("ca", "list", "--config", str(config)).stdout == before


def _fetched(url: str) -> tuple[str, str]:
    ended = subprocess.run(
        [program("curl"), "-sS", "--noproxy", "*", "-w", "\n%{http_code}", url],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    body, _, status = ended.stdout.rpartition("\n")
    return status, body
