"""The watch: sees what others commit, is silent otherwise, and outlives every failure."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Overlay, Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import UnavailableError
from schoolgate.storage import DecisionStore, OverlayWatch, open_database
from tests.gateway import PATIENCE_SECONDS
from tests.storage.days import at

EVERYONE = Subject.parse("everyone")
ADD = """
import sys
from datetime import UTC, datetime
from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.storage import DecisionStore, open_database
starts, ends = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 15, tzinfo=UTC)
engine = open_database(sys.argv[1])
DecisionStore(engine).add_grant(
    ListEntry.parse("elsewhere.example", "grant", "grant"), Subject.parse("everyone"),
    starts, ends, Role.HEADTEACHER,
    reason="from another process", actor="head", now=starts,
)
engine.dispose()
"""


class Heard:
    """What a watch said; waiting for it is generous, because only its absence is a fault."""

    def __init__(self) -> None:
        self.overlays: Queue[Overlay] = Queue()
        self.errors: Queue[Exception] = Queue()

    def hosts(self) -> list[str]:
        """Give the hosts of the next overlay."""
        return [grant.entry.host for grant in self.overlays.get(timeout=PATIENCE_SECONDS).grants]

    def error(self) -> Exception:
        """Give the next error."""
        return self.errors.get(timeout=PATIENCE_SECONDS)


@contextmanager
def watching(
    source: Engine | str, on_change: Callable[[Overlay], None] | None = None
) -> Iterator[Heard]:
    heard = Heard()
    watch = OverlayWatch(
        source, on_change or heard.overlays.put, lambda: at(9), heard.errors.put, 0.002
    )
    watch.start()
    try:
        yield heard
    finally:
        watch.stop()


def add(store: DecisionStore, host: str) -> None:
    entry = ListEntry.parse(host, "grant", "grant")
    store.add_grant(
        entry, EVERYONE, at(9), at(15), Role.HEADTEACHER, reason="lesson", actor="head", now=at(8)
    )


def test_the_first_overlay_comes_at_once_and_every_change_after(
    engine: Engine, store: DecisionStore
) -> None:
    add(store, "a.example")
    with watching(engine) as heard:
        assert heard.hosts() == ["a.example"]
        add(store, "b.example")
        assert heard.hosts() == ["a.example", "b.example"]
        store.revoke_grant(1, at(10), "head")
        assert heard.hosts() == ["b.example"]
        store.suspend(EVERYONE, at(9), at(15), "exam", "head", now=at(8))
        assert len(heard.overlays.get(timeout=PATIENCE_SECONDS).suspensions) == 1
    assert heard.errors.empty()


def test_a_commit_of_another_process_is_seen(engine: Engine, url: str) -> None:
    with watching(engine) as heard:
        assert heard.hosts() == []
        subprocess.run([sys.executable, "-c", ADD, url], check=True, timeout=60)
        assert heard.hosts() == ["elsewhere.example"]
    assert heard.errors.empty()


def test_a_commit_that_changes_no_decision_is_not_handed_over(
    engine: Engine, store: DecisionStore
) -> None:
    with watching(engine) as heard:
        assert heard.hosts() == []
        for label in "abcdef":
            store.record_version("policy", label)
        add(store, "a.example")
        assert heard.hosts() == ["a.example"]
    assert heard.overlays.empty()


def test_no_read_transaction_stays_open(engine: Engine, store: DecisionStore) -> None:
    with watching(engine) as heard:
        assert heard.hosts() == []
        add(store, "a.example")
        assert heard.hosts() == ["a.example"]
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            # A reader would keep the log from being emptied: the first figure would be 1.
            checkpoint = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert checkpoint == [(0, 0, 0)]


def test_a_database_that_is_deleted_and_put_back_is_watched_again(
    engine: Engine, store: DecisionStore, path: Path, url: str, tmp_path: Path
) -> None:
    with watching(url) as heard:
        assert heard.hosts() == []
        engine.dispose()
        shutil.move(path.parent, tmp_path / "aside")
        error = heard.error()
        assert isinstance(error, UnavailableError)
        assert str(path) in str(error)
        assert not path.exists()
        fresh = open_database(url)
        add(DecisionStore(fresh), "fresh.example")
        fresh.dispose()
        while (hosts := heard.hosts()) == []:
            pass  # the fresh database may be seen before its first grant
        assert hosts == ["fresh.example"]


def test_a_database_that_is_replaced_is_read_anew_though_its_version_is_the_same(
    engine: Engine, store: DecisionStore, path: Path, url: str, tmp_path: Path
) -> None:
    add(store, "old.example")
    engine.dispose()
    other = tmp_path / "other" / "schoolgate.db"
    replacement = open_database(f"sqlite:///{other}")
    add(DecisionStore(replacement), "new.example")
    replacement.dispose()
    with watching(url) as heard:
        assert heard.hosts() == ["old.example"]
        other.replace(path)
        assert heard.hosts() == ["new.example"]


def test_a_file_that_turns_to_rubbish_does_not_end_the_watch(
    engine: Engine, path: Path, url: str, tmp_path: Path
) -> None:
    engine.dispose()
    sound = tmp_path / "sound.db"
    shutil.copy(path, sound)
    rubbish = tmp_path / "rubbish.db"
    rubbish.write_bytes(b"not a database" * 1000)
    with watching(url) as heard:
        assert heard.hosts() == []
        rubbish.replace(path)
        assert isinstance(heard.error(), UnavailableError)
        sound.replace(path)
        assert heard.hosts() == []


def test_what_the_receiver_failed_to_take_is_handed_over_again(engine: Engine) -> None:
    taken: Queue[Overlay] = Queue()
    failures = [OSError("full"), KeyError("bug")]

    def take(overlay: Overlay) -> None:
        if failures:
            raise failures.pop()
        taken.put(overlay)

    with watching(engine, take) as heard:
        assert isinstance(heard.error(), KeyError)
        assert isinstance(heard.error(), OSError)
        assert taken.get(timeout=PATIENCE_SECONDS).version == 0


def test_a_failing_error_handler_does_not_end_the_watch(tmp_path: Path) -> None:
    calls: Queue[Exception] = Queue()

    def fail(error: Exception) -> None:
        calls.put(error)
        raise RuntimeError

    watch = OverlayWatch(f"sqlite:///{tmp_path}/no.db", print, lambda: at(9), fail, 0.002)
    watch.start()
    assert calls.get(timeout=PATIENCE_SECONDS)
    assert calls.get(timeout=PATIENCE_SECONDS)
    watch.stop()


def test_it_can_be_started_twice_and_stopped_twice_and_started_again(engine: Engine) -> None:
    overlays: Queue[Overlay] = Queue()
    watch = OverlayWatch(engine, overlays.put, lambda: at(9), print)
    watch.stop()
    for _ in range(2):
        watch.start()
        watch.start()
        assert overlays.get(timeout=PATIENCE_SECONDS).version == 0
        watch.stop()
        watch.stop()
    with pytest.raises(Empty):
        overlays.get_nowait()


def test_only_known_kinds_of_database_can_be_watched() -> None:
    with pytest.raises(UnavailableError, match="is not supported"):
        OverlayWatch("mysql://db/school", print, lambda: at(9), print)
