"""What servers of NATS are told: an account for each school, and what crosses to the centre's alone."""

import re
from pathlib import Path

import pytest

from schoolgate.core.nats_files import Files, centre_text, identity, leaf_text

ROOT = Path(__file__).parents[2]
GATEWAYS = (("hermitage", "gw1"), ("hermitage", "gw2"), ("hill", "gw1"))


def test_each_school_has_an_account_and_each_gateway_a_name() -> None:
    text = centre_text(GATEWAYS, "127.0.0.1:4222", "0.0.0.0:7422", Files())
    assert re.findall(r"^  (CENTRE|SCHOOL_\w+) \{", text, re.MULTILINE) == [
        "CENTRE", "SCHOOL_hermitage", "SCHOOL_hill"
    ]  # fmt: skip
    for school, gateway in GATEWAYS:
        user = f'{{ user: "{identity(school, gateway)}", account: SCHOOL_{school} }}'
        assert text.count(user) == 1


def test_nothing_is_exported_but_to_the_centre() -> None:
    text = centre_text(GATEWAYS, "127.0.0.1:4222", "0.0.0.0:7422", Files())
    exports = [line for line in text.splitlines() if re.search(r'(service|stream): "', line)]
    assert len(exports) == 3 * len(GATEWAYS)
    assert all("accounts: [CENTRE]" in line for line in exports)


@pytest.mark.parametrize("name", ["centre", "leaf"])
def test_the_examples_are_what_the_command_makes(name: str) -> None:
    made = {
        "centre": centre_text(GATEWAYS, "127.0.0.1:4222", "0.0.0.0:7422", Files()),
        "leaf": leaf_text("hermitage", "gw1", "nats.trust.example:7422", "127.0.0.1:4222", Files()),
    }
    file = ROOT / "deploy/trust/nats" / f"{name}.conf"
    assert file.read_text() == made[name]
