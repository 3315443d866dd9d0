"""What somebody types is text of a bounded length, in one form."""

import pytest

from schoolgate.core.approvals.requests import LONGEST_LINE, LONGEST_TEXT, checked_text
from schoolgate.core.errors import RefusedError


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (" a ", "a"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("עברית · العربية · Ünïcödé · 👩‍🏫", "עברית · العربية · Ünïcödé · 👩‍🏫"),
        ("x" * LONGEST_TEXT, "x" * LONGEST_TEXT),
    ],
)
def test_text_is_kept_as_it_was_typed(text: str, want: str) -> None:
    assert checked_text(text, "a text") == want


@pytest.mark.parametrize(
    ("text", "longest", "want"),
    [
        ("", LONGEST_TEXT, "give a text"),
        (" \n\t ", LONGEST_TEXT, "give a text"),
        ("x" * (LONGEST_TEXT + 1), LONGEST_TEXT, "may have 4000 characters, not 4001"),
        ("x" * (LONGEST_LINE + 1), LONGEST_LINE, "may have 200 characters, not 201"),
        ("a\0b", LONGEST_TEXT, "no control characters"),
        ("a\x1b[31mb", LONGEST_TEXT, "no control characters"),
        ("a\u202eb", LONGEST_TEXT, "no control characters"),
        ("a\u2066b", LONGEST_TEXT, "no control characters"),
        ("a\ud800b", LONGEST_TEXT, "no control characters"),
        ("a\nb", LONGEST_LINE, "no control characters"),
    ],
)
def test_what_is_no_text_is_refused(text: str, longest: int, want: str) -> None:
    with pytest.raises(RefusedError, match=want):
        checked_text(text, "a text", longest)
