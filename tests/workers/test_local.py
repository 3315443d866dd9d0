"""Sockets in the file system: for this user alone, wherever they are, in the place of what is left."""

import socket
from pathlib import Path

import pytest

from schoolgate.workers.local import listen_locally, local_address


@pytest.mark.parametrize("depth", [0, 30])
def test_one_connects_wherever_it_is(tmp_path: Path, depth: int) -> None:
    directory = tmp_path.joinpath(*["directory"] * depth)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "portal.sock"
    with listen_locally(path, 1) as listener:
        assert path.stat().st_mode & 0o777 == 0o600
        with local_address(path) as address, socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            accepted, _ = listener.accept()
            accepted.close()


def test_what_was_left_behind_makes_room(tmp_path: Path) -> None:
    path = tmp_path / "portal.sock"
    listen_locally(path, 1).close()
    with (
        listen_locally(path, 1),
        local_address(path) as address,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.connect(address)


def test_without_its_directory_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        listen_locally(tmp_path / "nowhere" / "portal.sock", 1)
