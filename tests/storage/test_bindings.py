"""Bindings are kept, replaced by their id, forgotten in time, and noticed."""

from dataclasses import replace
from queue import Queue

from sqlalchemy import Engine

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.storage import BindingTable, BindingWatch
from schoolgate.storage.bindings import KEPT_SECONDS, read_bindings
from schoolgate.storage.connections import reading
from tests.gateway import PATIENCE_SECONDS
from tests.storage.days import at

NINE = at(9).timestamp()


def binding(id_: str = "b1", *, since: float = NINE, hours: float = 2) -> Binding:
    return Binding(
        id_, "ann", "staff", frozenset({"governors", "class-4b"}), "10.9.0.7", "", since,
        since + 3600 * hours,
    )  # fmt: skip


def test_what_was_put_is_given_back(engine: Engine) -> None:
    table = BindingTable(engine)
    table.put(binding())
    assert table.get("b1") == binding()
    assert table.get("b2") is None
    assert list(table.since(NINE)) == [binding()]
    assert list(table.since(NINE + 7200)) == []


def test_a_binding_has_one_state(engine: Engine) -> None:
    table = BindingTable(engine)
    table.put(binding())
    ended = replace(binding(), state=BindingState.ENDED, until=NINE + 60)
    table.put(ended)
    assert table.get("b1") == ended
    assert list(table.since(NINE)) == [ended]
    with reading(engine) as connection:
        assert read_bindings(connection, at(9)) == ()


def test_banned_ones_are_in_force(engine: Engine) -> None:
    banned = replace(binding(), state=BindingState.BANNED)
    BindingTable(engine).put(banned)
    with reading(engine) as connection:
        assert read_bindings(connection, at(9)) == (banned,)


def test_what_ended_long_ago_is_forgotten(engine: Engine) -> None:
    table = BindingTable(engine)
    table.put(binding("old"))
    later = NINE + 7200 + KEPT_SECONDS
    table.put(binding("kept", since=later - 60))
    assert table.get("old") == binding("old")
    table.put(binding("new", since=later + 60))
    assert table.get("old") is None
    assert table.get("kept") is not None


def test_the_watch_hands_over_what_is_there_and_what_comes(engine: Engine, url: str) -> None:
    heard: Queue[tuple[Binding, ...]] = Queue()
    failed: Queue[Exception] = Queue()
    table = BindingTable(engine)
    watch = BindingWatch(url, heard.put, lambda: at(9), failed.put, 0.002)
    watch.start()
    try:
        assert heard.get(timeout=PATIENCE_SECONDS) == ()
        table.put(binding())
        assert heard.get(timeout=PATIENCE_SECONDS) == (binding(),)
        table.put(replace(binding(), state=BindingState.ENDED))
        assert heard.get(timeout=PATIENCE_SECONDS) == ()
    finally:
        watch.stop()
    assert failed.empty()
