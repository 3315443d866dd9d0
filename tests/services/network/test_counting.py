"""What the packet filter refused is given once, whatever begins anew."""

import json
from pathlib import Path

import pytest

from schoolgate.services.network import counted_since, write_counters
from schoolgate.services.network.counting import KINDS
from schoolgate.services.network.packet_filter import COUNTERS


def put(file: Path, **packets: int) -> None:
    file.write_text(json.dumps(packets))


def test_each_counter_of_the_rules_has_a_kind() -> None:
    assert set(KINDS) == set(COUNTERS)


@pytest.mark.parametrize(
    ("figures", "want"),
    [
        pytest.param([{"quic": 3}], [{"quic": 3}], id="the first"),
        pytest.param([{"quic": 3}, {"quic": 3}], [{"quic": 3}, {}], id="nothing since"),
        pytest.param(
            [{"quic": 3, "tunnels": 1}, {"quic": 8, "tunnels": 1}],
            [{"quic": 3, "vpn": 1}, {"quic": 5}],
            id="more",
        ),
        pytest.param([{"quic": 9}, {"quic": 2}], [{"quic": 9}, {"quic": 2}], id="loaded anew"),
        pytest.param([{"quic": 9}, {}, {"quic": 1}], [{"quic": 9}, {}, {"quic": 1}], id="no rules"),
        pytest.param([{"quic": 1, "other": 7}], [{"quic": 1}], id="a counter of somebody else's"),
        pytest.param(
            [{"dns": 1, "dns_over_tls": 2, "others": 3}],
            [{"dns-elsewhere": 1, "dns-over-tls": 2, "other-ports": 3}],
            id="all kinds",
        ),
    ],
)
def test_each_packet_is_given_once(
    tmp_path: Path, figures: list[dict[str, int]], want: list[dict[str, int]]
) -> None:
    file, kept = tmp_path / "counters.json", tmp_path / "kept.json"
    assert counted_since(file, kept) == {}, "nobody has written anything"
    found = []
    for each in figures:
        put(file, **each)
        found.append(counted_since(file, kept))
    assert found == want


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"quic": "3"}', '{"quic": true}', '{"quic": 1.5}']
)
def test_what_is_no_count_gives_nothing_and_loses_nothing(tmp_path: Path, text: str) -> None:
    file, kept = tmp_path / "counters.json", tmp_path / "kept.json"
    put(file, quic=3)
    assert counted_since(file, kept) == {"quic": 3}
    file.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own too
        counted_since(file, kept)
    put(file, quic=5)
    assert counted_since(file, kept) == {"quic": 2}


def test_what_cannot_be_noted_is_given_later(tmp_path: Path) -> None:
    file, kept = tmp_path / "counters.json", tmp_path / "kept.json"
    put(file, quic=3)
    kept.mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - whichever
        counted_since(file, kept)
    kept.rmdir()
    assert counted_since(file, kept) == {"quic": 3}
    assert {path.name for path in tmp_path.iterdir()} == {"counters.json", "kept.json"}


def test_the_figures_are_for_everybody_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolgate.services.network.counting.counters", lambda: {"quic": 4})
    file = tmp_path / "counters.json"
    assert write_counters(file) == {"quic": 4}
    assert json.loads(file.read_text()) == {"quic": 4}
    assert file.stat().st_mode & 0o777 == 0o644
