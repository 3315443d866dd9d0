"""Pseudonyms: the same for the same name, nobody's without the key, and a key that is made once."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_names import WHO, Pseudonyms, pseudonyms_by

OURS, OTHERS = Pseudonyms(b"k" * 64), Pseudonyms(b"o" * 64)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.sampled_from(WHO), NAMES)
def test_a_name_comes_back_by_the_key_alone(field: str, name: str) -> None:
    made = OURS.of(field, name)
    assert OURS.name(field, made) == name
    assert OTHERS.name(field, made) is None
    assert OURS.of(field, made) == made == Pseudonyms(b"k" * 64).of(field, name)


def test_fields_do_not_share_pseudonyms_and_short_names_look_alike() -> None:
    assert len({OURS.of(field, "tom") for field in WHO}) == 3
    assert len(OURS.of("user", "t")) == len(OURS.of("user", "t" * 16))
    assert OURS.name("user", OURS.of("device", "tom")) is None


@pytest.mark.parametrize("text", ["", "tom", "p-", "p-x", "p-tom", "p-ż", "p-" + "A" * 44])
def test_what_is_no_pseudonym_is_nobody(text: str) -> None:
    assert OURS.name("user", text) is None


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "state" / "journal.key"
    made = pseudonyms_by(file).of("user", "tom")
    assert pseudonyms_by(file).of("user", "tom") == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["journal.key"]


@pytest.mark.parametrize("content", ["", "beef\n", "no hex at all", "ż"])
def test_another_key_is_never_made_in_the_place_of_a_broken_one(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "journal.key"
    file.write_text(content)
    with pytest.raises(UnavailableError, match="holds no key"):
        pseudonyms_by(file)
    assert file.read_text() == content
