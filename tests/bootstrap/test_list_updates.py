"""What an update works with on a machine: its register, its journal and the school's domains."""

from datetime import timedelta
from pathlib import Path

from schoolgate import bootstrap
from schoolgate.bootstrap.list_updates import journal_pieces, own_domains, surroundings_of
from schoolgate.settings import Settings, load_settings
from tests.publisher import listed, register
from tests.school import School, write_school


def _school(root: Path, **sections: object) -> tuple[School, Settings]:
    school = write_school(root / "school")
    school.write_config(**sections)
    return school, load_settings(school.config, {})


def test_what_surrounds_an_update_is_that_of_the_settings(tmp_path: Path) -> None:
    lists = {"dirs": ["categories"], "proxy": "http://cache.example:3128"}
    school, settings = _school(tmp_path, lists=lists)
    feeds = register("http://lists.example/", one={"lists": {"bets": listed("bets.txt")}})
    (school.categories / "feeds.yaml").write_text(feeds)
    (school.local / "block.txt").write_text("mine.example\n")
    around = surroundings_of(settings)
    assert [one.id for one in around.lists] == ["one:bets"]
    assert around.way.proxy == "http://cache.example:3128"
    assert around.state == settings.lists_dir
    assert around.engine().policy.id == "hill"
    assert {entry.host for entry in around.local()} == {"mine.example"}


def test_the_schools_domains_are_those_that_are_named_its_portals_and_its_mails(
    tmp_path: Path,
) -> None:
    _, settings = _school(
        tmp_path,
        lists={"dirs": ["categories"], "own_domains": ["hill.org.uk"]},
        mail={"sender": "filter@mail.example"},
    )
    assert set(own_domains(settings)) == {"hill.org.uk", "mail.example", settings.portal.host}


def test_the_journal_of_a_week_is_given_in_whole_lines(tmp_path: Path) -> None:
    _, settings = _school(tmp_path)
    assert list(journal_pieces(settings)) == []
    settings.journal_dir.mkdir(parents=True)
    for days in (0, 3, 7, 8):
        day = (bootstrap.now() - timedelta(days=days)).date()
        line = b'{"days": %d}\n' % days
        (settings.journal_dir / f"{day}.jsonl").write_bytes(line * 400_000)
    pieces = list(journal_pieces(settings))
    assert all(piece.endswith(b"}\n") for piece in pieces)
    assert len(pieces) > 3
    lines = b"".join(pieces).splitlines()
    assert [lines.count(b'{"days": %d}' % days) for days in (0, 3, 7, 8)] == [400_000] * 3 + [0]
