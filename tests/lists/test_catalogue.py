"""The catalogue in force: built once from all lists, opened by everybody after that."""

import errno
import fcntl
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from itertools import pairwise
from pathlib import Path

import pytest

from schoolgate.core.categories import Category
from schoolgate.core.errors import UnavailableError
from schoolgate.lists import (
    ListPlaces,
    Progress,
    load_catalogue,
    make_catalogue,
    open_index,
    version_of,
)
from schoolgate.lists import catalogue as catalogue_module
from tests.lists.kept import Lists, as_another_user, found
from tests.school import NOON

ROOT = Path(__file__).parents[2]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


# -- built once, opened after ---------------------------------------------------------------------


def test_the_index_is_built_once_and_opened_after_that(lists: Lists) -> None:
    first = lists.make()
    before = lists.identity()
    loaded = [load_catalogue(lists.places, NOON, keep=keep) for keep in (False, True)]
    for again in (lists.make(), *loaded):
        assert (again.version, again.categories) == (first.version, first.categories)
        assert found(again, "www.chess.example") == ("games",)
    assert len(lists.builds) == 1
    assert lists.identity() == before


def test_the_first_to_load_keeps_the_index_for_the_next(lists: Lists) -> None:
    first = load_catalogue(lists.places, NOON, keep=True)
    assert lists.make().version == first.version
    assert lists.builds == []


def test_the_index_says_all_that_the_category_files_do(lists: Lists) -> None:
    lists.make()
    assert lists.make().categories == {
        "games": Category("games", "Games", "About games."),
        "advice": Category("advice", "Advice", "About advice.", protected=True),
    }
    about = open_index(lists.places.index).catalogue
    assert (about["version"], about["built"]) == (version_of(lists.places), NOON.isoformat())


def _curated_more(lists: Lists) -> None:
    lists.curate("games", "chess.example", "draughts.example")


def _curated_another(lists: Lists) -> None:
    lists.curate("news", "news.example")


def _curated_fewer(lists: Lists) -> None:
    (lists.categories / "advice.yaml").unlink()


def _comment(lists: Lists) -> None:
    with (lists.categories / "games.yaml").open("a") as file:
        file.write("# a word\n")


def _supplied_more(lists: Lists) -> None:
    lists.supply("one", "games", "a.example\nb.example\n")


def _supplied_another(lists: Lists) -> None:
    lists.supply("two", "games", "a.example\n")


def _supplied_fewer(lists: Lists) -> None:
    (lists.state / "feeds/one/games.txt").unlink()


def _supplied_at_another_time(lists: Lists) -> None:
    path = lists.supply("one", "games", "b.example\n")
    os.utime(path, ns=(0, 0))


def _supplied_by_another(lists: Lists) -> None:
    (lists.state / "feeds/one").rename(lists.state / "feeds/two")


@pytest.mark.parametrize(
    "change",
    [
        _curated_more, _curated_another, _curated_fewer, _comment, _supplied_more,
        _supplied_another, _supplied_fewer, _supplied_at_another_time, _supplied_by_another,
    ],
)  # fmt: skip
def test_another_list_is_another_version_and_built_anew(
    lists: Lists, change: Callable[[Lists], None]
) -> None:
    lists.supply("one", "games", "a.example\n")
    versions = [lists.make().version]
    change(lists)
    versions += [lists.make().version, lists.make().version]
    assert versions[0] != versions[1] == versions[2]
    assert len(lists.builds) == 2


def test_what_is_no_list_changes_nothing(lists: Lists) -> None:
    lists.supply("one", "games", "a.example\n")
    version = lists.make().version
    os.utime(lists.categories / "games.yaml", ns=(0, 0))
    (lists.categories / "feeds.yaml").write_text("read by others")
    (lists.state / "feeds/one/README").write_text("About this list.")
    (lists.state / "feeds/games.txt").write_text("below no feed")
    assert lists.make().version == version
    assert len(lists.builds) == 1


def test_an_index_is_built_anew_for_who_insists(lists: Lists) -> None:
    before = lists.make(), lists.identity()
    again = make_catalogue(lists.places, NOON, built=lists.builds.append, anew=True)
    assert again.version == before[0].version
    assert again.sites.header.seed != before[0].sites.header.seed, "nobody is to know the secret"
    assert (len(lists.builds), lists.identity() != before[1]) == (2, True)


def test_a_build_says_how_far_it_is(lists: Lists) -> None:
    one, two = lists.supply("one", "games", "a.example\n"), lists.supply("two", "games", "b.c\n")
    said: list[Progress] = []
    make_catalogue(lists.places, NOON, progress=said.append)
    assert said == [Progress(10, 14, str(one)), Progress(14, 14, str(two))]


# -- what is damaged, and what cannot be kept ------------------------------------------------------


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _one_bit(path: Path) -> None:
    image = bytearray(path.read_bytes())
    image[-100] ^= 4
    path.write_bytes(image)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_cut_off, _one_bit, _emptied])
def test_a_damaged_index_is_named_in_the_log_and_built_anew(
    lists: Lists, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    lists.make()
    lists.places.index.chmod(0o644)
    spoil(lists.places.index)
    assert found(lists.make(), "chess.example") == ("games",)
    assert len(lists.builds) == 2
    [said] = errors(caplog)
    assert said.startswith(f"{lists.places.index}: ")
    assert open_index(lists.places.index).get("chess.example")


def test_who_only_asks_makes_no_files(lists: Lists, tmp_path: Path) -> None:
    catalogue = load_catalogue(lists.places, NOON, keep=False)
    assert found(catalogue, "www.chess.example") == ("games",)
    assert {path.name for path in tmp_path.iterdir()} == {"categories"}


def test_who_only_asks_leaves_a_damaged_index_as_it_is(
    lists: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    lists.state.mkdir(parents=True)
    lists.places.index.write_text("this is no index")
    catalogue = load_catalogue(lists.places, NOON, keep=False)
    assert found(catalogue, "chess.example") == ("games",)
    assert [path.name for path in lists.state.iterdir()] == ["sites.index"]
    assert lists.places.index.read_text() == "this is no index"
    [said] = errors(caplog)
    assert "is not an index of schoolgate (schoolgate lists build makes it anew)" in said


def _no_folder(lists: Lists, _: pytest.MonkeyPatch) -> None:
    lists.state.parent.write_text("a file where the folder would be")


def _folder_in_its_place(lists: Lists, _: pytest.MonkeyPatch) -> None:
    lists.places.index.mkdir(parents=True)


def _disk_full(_: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fsync)


@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (_no_folder, "File exists. Give schoolgate's user write access."),
        (_folder_in_its_place, "Give schoolgate's user write access and room on the disk."),
        (_disk_full, "No space left on device. Give schoolgate's user write access and room"),
    ],
)
def test_an_index_that_cannot_be_kept_serves_from_memory_and_the_log_says_so(
    lists: Lists,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Lists, pytest.MonkeyPatch], None],
    want: str,
) -> None:
    spoil(lists, monkeypatch)
    catalogue = load_catalogue(lists.places, NOON, keep=True)
    assert found(catalogue, "www.chess.example") == ("games",)
    assert catalogue.version == version_of(lists.places)
    assert want in errors(caplog)[-1]
    with pytest.raises(UnavailableError):
        lists.make()


def test_who_waits_too_long_for_another_that_builds_serves_from_memory(
    lists: Lists, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalogue_module, "_LOCK_ATTEMPTS", 3)
    monkeypatch.setattr(catalogue_module, "_LOCK_PAUSE_SECONDS", 0.01)
    lists.state.mkdir(parents=True)
    with (lists.state / ".building").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        catalogue = load_catalogue(lists.places, NOON, keep=True)
        with pytest.raises(UnavailableError, match="Another process has been building"):
            lists.make()
    assert found(catalogue, "www.chess.example") == ("games",)
    assert "Another process builds the index" in caplog.text


def test_an_index_that_somebody_else_made_is_replaced(lists: Lists, tmp_path: Path) -> None:
    """A technician ran ``lists build`` as root; the gateway's user owns the folder."""
    lists.make()
    lists.supply("one", "games", "a.example\n")
    tmp_path.chmod(0o755)
    if os.geteuid() == 0:
        for folder in (lists.state.parent, lists.state):
            os.chown(folder, 65534, 65534)
    before = lists.identity()
    ended = as_another_user(
        tmp_path,
        "load_catalogue(ListPlaces([Path('categories')], Path('state/lists')), "
        "datetime.now(UTC), keep=True)",
    )
    assert (ended.stdout, ended.stderr) == ("", "")
    assert lists.identity() != before


def test_a_new_state_directory_is_open_to_nobody_else(lists: Lists) -> None:
    lists.make()
    assert stat.S_IMODE(lists.state.parent.stat().st_mode) == 0o700


def test_a_directory_that_is_none_is_a_fault_also_where_there_is_an_index(lists: Lists) -> None:
    lists.make()
    nowhere = lists.categories / "nowhere"
    lists.places = ListPlaces([lists.categories, nowhere], lists.state)
    assert lists.faults() == [f"{nowhere}: is not a directory (see lists.dirs)"]


# -- what must never be blocked by mistake ---------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("/help", ("advice",)),
        ("/help/today", ("advice",)),
        ("/HELP/", ("advice",)),
        ("/helpers", ()),
        # In one reading below /help, in another not.
        ("/help/%2e%2e/games", ()),
        ("/help/..;/games", ()),
        ("/help%2fgames", ()),
        ("/games/%2e%2e/help", ()),
    ],
)
def test_a_path_of_a_protected_category_covers_what_every_origin_takes_for_it(
    lists: Lists, path: str, want: tuple[str, ...]
) -> None:
    assert found(lists.make(), "forum.example", path) == want
    lists.curate("advice", "forum.example/help", protected=False)
    assert ("advice" in found(lists.make(), "forum.example", path)) is (path != "/helpers")


# -- two at once ----------------------------------------------------------------------------------

MAKE = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from schoolgate.lists import ListPlaces, make_catalogue

builds = []
places = ListPlaces([Path(sys.argv[1])], Path(sys.argv[2]))
print("ready", flush=True)
catalogue = make_catalogue(places, datetime.now(UTC), built=builds.append)
seed = catalogue.sites.header.seed
print(json.dumps([len(builds), catalogue.version, seed, catalogue.sites.names]))
"""


def test_of_processes_that_begin_at_once_one_builds_and_the_others_open_the_same(
    lists: Lists,
) -> None:
    lists.supply("one", "games", "".join(f"n{number}.example\n" for number in range(20_000)))
    with (lists.state / ".building").open("w") as held:
        flock(held, LOCK_EX)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", MAKE, str(lists.categories), str(lists.state)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        assert not lists.places.index.exists(), "nobody builds while somebody else does"
    said = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert sorted(builds for builds, *_ in said) == [0, 0, 1]
    assert all(one[1:] == other[1:] for one, other in pairwise(said))
    assert said[0][1] == version_of(lists.places)
    assert said[0][3] == 20_004
