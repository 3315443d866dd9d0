"""Rules before forwarding, with a program in the place of nft; `tests/system` has the real one."""

from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services.network import apply, close, forwarded, is_loaded
from schoolgate.services.network.loading import counters, refuses_quic
from tests.services.network.schools import hill

NFT = """#!/bin/sh
if [ "$2" = list ] && [ "$3" = counters ]; then
  echo '{{"nftables":[{{"metainfo":{{}}}},{{"counter":{{"family":"inet","name":"quic","packets":7}}}}]}}'
  exit 0
fi
if [ "$1" = list ]; then
  cat "{there}/listed"
  exit 0
fi
if [ "$1" = --json ]; then
  [ -e "{there}/table" ] && t=',{{"table":{{"family":"inet","name":"schoolgate"}}}}'
  echo '{{"nftables":[{{"metainfo":{{}}}},{{"table":{{"family":"ip","name":"schoolgate"}}}}'"$t"']}}'
  exit 0
fi
cat > "{there}/given"
cat "{there}/proc/net/ipv4/ip_forward" > "{there}/forwarded-then"
[ -e "{there}/refuse" ] && {{ echo 'Error: syntax error' >&2; exit 1; }}
touch "{there}/table"
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine that forwards everything."""
    (tmp_path / "bin").mkdir()
    nft = tmp_path / "bin" / "nft"
    nft.write_text(NFT.format(there=tmp_path))
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
        place = tmp_path / "proc" / name
        place.parent.mkdir(parents=True)
        place.write_text("0\n")
    return tmp_path


def put(machine: Path, on: str) -> None:
    (machine / "proc/net/ipv4/ip_forward").write_text(f"{on}\n")
    (machine / "proc/net/ipv6/conf/all/forwarding").write_text(f"{on}\n")


def test_the_rules_are_loaded_before_anything_is_forwarded(machine: Path) -> None:
    assert not is_loaded()
    apply(hill(), machine / "proc")
    assert is_loaded()
    assert "table inet schoolgate {" in (machine / "given").read_text()
    assert (machine / "forwarded-then").read_text() == "0\n"
    assert set(forwarded(machine / "proc").values()) == {True}


@pytest.mark.parametrize(("loaded", "want"), [(True, True), (False, False)])
def test_refused_rules_leave_those_that_are_loaded_and_forward_nothing_without_any(
    machine: Path, loaded: bool, want: bool
) -> None:
    put(machine, "1")
    (machine / "refuse").touch()
    if loaded:
        (machine / "table").touch()
    with pytest.raises(UnavailableError, match="nft refuses: Error: syntax error"):
        apply(hill(), machine / "proc")
    assert set(forwarded(machine / "proc").values()) == {want}


def test_it_can_be_closed(machine: Path) -> None:
    put(machine, "1")
    close(machine / "proc")
    assert set(forwarded(machine / "proc").values()) == {False}


def test_a_kernel_without_ipv6_forwards_none(machine: Path) -> None:
    (machine / "proc/net/ipv6/conf/all/forwarding").unlink()
    close(machine / "proc")
    assert forwarded(machine / "proc") == {"net/ipv4/ip_forward": False}


def test_without_nft_it_says_what_to_install(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(UnavailableError, match="package nftables"):
        is_loaded()
    assert machine


@pytest.mark.parametrize(
    ("rule", "want"),
    [
        ('udp dport { 80, 443 } counter name "quic" reject', True),
        ('udp dport { 80, 443 } counter name "quic" reject with icmpx port-unreachable', True),
        ("udp dport { 80, 443 } counter name quic accept", False),
        ('udp dport 443 counter name "quic" reject', False),
        ("", False),
    ],
)
def test_whether_quic_is_refused_is_read_off_the_loaded_rules(
    machine: Path, rule: str, want: bool
) -> None:
    (machine / "listed").write_text(f"table inet schoolgate {{\n\t\t{rule}\n}}\n")
    assert not refuses_quic(), "nothing is loaded"
    assert counters() == {}
    (machine / "table").touch()
    assert refuses_quic() is want
    assert counters() == {"quic": 7}
