"""What is found on a living gateway; `tests/system/test_rehearsal.py` looks at a real one."""

import socket
from collections.abc import Iterator

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services.network import Ways, edition, living
from schoolgate.settings import Settings
from tests.services.network.schools import settings

MODULE = "schoolgate.services.network.findings"


@pytest.fixture
def here() -> Iterator[Settings]:
    """A gateway on loopback, at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield settings(
            {"inside": ["eth1"], "addresses": ["127.0.0.1"], "administration": ["10.0.0.0/8"]},
            transparent_listen=f"0.0.0.0:{listener.getsockname()[1]}",
        )


def found(where: Settings) -> dict[str, tuple[bool, str]]:
    return {finding.what: (finding.ok, finding.said) for finding in living(where)}


def on(monkeypatch: pytest.MonkeyPatch, rules: str, ipv4: bool) -> None:
    """Have the kernel in a state."""
    state = {"net/ipv4/ip_forward": ipv4, "net/ipv6/conf/all/forwarding": False}
    monkeypatch.setattr(f"{MODULE}.loaded_edition", lambda: rules)
    monkeypatch.setattr(f"{MODULE}.forwarded", lambda: state)
    monkeypatch.setattr(f"{MODULE}.refuses_quic", lambda: bool(rules))
    monkeypatch.setattr(f"{MODULE}.counters", lambda: {"quic": 7})


def test_a_machine_that_is_no_gateway_has_nothing_to_find() -> None:
    assert found(settings()) == {}


def test_a_gateway_as_it_should_be(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, edition(Ways.of(here)), ipv4=False)
    assert {what: ok for what, (ok, _) in found(here).items()} == {
        "network": True,
        "rules": True,
        "QUIC": True,
        "forwarding": True,
        "redirected connections": True,
    }


@pytest.mark.parametrize(
    ("rules", "ipv4", "what", "words"),
    [
        pytest.param("", False, "rules", "no rules are loaded", id="no rules"),
        pytest.param("", False, "QUIC", "no rule that is loaded refuses it", id="QUIC"),
        pytest.param("abc", False, "rules", "not those of the settings", id="other rules"),
        pytest.param("abc", True, "forwarding", "is on and need not be", id="forwarding"),
    ],
)
def test_each_fault_says_what_to_do(
    here: Settings, monkeypatch: pytest.MonkeyPatch, rules: str, ipv4: bool, what: str, words: str
) -> None:
    on(monkeypatch, rules, ipv4)
    ok, said = found(here)[what]
    assert not ok
    assert words in said
    assert "schoolgate gateway apply" in said


def test_whoever_may_not_ask_is_told_so(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> str:
        raise UnavailableError("nft refuses: Operation not permitted.")

    on(monkeypatch, "", ipv4=False)
    monkeypatch.setattr(f"{MODULE}.loaded_edition", refused)
    assert found(here)["rules"][1].endswith("Only root can ask for them.")


def test_what_nothing_listens_for_and_nobody_answers_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, "", ipv4=False)
    nowhere = settings(
        {"inside": ["eth1"], "addresses": ["127.0.0.254"], "name_servers": ["127.0.0.253"]},
        listen="0.0.0.0:9",
    )
    got = found(nowhere)
    assert "is 'schoolgate proxy' running?" in got["proxy for browsers"][1]
    assert "is dnsmasq running?" in got["names at 127.0.0.254"][1]
    assert not got["canary names at 127.0.0.254"][0]
    assert "it does not answer" in got["name server 127.0.0.253"][1]
