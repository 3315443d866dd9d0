"""The journal is asked what an update would close."""

import json

import pytest

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.index import SiteIndex
from schoolgate.core.policy import PolicyEngine
from schoolgate.services.feed_replay import Replayed, hosts_seen, replay_update
from tests.school import School, write_school


def _line(host: str, user: str = "ann", **keys: object) -> bytes:
    said = {
        "ts": "2026-11-20T10:15:00.000+00:00", "client": "192.0.2.7", "user": user, "group": "pupils",
        "host": host, "url": f"https://{host}/", "verdict": "monitor", **keys,
    }  # fmt: skip
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> PolicyEngine:
    from schoolgate import bootstrap
    from schoolgate.settings import load_settings

    school: School = write_school(tmp_path_factory.mktemp("school") / "hill")
    return bootstrap.load_engine(load_settings(school.config, {}))


def _replayed(engine: PolicyEngine, journal: list[bytes], *entries: bytes) -> Replayed:
    def with_sites(sites: SiteIndex) -> PolicyEngine:
        return PolicyEngine(engine.policy, Catalogue(engine.catalogue.categories, sites, "v"))

    return replay_update([b"".join(journal)], engine, with_sites, {"a:x": ("gambling", entries)})


def test_hosts_that_were_visited_are_known_with_what_they_are_below() -> None:
    assert hosts_seen([_line("www.a.example") + b"no line\n", _line("b.example")]) == {
        b"www.a.example",
        b"a.example",
        b"b.example",
    }


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        (_line("a.example"), True),
        (_line("www.a.example"), True),
        (_line("b.example"), False),
        (_line("a.example", verdict="block"), False),
        (_line("a.example", group="staff"), False),
        (_line("a.example", grant=3), False),
        (_line("c.example"), False),
        (_line("c.example", url="https://c.example/bets/now"), True),
        (b'{"host":"a.example","verdict":\n', False),
        (_line("bet.example", group="pupils"), False),
    ],
)
def test_a_visit_that_was_let_through_and_would_be_blocked(
    engine: PolicyEngine, line: bytes, closes: bool
) -> None:
    entries = (b"a.example", b"c.example/bets", b"bet.example")
    assert bool(_replayed(engine, [line], *entries).closed) is closes


def test_it_is_said_in_a_sentence(engine: PolicyEngine) -> None:
    journal = [_line("a.example", name) for name in ("ann", "bob", "ann")] + [_line("b.example")]
    found = _replayed(engine, journal, b"a.example", b"=b.example")
    assert str(found) == (
        "this update would newly block 2 sites that 2 people used in the last seven days"
    )
    assert [(one.host, len(one.people), set(one.entries)) for one in found.closed] == [
        ("a.example", 2, {("a:x", "a.example")}),
        ("b.example", 1, {("a:x", "=b.example")}),
    ]
    assert "nothing that was visited" in str(_replayed(engine, journal, b"other.example"))
