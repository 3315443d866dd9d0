"""The table of neighbours: what `ip -json neigh` prints, and a table that cannot be read."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.identity.facts import Neighbour
from schoolgate.identity.neighbours import NeighbourTable, parse_neighbours

MAC = "00:1b:44:11:3a:b7"


def entry(dst: str, lladdr: str = MAC, *states: str) -> dict[str, object]:
    return {"dst": dst, "dev": "eth0", "lladdr": lladdr, "state": list(states)}


@pytest.mark.parametrize(
    ("printed", "want"),
    [
        (entry("10.0.0.7", MAC, "REACHABLE"), [Neighbour("10.0.0.7", MAC, confirmed=True)]),
        (entry("10.0.0.7", MAC, "PERMANENT"), [Neighbour("10.0.0.7", MAC, confirmed=True)]),
        (entry("10.0.0.7", MAC, "STALE"), [Neighbour("10.0.0.7", MAC)]),
        (
            entry("2001:DB8::7", MAC.upper(), "DELAY"),
            [Neighbour("2001:db8::7", MAC, confirmed=True)],
        ),
        (entry("10.0.0.7", MAC, "FAILED"), []),
        ({"dst": "10.0.0.7", "dev": "eth0", "state": ["INCOMPLETE"]}, []),
        (entry("10.0.0.7", "00:00:00:00:00:00", "NOARP"), []),
        (entry("10.0.0.7", "ff:ff:ff:ff:ff:ff", "PERMANENT"), []),
        (entry("fe80::1", MAC, "REACHABLE"), []),  # the same on every link
        (entry("x", MAC, "REACHABLE"), []),
        ({}, []),
        ({"dst": 7, "lladdr": None, "state": "REACHABLE"}, []),
    ],
)
def test_an_entry(printed: dict[str, object], want: list[Neighbour]) -> None:
    assert list(parse_neighbours(json.dumps([printed]))) == want


def test_an_empty_table() -> None:
    assert parse_neighbours("") == parse_neighbours("[]") == ()


@pytest.mark.parametrize("text", ["{}", "[1]", "no", '[{"dst"', "null"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_neighbours(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["dst", "lladdr", "state"]), inner, max_size=3)
        ),
    )
)
def test_any_json_is_a_table_or_refused(value: object) -> None:
    with suppress(ValueError):
        parse_neighbours(json.dumps(value))


def test_a_table_that_cannot_be_read_is_believed_for_a_minute() -> None:
    answers = [json.dumps([entry("10.0.0.7", MAC, "REACHABLE")])]

    def read() -> str:
        if not answers:
            raise OSError(1, "not permitted")
        return answers.pop()

    table = NeighbourTable(read)
    assert table.look(100)
    assert (len(table.neighbours), table.fault) == (1, "")
    assert not table.look(159)
    assert (len(table.neighbours), bool(table.fault)) == (1, True)
    assert table.look(160)
    assert table.neighbours == ()
