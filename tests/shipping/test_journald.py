"""To systemd's journal: what its socket is given."""

import json
import socket
from pathlib import Path

import pytest

from schoolgate.shipping.journald import Journald, entry

RECORD = {"ts": "2026-11-23T10:30:00.000+00:00", "event": "request.decided", "verdict": "block"}


def fields(data: bytes) -> dict[str, str]:
    """Read an entry as journald does."""
    found = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + size], data[9 + size :]
        found[name.decode()] = value.decode()
    return found


@pytest.mark.parametrize(
    ("more", "name", "want"),
    [
        ({}, "PRIORITY", "5"),
        ({"verdict": "allow"}, "PRIORITY", "6"),
        ({"status": 403}, "SCHOOLGATE_STATUS", "403"),
        ({"clause": "a\nb"}, "SCHOOLGATE_CLAUSE", "a\nb"),
        ({"clause": "Prüfung"}, "SCHOOLGATE_CLAUSE", "Prüfung"),
    ],
)
def test_an_entry_has_each_field(more: dict[str, object], name: str, want: str) -> None:
    found = fields(entry({**RECORD, **more}))
    assert found[name] == want
    assert json.loads(found["MESSAGE"]) == {**RECORD, **more}


def test_it_is_sent_and_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    place = tmp_path / "socket"
    journal = Journald(place)
    with pytest.raises(OSError, match="No such file"):
        journal.send([RECORD])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taking:
        taking.bind(str(place))
        journal.send([RECORD, RECORD])
        assert [fields(taking.recv(65_536))["SCHOOLGATE_EVENT"] for _ in range(2)] == [
            "request.decided"
        ] * 2
    with pytest.raises(OSError, match="refused"):
        journal.send([RECORD])
    journal.close()
