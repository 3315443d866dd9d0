"""The configuration of dnsmasq."""

from schoolgate.services.network import dnsmasq
from tests.services.network.schools import BOTH, GOLDEN, hill, ways

HERE = {"inside": ["eth1"], "addresses": ["10.20.0.1"]}


def test_the_file_is_the_one_that_was_read() -> None:
    assert dnsmasq(hill()) == (GOLDEN / "dnsmasq.conf").read_text()


def test_without_name_servers_no_names_are_answered() -> None:
    lines = dnsmasq(ways(HERE, **BOTH)).splitlines()
    assert "port=0" in lines
    assert not any(line.startswith(("server=", "address=")) for line in lines)


def test_where_browsers_know_no_proxy_none_is_told_of() -> None:
    names = dnsmasq(
        ways({**HERE, "name_servers": ["192.0.2.53"], "leases": ["10.20.0.5-10.20.0.9"]})
    )
    assert "wpad" not in names
    assert "252" not in names
