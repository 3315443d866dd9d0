"""JSON is read as texts, an answer in events as one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content.json_text import JsonText

_LONG_KEY = f'"{"k" * 256}v":'


def read(text: str, cut: int = 10**9, *, in_events: bool = False) -> str:
    reader = JsonText(in_events=in_events)
    pieces = [
        piece for at in range(0, len(text), cut) for piece in reader.feed(text[at : at + cut])
    ]
    return "".join([*pieces, *reader.close()])


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('{"id": "a1b2", "body": "free spins today"}', "free spins today "),
        ('{"a key of words": 1, "x": ["one two", "three"]}', "one two "),
        (r'{"t": "caf\u00e9 \"noir\"\nnow"}', 'café "noir" now '),
        ('{"t": "cut off in the mid', "cut off in the mid "),
        ('["a b" , "c d"]', "a b c d "),
        (r'{"t": "an \u00zz escape"}', "an u00zz escape "),
        # So long a string is no key, and what of it was given already cannot be taken back.
        (f'{{"a{"k" * 299}": "one two"}}', f"a{'k' * 299} one two "),
        ("", ""),
        ("no json", ""),
    ],
)
def test_strings_of_more_than_a_word(text: str, want: str) -> None:
    assert read(text) == want


@pytest.mark.parametrize(
    ("events", "want"),
    [
        (
            [
                {"choices": [{"delta": {"role": "assistant", "content": t}}]}
                for t in ("Fr", "ee sp", "ins")
            ],
            "Free spins",
        ),
        ([{"type": "x", "delta": {"type": "text_delta", "text": t}} for t in ("a ", "b")], "a b"),
        ([{"p": "/message/content/parts/0", "o": "append", "v": "odds"}, {"v": " on"}], "odds on"),
        ([{"id": "chat-1", "model": "m", "finish_reason": "stop"}], ""),
    ],
)
def test_the_parts_of_an_answer_in_events_are_put_together(
    events: list[dict[str, object]], want: str
) -> None:
    stream = "".join(f"event: m\ndata: {json.dumps(event)}\n\n" for event in events)
    assert read(stream + "data: [DONE]\n\n", in_events=True) == want


@given(
    text=st.lists(
        st.sampled_from(
            ['"', "\\", "\\u00", "e9", ":", ",", " ", "word", "x" * 300, '"content"', _LONG_KEY]
        )
    ).map("".join),
    cut=st.integers(1, 9),
    in_events=st.booleans(),
)
def test_chunks_change_nothing(text: str, cut: int, in_events: bool) -> None:
    assert read(text, cut, in_events=in_events) == read(text, in_events=in_events)


@pytest.mark.parametrize("cut", [1, 7, 100, 250])
def test_what_stands_under_a_key_that_is_too_long_to_be_one_is_no_answer(cut: int) -> None:
    """Whatever the chunks: not even where the rest of it looks like a key."""
    text = f'{{{_LONG_KEY} "free spins", "content": "odds"}}'
    assert read(text, cut, in_events=True) == read(text, in_events=True) == "odds"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_every_text_of_json_is_there(value: object) -> None:
    def texts(of: object) -> list[str]:
        if isinstance(of, str):
            return [of]
        inner = of.values() if isinstance(of, dict) else of
        assert not isinstance(inner, str)
        return [text for each in inner for text in texts(each)]  # type: ignore[attr-defined]

    said = read(json.dumps(value))
    for text in texts(value):
        if " " in text and text.isalpha():
            assert text in said
