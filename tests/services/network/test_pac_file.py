"""The PAC file, as text; `tests/system/test_rehearsal.py` has a browser follow it."""

from schoolgate.services.network import pac
from tests.services.network.schools import BOTH, GOLDEN, hill, ways


def test_the_file_is_the_one_that_was_read() -> None:
    assert pac(hill()) == (GOLDEN / "proxy.pac").read_text()


def test_without_the_filter_there_is_nothing() -> None:
    assert "DIRECT" not in pac(ways({"inside": ["eth1"], "addresses": ["10.20.0.1"]}, **BOTH))


def test_a_proxy_of_this_machine_alone_is_told_to_nobody() -> None:
    assert pac(ways({"inside": ["eth1"], "addresses": ["10.20.0.1"]})) == ""
