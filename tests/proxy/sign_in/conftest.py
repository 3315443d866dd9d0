"""One gateway and its directory for all tests of signing in; each leaves them as it found them."""

from collections.abc import Iterator

import pytest
import yaml

from tests import ldap_server
from tests.gateway import running, to_origin, write_config
from tests.origin import Origin
from tests.proxy.sign_in.school import ANN, BALANCER, BOB, EVE, OTHER_BALANCER, POLICY, School
from tests.system import slapd


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory, site: Origin) -> Iterator[School]:
    directory = tmp_path_factory.mktemp("sign-in")
    slapd.certificates(directory, "localhost")
    secret = directory / "secret"
    secret.write_text(ldap_server.SEARCH_PASSWORD)
    secret.chmod(0o600)
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    groups = {"Teachers": {"ann"}, "Pupils": {"bob"}}
    with ldap_server.running(directory, dict([ANN, BOB, EVE]), groups) as server:
        people = {
            "neighbours": False,
            "networks": {"lab": {"ranges": ["127.0.0.0/8"], "group": "staff"}},
            "load_balancers": {"ranges": [f"{BALANCER}/32", f"{OTHER_BALANCER}/32"]},
            "sign_in": {
                "basic": True,
                "ldap": {
                    "servers": [f"ldaps://localhost:{server.port}"],
                    "ca_file": "ca.pem",
                    "bind_dn": ldap_server.SEARCH_DN,
                    "bind_password_file": "secret",
                    "base_dn": ldap_server.BASE,
                    "groups": {"Teachers": {"group": "staff"}, "Pupils": {"group": "pupils"}},
                    **slapd.PATIENCE,
                },
            },
        }
        (directory / "people.yaml").write_text(yaml.safe_dump(people))
        config = write_config(
            directory,
            policy="hill",
            policies_dir=str(directory / "policies"),
            people=str(directory / "people.yaml"),
            proxy=to_origin(site),
        )
        with running(config) as gateway:
            yield School(gateway, server, people, site)
