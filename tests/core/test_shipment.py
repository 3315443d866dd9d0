"""Lines as a message: what is packed comes out, and what is none is refused."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.shipment import (
    MOST_BYTES,
    NoShipmentError,
    Shipment,
    message_id,
    named,
    packed,
    stream,
    subject,
    unpacked,
)

ONE = Shipment("2026-11-23.jsonl#ab", 10, 30, [20, 30], [b'{"a":1}', b"{}"])
HEAD = {"source": "f", "start": 0, "after": 3, "ends": [3]}


def test_what_is_packed_comes_out() -> None:
    assert unpacked(packed(ONE)) == ONE
    named_ = replace(ONE, names=frozenset({"a", "b"}))
    assert unpacked(packed(named_)) == named_


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_message_or_refused(data: bytes) -> None:
    for message in (data, zstandard.compress(data)):
        with suppress(NoShipmentError):
            assert unpacked(message).source


@pytest.mark.parametrize(
    "change",
    [
        {"source": ""},
        {"source": 1},
        {"source": "x" * 101},
        {"start": -1},
        {"start": "0"},
        {"start": True},
        {"start": 4},
        {"after": 1 << 63, "ends": [1 << 63]},
        {"ends": [3, 4]},
        {"ends": [0]},
        {"ends": [4]},
        {"ends": "3"},
        {"ends": None},
        {"names": [{}]},
        {"names": 1},
    ],
)
def test_places_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    head = json.dumps({**HEAD, **change}).encode()
    unpacked(zstandard.compress(json.dumps(HEAD).encode() + b"\n{}"))
    with pytest.raises(NoShipmentError):
        unpacked(zstandard.compress(head + b"\n{}"))


def test_a_message_that_would_fill_the_memory_is_not_read() -> None:
    with pytest.raises(NoShipmentError):
        unpacked(zstandard.compress(b"\0" * (MOST_BYTES + 1)))
    unsaid = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 100)
    with pytest.raises(NoShipmentError):
        unpacked(unsaid)


def test_the_same_lines_have_the_same_id_and_more_lines_another() -> None:
    more = Shipment(ONE.source, 10, 40, [20, 30, 40], [*ONE.lines, b"{}"])
    assert message_id("hill", "a", ONE) == "hill/a/2026-11-23.jsonl#ab/10-30"
    assert message_id("hill", "a", more) != message_id("hill", "a", ONE)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (subject("hill", "gw-1"), ("hill", "gw-1")),
        ("journal.hill", None),
        ("journal.hill.a.b", None),
        ("journal.hill.../../etc", None),
        ("journal.Hill.a", None),
        (f"journal.{'x' * 41}.a", None),
        ("other.hill.a", None),
    ],
)
def test_a_subject_names_a_school_and_a_gateway(text: str, want: tuple[str, str] | None) -> None:
    assert named(text) == want


def test_no_two_gateways_have_a_stream_of_the_same_name() -> None:
    assert stream("hill-a", "b") != stream("hill", "a-b")
