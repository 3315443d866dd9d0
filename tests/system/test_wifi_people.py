"""Somebody signs in to the WiFi: from then on the gateway knows who asks, until they sign out."""

import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import origin
from tests.gateway import (
    WORKERS,
    Gateway,
    clause,
    eventually,
    free_port,
    running,
    to_origin,
    write_config,
)
from tests.system.conftest import program

pytestmark = pytest.mark.long

SECRET = "the secret of the wireless controller"
TABLET = "127.0.5.1"


def account(port: int, kind: str) -> bool:
    """Report a session as a wireless controller does; say whether it was answered."""
    said = {
        "Acct-Status-Type": kind,
        "Acct-Session-Id": '"5F3A"',
        "User-Name": '"ann"',
        "Class": '"teacher"',
        "Framed-IP-Address": TABLET,
    }
    done = subprocess.run(
        [program("radclient"), "-r", "1", "-t", "1", f"127.0.0.1:{port}", "acct", SECRET],
        input=", ".join(f"{name} = {value}" for name, value in said.items()) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


def test_whoever_signs_in_to_the_wifi_is_known_until_they_sign_out(tmp_path: Path) -> None:
    port = free_port()
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    people = {
        "neighbours": False,
        "sign_in": {
            "radius": {
                "listen": f"127.0.0.1:{port}",
                "clients": {"127.0.0.1/32": str(secret)},
                "user_names_verified": True,
                "classes": {"teacher": {"group": "staff"}},
            }
        },
    }
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(people))
    with origin.running(tmp_path) as site:
        config = write_config(tmp_path, people=str(tmp_path / "people.yaml"), proxy=to_origin(site))
        url = f"https://www.facebook.com:{site.https_port}/"
        with running(config) as gateway, gateway.client(address=TABLET) as client:
            assert clause(client, url) == "D-3-groups"
            # Else staff who are known by name are asked to sign the declaration first.
            assert gateway.run("declarations", "sign", "ann").returncode == 0
            assert eventually(lambda: account(port, "Start"))
            assert eventually(lambda: clause(client, url) == "")
            assert eventually(lambda: ("ann", "staff") in told(gateway))
            # A relief takes the port over, and the sessions with it.
            before = set(gateway.processes())
            gateway.process.send_signal(signal.SIGHUP)
            assert eventually(lambda: len(set(gateway.processes()) - before) == WORKERS)
            assert eventually(lambda: account(port, "Interim-Update"))
            with gateway.client(address=TABLET) as later:
                assert clause(later, url) == ""
            assert eventually(lambda: account(port, "Stop"))
            assert eventually(lambda: clause(client, url) == "D-3-groups")


def told(gateway: Gateway) -> set[tuple[str | None, str]]:
    """Give who the journal names, with the group."""
    return {(line["user"], line["group"]) for line in gateway.journal()}
