"""One process at a time holds the lock of the lists; who comes second is asked what to do."""

from pathlib import Path

import pytest

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.lists.locking import only_one


def _never(attempt: int) -> None:
    raise AssertionError(attempt)


def test_who_comes_second_waits_as_it_likes(tmp_path: Path) -> None:
    attempts = []

    def twice(attempt: int) -> None:
        attempts.append(attempt)
        if attempt == 1:
            raise RefusedError("enough")

    state = tmp_path / "state" / "lists"
    with (
        only_one(state, ".lock", 0o600, _never),
        pytest.raises(RefusedError),
        only_one(state, ".lock", 0o600, twice),
    ):
        raise AssertionError("both have it")
    assert attempts == [0, 1]
    with only_one(state, ".lock", 0o600, _never), only_one(state, ".other", 0o600, _never):
        assert oct((state / ".lock").stat().st_mode & 0o777) == "0o600"
    assert oct(state.parent.stat().st_mode & 0o777) == "0o700"


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UnavailableError, match=r"can be kept in .*write access"),
        only_one(tmp_path / "file" / "lists", ".lock", 0o600, _never),
    ):
        pass
