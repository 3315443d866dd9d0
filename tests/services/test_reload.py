"""Changed files come into force without a restart; what is broken never does."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Event

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.policy import PolicyEngine
from schoolgate.services.engines import Engines
from schoolgate.services.reload import FileWatch, signature
from tests.core.policy.example import engine, grant


class School:
    """A directory whose one file holds the school's name; the word “broken” is a fault."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "school"
        self.write("First")
        self.engines = Engines(engine(school="First", overlay=Overlay(7, (grant(),))))
        self.loads = 0
        self.failures: Queue[str] = Queue()
        self.watch = self.new_watch()

    def new_watch(self, interval_seconds: float = 1.0) -> FileWatch[PolicyEngine]:
        return FileWatch(
            lambda: self.directory.glob("*"),
            self.load,
            self.engines.put_policy,
            lambda: self.failures.put("failed"),
            signature(self.directory.glob("*")),
            interval_seconds,
        )

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def replace(self, text: str) -> None:
        """Write at once; whoever looks while `write` is on its way may see an empty file."""
        aside = self.directory.parent / "aside"
        aside.write_text(text)
        aside.replace(self.file)

    def load(self) -> PolicyEngine:
        self.loads += 1
        text = self.file.read_text()
        if text == "broken":
            raise ConfigurationError([Fault("school", 1, "is broken")])
        if text == "a bug":
            raise ZeroDivisionError(text)
        return engine(school=text)

    def settled(self) -> bool:
        """Look until a change has stayed as it is for a look."""
        assert self.watch.look() is False
        return self.watch.look()

    @property
    def name(self) -> str:
        return self.engines.current.policy.school


@pytest.fixture
def school(tmp_path: Path) -> School:
    directory = tmp_path / "watched"
    directory.mkdir()
    return School(directory)


def test_unchanged_files_are_not_read_again(school: School) -> None:
    assert [school.watch.look() for _ in range(3)] == [False, False, False]
    assert school.loads == 0


def test_a_changed_file_comes_into_force_once_and_grants_stay(school: School) -> None:
    school.write("Second")
    assert [school.watch.look() for _ in range(3)] == [False, True, False]
    assert school.name == "Second"
    assert school.loads == 1
    assert school.engines.current.overlay.version == 7
    assert school.failures.empty()


def _added(school: School) -> None:
    (school.directory / "another").write_text("")


def _removed(school: School) -> None:
    (school.directory / "extra").unlink()


def _same_size(school: School) -> None:
    before = school.file.stat()
    school.write("Fifth")
    os.utime(school.file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def _same_time(school: School) -> None:
    before = school.file.stat()
    school.write("A longer name")
    os.utime(school.file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(school: School) -> None:
    school.replace("Another")


@pytest.mark.parametrize("change", [_added, _removed, _same_size, _same_time, _replaced])
def test_every_kind_of_change_is_seen(school: School, change: Callable[[School], None]) -> None:
    (school.directory / "extra").write_text("")
    school.watch = school.new_watch()
    change(school)
    assert school.settled() is True
    assert school.loads == 1


def test_a_file_that_is_still_being_written_is_not_read(school: School) -> None:
    for text in ("S", "Se", "Sec"):
        school.write(text)
        assert school.watch.look() is False
    assert school.loads == 0
    assert school.watch.look() is True
    assert school.name == "Sec"


def test_a_broken_change_is_refused_once_and_the_last_good_state_stays(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    school.write("broken")
    assert [school.watch.look() for _ in range(4)] == [False] * 4
    assert (school.name, school.loads, school.failures.qsize()) == ("First", 1, 1)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "the last good state stays.\nschool:1: is broken" in record.getMessage()


def test_a_repaired_file_comes_into_force(school: School) -> None:
    school.write("broken")
    assert school.settled() is False
    school.write("Repaired")
    assert school.settled() is True
    assert school.name == "Repaired"


def test_what_goes_wrong_for_another_reason_is_tried_again(school: School) -> None:
    school.write("a bug")
    assert school.watch.look() is False
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            school.watch.look()
    assert (school.name, school.loads) == ("First", 2)


def test_a_file_that_vanishes_between_two_looks_is_no_fault(school: School) -> None:
    files = [school.file, school.directory / "gone"]
    watch = FileWatch(
        lambda: files, school.load, school.engines.put_policy, lambda: None, signature(files)
    )
    assert watch.look() is False


def test_what_loading_itself_makes_is_no_change_but_what_others_put_there_is(
    school: School, tmp_path: Path
) -> None:
    made = tmp_path / "made"

    def load() -> PolicyEngine:
        if not made.exists():
            made.write_text("x")
        return school.load()

    watch = FileWatch(
        lambda: [school.file],
        load,
        school.engines.put_policy,
        lambda: None,
        signature([]),
        made=lambda: [made],
    )
    looks = [watch.look() for _ in range(5)]
    assert looks.count(True) == 1
    made.write_text("by somebody else")
    assert [watch.look() for _ in range(4)].count(True) == 1


def test_what_is_put_in_the_place_of_what_loading_made_is_read(
    school: School, tmp_path: Path
) -> None:
    made, read = tmp_path / "made", []

    def load() -> PolicyEngine:
        if not made.exists():
            made.write_text("x")
        read.append(made.read_text())
        if len(read) == 1:
            made.write_text("by somebody else")
        return school.load()

    watch = FileWatch(
        lambda: [school.file],
        load,
        school.engines.put_policy,
        lambda: None,
        signature([]),
        made=lambda: [made],
    )
    assert [watch.look() for _ in range(5)].count(True) == 1
    assert read[-1] == "by somebody else"


def test_a_change_between_reading_and_watching_is_seen(school: School) -> None:
    seen = signature(school.directory.glob("*"))
    school.write("Second")
    watch = FileWatch(
        lambda: school.directory.glob("*"),
        school.load,
        school.engines.put_policy,
        lambda: None,
        seen,
    )
    assert [watch.look(), watch.look()] == [False, True]
    assert school.name == "Second"


def test_the_watch_outlives_a_bug_and_puts_the_next_change_in_force(school: School) -> None:
    in_force = Event()
    school.engines = Engines(school.engines.current, lambda _: in_force.set())
    watch = school.new_watch(0.002)
    watch.start()
    try:
        school.replace("a bug")
        assert school.failures.get(timeout=20) == "failed"
        assert school.name == "First"
        school.replace("Second")
        assert in_force.wait(20)
    finally:
        watch.stop()
    assert school.name == "Second"


def test_ending_what_never_began_does_nothing(school: School) -> None:
    school.watch.stop()
    assert school.loads == 0
