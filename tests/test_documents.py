"""YAML files are read with the line of every key, and every fault is named where it stands."""

import os
from pathlib import Path
from typing import Any, Literal

import pytest

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    Document,
    Loc,
    Strict,
    parse_document,
    read_document,
    suggestion,
    validate,
)


class Pet(Strict):
    """A part of the example file."""

    name: str
    legs: int = 4


class Zoo(Strict):
    """The example file."""

    keeper: str
    open: Literal["daily", "never"] = "daily"
    pets: tuple[Pet, ...] = ()


def faults_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse_document("a.yaml", text)
    assert {fault.file for fault in caught.value.faults} == {"a.yaml"}
    return [(fault.line, fault.message) for fault in caught.value.faults]


# -- reading YAML --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a: 1\nb: two\n", {"a": 1, "b": "two"}),
        ("a: [1, 2.5, true, null]", {"a": [1, 2.5, True, None]}),
        ("a: {b: {c: d}}", {"a": {"b": {"c": "d"}}}),
        ("1: one\nyes: two\nnull: three", {"1": "one", "yes": "two", "null": "three"}),
        ("a: 'Ünïcödé — “quoted”'", {"a": "Ünïcödé — “quoted”"}),
        ("a: >-\n  two\n  lines\n", {"a": "two lines"}),
        ("- a\n- b", ["a", "b"]),
        ("word", "word"),
        ("", None),
        ("# a comment\n", None),
    ],
)
def test_yaml_is_read_as_plain_data_with_words_for_keys(text: str, want: Any) -> None:
    assert parse_document("a.yaml", text).data == want


LINES = """\
# a comment
a: 1
b:
  c: [x,
      y]
  d:
    - e: 1
      f: 2
"""


@pytest.mark.parametrize(
    ("loc", "want"),
    [
        ((), 2),
        (("a",), 2),
        (("b",), 3),
        (("b", "c"), 4),
        (("b", "c", 0), 4),
        (("b", "c", 1), 5),
        (("b", "d", 0), 7),
        (("b", "d", 0, "f"), 8),
        (("b", "d", 0, "nothing"), 7),  # the nearest part around it
        (("b", "nothing", "at", "all"), 3),
        (("nothing",), 2),
    ],
)
def test_every_part_has_the_line_it_stands_on_or_that_of_the_part_around_it(
    loc: Loc, want: int
) -> None:
    assert parse_document("a.yaml", LINES).line(loc) == want


def test_a_fault_at_a_part_names_file_line_and_hint() -> None:
    document = Document("a.yaml", {}, {(): 1, ("a",): 7})
    assert document.fault(("a",), "is wrong", "try b") == Fault("a.yaml", 7, "is wrong", "try b")


ANCHOR = "uses an anchor; write the value out"
DEEP = "is nested too deeply"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a: 1\nb: 2\na: 3\n", [(3, "gives 'a' twice")]),
        ("a:\n  b: 1\n  b: 1\n", [(3, "gives 'b' twice")]),
        ("a: 1\n'a': 2", [(2, "gives 'a' twice")]),
        ("a: 1\na: 2\na: 3", [(2, "gives 'a' twice"), (3, "gives 'a' twice")]),
        ("a: &x [1]\nb: *x", [(1, ANCHOR)]),
        ("a: &x [*x]", [(1, ANCHOR)]),
        ("a: 1\n[b]: 2\n{c: d}: 3", [(2, "has a key that is not a word"),
                                   (3, "has a key that is not a word")]),
        ("a: 1\na: 2\n[b]: 3", [(2, "gives 'a' twice"), (3, "has a key that is not a word")]),
        ("\n" + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), [(2, DEEP)]),
        ("[" * 5_000 + "]" * 5_000, [(1, DEEP)]),
        ("{a: " * 5_000, [(1, DEEP)]),
    ],
)  # fmt: skip
def test_what_could_mislead_or_grow_is_refused_with_every_line(
    text: str, want: list[tuple[int, str]]
) -> None:
    assert faults_of(text) == want


def test_a_file_that_would_grow_to_billions_of_words_is_refused_at_once() -> None:
    laughs = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert set(faults_of("\n".join(laughs))) == {(n, ANCHOR) for n in range(1, 40)}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2", 2),
        ("a: 1\n  b: 2", 2),
        ("a: 1\nb: 'open\n", 3),
        ("a: 1\n\tb: 2", 2),
        ("a: *nothing", 1),
        ("a: 1\n---\nb: 2", 2),
        ("a: 1\nb: !!python/name:os.system ''", 2),
        ("a: 1\nb: !unknown c", 2),
        ("a: 1\nb: 2026-13-45", 2),  # no such day
        ("a: 1\nb: \x07", 2),  # not a character that a text file holds
    ],
)
def test_what_is_no_yaml_is_named_at_its_line(text: str, line: int) -> None:
    [(where, message)] = faults_of(text)
    assert message.startswith("is not valid YAML: ")
    assert where == line


def test_no_tag_makes_anything_but_plain_data() -> None:
    text = "a: !!python/object/apply:os.system [exit 1]"
    assert parse_document("a.yaml", text).data == {"a": ["exit 1"]}


# -- reading files -------------------------------------------------------------------------------


def test_a_file_is_read_as_utf_8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9")
    document = read_document(file)
    assert (document.file, document.data) == (str(file), {"a": "é"})


@pytest.mark.parametrize(
    ("content", "line", "want"),
    [
        (None, 0, "cannot be read: No such file or directory"),
        (b"a: 1\nb: \xe9t\xe9\n", 2, "is not UTF-8 text"),
        (b"\xff\xfea\x00:\x00", 1, "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, line: int, want: str
) -> None:
    file = tmp_path / "a.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_document(file)
    assert caught.value.faults == (Fault(str(file), line, want),)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_document(tmp_path)
    assert caught.value.faults == (Fault(str(tmp_path), 0, "cannot be read: Is a directory"),)


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    os.truncate(file, MAX_BYTES + 1)
    with pytest.raises(ConfigurationError, match=f"is larger than {MAX_BYTES} bytes"):
        read_document(file)


# -- checking against a model ---------------------------------------------------------------------


def test_a_file_in_order_gives_its_model() -> None:
    document = parse_document("a.yaml", "keeper: Jo\npets: [{name: Rex}]")
    assert validate(document, Zoo) == Zoo(keeper="Jo", pets=(Pet(name="Rex"),))


@pytest.mark.parametrize("text", ["", "[]", "word", "5", "- keeper: Jo"])
def test_a_file_that_holds_no_keys_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validate(parse_document("a.yaml", text), Zoo)
    assert caught.value.faults == (Fault("a.yaml", 1, "holds no keys"),)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("keepr: Jo\nkeeper: Jo",
         "a.yaml:1: unknown key 'keepr' (did you mean 'keeper'?)"),
        ("keeper: Jo\npets:\n  - nam: Rex\n    name: Rex",
         "a.yaml:3: unknown key 'nam' (did you mean 'name'?)"),
        ("keeper: Jo\nzebra: 1", "a.yaml:2: unknown key 'zebra'"),
        ("open: daily", "a.yaml:1: the key 'keeper' is missing"),
        ("keeper: Jo\npets:\n  - legs: 4", "a.yaml:3: the key 'name' is missing"),
        ("keeper: Jo\nopen: sometimes", "a.yaml:2: 'open': input should be 'daily' or 'never'"),
        ("keeper: [Jo]", "a.yaml:1: 'keeper': input should be a valid string"),
        ("keeper: Jo\npets:\n  - name: Rex\n    legs: [4]",
         "a.yaml:4: 'pets.0.legs': input should be a valid integer"),
    ],
)  # fmt: skip
def test_a_fault_of_form_names_the_line_and_what_was_meant(text: str, want: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validate(parse_document("a.yaml", text), Zoo)
    assert str(caught.value) == want


def test_every_fault_of_form_is_named_at_once() -> None:
    text = "open: sometimes\npets:\n  - nam: Rex\n  - name: 5\n"
    with pytest.raises(ConfigurationError) as caught:
        validate(parse_document("a.yaml", text), Zoo)
    assert sorted(fault.line for fault in caught.value.faults) == [1, 1, 3, 3, 4]


@pytest.mark.parametrize(
    ("word", "known", "want"),
    [
        ("ruls", ["rules", "groups"], "did you mean 'rules'?"),
        ("gruops", ["rules", "groups"], "did you mean 'groups'?"),
        ("zebra", ["rules", "groups"], ""),
        ("rules", [], ""),
    ],
)
def test_a_word_that_is_nearly_a_known_one_is_suggested(
    word: str, known: list[str], want: str
) -> None:
    assert suggestion(word, known) == want
