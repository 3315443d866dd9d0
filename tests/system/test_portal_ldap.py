"""Somebody signs their own device in with the password of the school's directory, a real slapd."""

from pathlib import Path

import pytest
import yaml

from schoolgate.portal.configuration import STYLE_SHEET
from tests import origin
from tests.gateway import clause, eventually, running, to_origin, write_config
from tests.proxy.test_portal import HOME, fill, sign_out
from tests.system import slapd
from tests.system.conftest import program
from tests.system.slapd import BASE, SEARCH_DN, SEARCH_PASSWORD

pytestmark = pytest.mark.long

TABLET = "127.0.9.1"
[ANN] = [password for name, _, password in slapd.PEOPLE if name == "ann"]


def test_a_password_of_the_directory_signs_a_device_in(tmp_path: Path) -> None:
    program("slapd")
    if not STYLE_SHEET.exists():
        pytest.skip("the portal's style sheet was not made: there is no npm (make setup)")
    secret = tmp_path / "secret"
    secret.write_text(SEARCH_PASSWORD + "\n")
    secret.chmod(0o600)
    (tmp_path / "slapd").mkdir()
    with slapd.running(tmp_path / "slapd") as server, origin.running(tmp_path) as site:
        ldap = {
            "servers": [f"ldaps://localhost:{server.tls_port}"],
            "ca_file": str(server.ca_file),
            "bind_dn": SEARCH_DN,
            "bind_password_file": str(secret),
            "base_dn": BASE,
            "group_base_dn": f"ou=groups,{BASE}",
            "groups": {"Teachers": {"group": "staff"}},
            **slapd.PATIENCE,
        }
        people = {"neighbours": False, "sign_in": {"hours": 2, "ldap": ldap}}
        (tmp_path / "people.yaml").write_text(yaml.safe_dump(people))
        config = write_config(
            tmp_path,
            people=str(tmp_path / "people.yaml"),
            proxy=to_origin(site),
            portal={"enabled": True, "listen": "127.0.0.1:0"},
        )
        url = f"https://www.facebook.com:{site.https_port}/"
        with running(config) as gateway, gateway.client(address=TABLET) as tablet:
            assert eventually(lambda: gateway.get("health").text == "ok\n")
            # Else staff who are known by name are asked to sign the declaration first.
            assert gateway.run("declarations", "sign", "ann").returncode == 0
            wrong = fill(tablet, f"{HOME}/device/", name="ann", password="wrong", hours="0")
            assert "do not belong together" in wrong.text
            assert clause(tablet, url) == "D-3-groups"
            right = fill(tablet, f"{HOME}/device/", name="ann", password=ANN, hours="0")
            assert right.headers["location"] == "/device/"
            assert eventually(lambda: clause(tablet, url) == "")
            assert "used by <strong" in tablet.get(f"{HOME}/device/").text
            sign_out(tablet)
            assert eventually(lambda: clause(tablet, url) == "D-3-groups")
            server.stop()
            away = fill(tablet, f"{HOME}/device/", name="bob", password="secret", hours="0")
            assert "directory does not answer" in away.text
