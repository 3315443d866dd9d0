"""The same page has the same verdict however it comes: in chunks, encoded, in any charset, or broken."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.content import PhraseModel, Score
from schoolgate.core.media import Head
from schoolgate.core.policy import ContentRules, Decision, Reason, Verdict
from schoolgate.core.urls import parse_url
from schoolgate.lists import phrases_in_force
from schoolgate.proxy.answer_head import AnswerHead
from schoolgate.proxy.decoding import decoder_for
from schoolgate.proxy.judging import judge_of
from schoolgate.proxy.watching import Watch
from tests.content import corpus

ROOT = Path(__file__).resolve().parents[2]
URL = parse_url("https://nothing-known.example/")
ENCODERS = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
PAGES = [
    *list(corpus.written("open"))[:12],
    *list(corpus.written("innocent"))[::4],
]


@pytest.fixture(scope="module")
def model() -> PhraseModel:
    return phrases_in_force([ROOT / "categories"])


def block(score: Score) -> Decision:
    return Decision(Verdict.BLOCK, Reason.CONTENT, "C-1", "texts", score.category)


def watched(
    model: PhraseModel, kind: str, encoding: str = "", fields: Iterable[tuple[str, str]] = ()
) -> Watch:
    """Give what the proxy looks at an answer with."""
    decoder = decoder_for(encoding)
    assert decoder is not None
    head = AnswerHead(Head(URL, kind), 0, None, encoding, "", is_station=False)
    text = judge_of(head, iter(fields), model, block)
    return Watch(ContentRules(), head.head, 0, None, decoder, is_shown=True, text=text)


def verdict(watch: Watch, chunks: Iterable[bytes]) -> str | None:
    """Give the category for which an answer was stopped, if it was."""
    for chunk in chunks:
        decision = watch.look(chunk)
        if decision is not None or watch.is_done:
            return decision.category if decision else None
    decision = watch.end()
    return decision.category if decision else None


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


@settings(max_examples=60, deadline=None)
@given(
    page=st.sampled_from(PAGES),
    size=st.integers(1, 5000),
    encoding=st.sampled_from(sorted(ENCODERS)),
    written=st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
    claimed=st.sampled_from(["", "utf-8", "iso-8859-2", "shift_jis", "nonsense"]),
)
def test_chunks_encoding_and_a_wrong_charset_change_nothing(
    model: PhraseModel,
    page: corpus.WrittenPage,
    size: int,
    encoding: str,
    written: str,
    claimed: str,
) -> None:
    markup = page.markup(written.removesuffix("-sig"))
    want = verdict(watched(model, "text/html; charset=utf-8"), [markup.encode()])
    body = ENCODERS[encoding](markup.encode(written))
    kind = f"text/html; charset={claimed}" if claimed else "text/html"
    assert verdict(watched(model, kind, encoding), pieces(body, size)) == want


CASINO = next(p for p in corpus.written("open") if p.subject == "gambling").markup().encode()


@pytest.mark.parametrize(
    ("kind", "body", "want"),
    [
        ("text/html", CASINO, "gambling"),
        ("", CASINO, "gambling"),
        ("", b"\x89PNG\r\n" + CASINO, None),
        ("image/png", CASINO, None),
        ("application/xhtml+xml", CASINO, "gambling"),
    ],
)
def test_texts_are_judged_whatever_calls_itself_otherwise_is_not_shown_as_one(
    model: PhraseModel, kind: str, body: bytes, want: str | None
) -> None:
    assert verdict(watched(model, kind), [body]) == want


def test_a_label_in_the_head_is_enough(model: PhraseModel) -> None:
    watch = watched(model, "text/html", fields=[("Rating", "RTA-5042-1996-1400-1577-RTA")])
    assert verdict(watch, [b"<p>Enter"]) == "adult"


def test_the_first_bytes_are_scored_when_the_next_come(model: PhraseModel) -> None:
    watch = watched(model, "text/html")
    assert watch.look(CASINO * 20) is None, "it is on its way to the browser"
    decision = watch.look(b" ")
    assert decision is not None
    assert watch.score is not None


def test_a_page_without_an_end_is_judged_on_its_way(model: PhraseModel) -> None:
    watch = watched(model, "text/html")
    found = (watch.look(chunk) for chunk in pieces(CASINO * 20, 1000))
    assert any(decision is not None for decision in found)


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_what_came_before_an_encoding_breaks_is_judged(model: PhraseModel, encoding: str) -> None:
    whole = ENCODERS[encoding](CASINO + bytes(200_000))
    broken = [whole[: len(whole) - 9], b"\xff" * 9]
    assert verdict(watched(model, "text/html", encoding), broken) == "gambling"


@pytest.mark.parametrize(
    ("body", "most_looked_at"),
    [
        (gzip.compress(b"<p>" + bytes(100 << 20)), 40),
        (brotli.compress(b"<p>" + bytes(100 << 20)), 40),
        (zstandard.compress(b"<p>" + bytes(100 << 20)), 40),
    ],
    ids=["gzip", "br", "zstd"],
)
def test_a_bomb_is_looked_at_as_far_as_any_page(
    model: PhraseModel, body: bytes, most_looked_at: int
) -> None:
    encoding = {b"\x1f": "gzip", b"\x28": "zstd"}.get(body[:1], "br")
    watch = watched(model, "text/html", encoding)
    made = 0

    def counted(data: bytes) -> Iterator[bytes]:
        nonlocal made
        decoder = decoder_for(encoding)
        assert decoder is not None
        for piece in decoder.decode(data):
            made += 1
            yield piece

    watch._decode = counted
    assert verdict(watch, [body]) is None
    assert made <= most_looked_at, "pieces of 64 KB or twice that"


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 100_000 + CASINO,
        b"\xff\xfe\xfd" * 10_000,
        b"<!--" + b"-" * 300_000,
        b"<a " + b"x=1 " * 100_000,
        b"",
        b"<",
    ],
    ids=["nested", "invalid", "comment", "attributes", "empty", "begun"],
)
def test_broken_pages_come_to_an_end(model: PhraseModel, body: bytes) -> None:
    assert verdict(watched(model, "text/html"), pieces(body, 10_000)) is None
