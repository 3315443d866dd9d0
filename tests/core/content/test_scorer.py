"""One page, one verdict: whatever the chunks and the charset, and whatever the page is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import PageScorer, PhraseModel, Score
from schoolgate.core.content.scorer import CHECKPOINTS, MOST_BYTES
from tests.core.content.conftest import FILLER, GAMBLING

PAGE = f"<html><head><title>Best odds</title></head><body><p>{GAMBLING}</p></body></html>"


def judged(
    model: PhraseModel,
    page: bytes,
    *,
    cut: int = 65536,
    kind: str = "text/html",
    charset: str | None = None,
) -> Score | None:
    scorer = PageScorer(model, kind, charset)
    for start in range(0, len(page), cut):
        scorer.feed(page[start : start + cut])
    return scorer.close()


def test_a_page_is_judged(model: PhraseModel) -> None:
    score = judged(model, PAGE.encode())
    assert score
    assert score.category == "gambling"


@pytest.mark.parametrize(
    "kind", ["text/html", "application/xhtml+xml", "text/plain", " Text/HTML "]
)
def test_kinds_of_text(model: PhraseModel, kind: str) -> None:
    assert judged(model, PAGE.encode(), kind=kind)


def test_what_is_no_text_is_done_at_once(model: PhraseModel) -> None:
    scorer = PageScorer(model, "image/png")
    assert scorer.done
    scorer.feed(PAGE.encode())
    assert scorer.close() is None


TEXTS = st.lists(
    st.sampled_from(
        [
            GAMBLING,
            FILLER,
            "<a href=/>odds</a>",
            "<h2>",
            "jackpot",
            "żółć ",
            "<!--",
            "-->",
            "nurse " * 500,
            "x" * 3000,
        ]
    )
).map(" ".join)


@given(TEXTS, st.integers(1, 9000))
def test_the_same_verdict_in_whatever_chunks(model: PhraseModel, text: str, cut: int) -> None:
    assert judged(model, text.encode(), cut=cut) == judged(model, text.encode())


@given(text=TEXTS, cut=st.integers(1, 9000))
@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "iso-8859-2", "windows-1250"])
def test_the_same_verdict_in_whatever_charset(
    model: PhraseModel, charset: str, text: str, cut: int
) -> None:
    page = f"<p>{text} ł</p>"
    encoded = page.encode(charset)
    assert judged(model, encoded, cut=cut, charset=charset) == judged(model, page.encode())


@pytest.mark.parametrize(
    "claimed", [None, "utf-8", "utf-16", "iso-8859-1", "shift_jis", "nonsense"]
)
def test_a_wrong_charset_hides_nothing(model: PhraseModel, claimed: str | None) -> None:
    assert judged(model, PAGE.encode(), charset=claimed)


def test_a_verdict_comes_at_a_checkpoint_and_stays(model: PhraseModel) -> None:
    scorer = PageScorer(model, "text/plain")
    scorer.feed(GAMBLING.encode())
    assert not scorer.done
    scorer.feed((" " + "x" * 99).encode() * (CHECKPOINTS[0] // 100))
    verdict = scorer.verdict
    assert verdict
    assert scorer.done
    scorer.feed(b" nurse" * 10_000)
    assert scorer.close() is verdict


@given(
    st.binary(max_size=2000),
    st.sampled_from(["text/html", "text/plain"]),
    st.sampled_from([None, "utf-8", "big5", "iso-2022-jp", "utf-16", "x-user-defined"]),
)
def test_any_bytes_end_in_a_verdict_or_none(
    model: PhraseModel, data: bytes, kind: str, charset: str | None
) -> None:
    scorer = PageScorer(model, kind, charset)
    scorer.feed(data)
    scorer.close()
    assert scorer.done


@pytest.mark.parametrize(
    "endless",
    [
        b"word ",
        b"x",
        b"<div>",
        b"<b>",
        b"<!-- ",
        b"<script>",
        b"<a href=",
        b"&",
        b"<",
        b"<p><svg><title>",
        b"\xff\xfe",
        b"\x00",
        "é".encode(),
        "\N{COMBINING ACUTE ACCENT}".encode(),
    ],
)
def test_an_endless_page_is_done(model: PhraseModel, endless: bytes) -> None:
    """Markup 100,000 deep, comments and attributes without an end, invalid bytes."""
    scorer = PageScorer(model, "text/html")
    chunk = endless * (65536 // len(endless))
    for _ in range(MOST_BYTES // len(chunk) + 2):
        scorer.feed(chunk)
    assert scorer.done
    assert scorer.verdict is None


def test_one_chunk_of_a_hundred_megabytes_is_looked_at_up_to_the_bound(model: PhraseModel) -> None:
    scorer = PageScorer(model, "text/html")
    scorer.feed(b"<p>" + bytes(100_000_000))
    assert scorer.done


def test_a_truncated_page_is_judged_by_what_came(model: PhraseModel) -> None:
    assert judged(model, PAGE.encode()[: PAGE.index(FILLER) + 100] + b"<a href='")
