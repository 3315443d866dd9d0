"""Fuzzes the judge of texts: made-up and mutated pages, in chunks, encoded, under any type and charset.

They go through what the proxy looks at answers with. Fails on an exception, on a verdict that depends on
the chunks or the encoding (what is broken in its encoding need only come to an end), and on a page that
costs more than `MOST_MS_PER_KB`; the page is then in `build/fuzz/found`. One in a hundred has no bounds of
its own (`bounds`): it must come to an end within `MOST_UNBOUNDED_MS`.

Examples, from the repository's folder:

    python -m tests.fuzz.pages 600              # ten minutes
    python -m tests.fuzz.pages 60 --seed 7      # the same pages again as those that seed 7 made
"""

import gzip
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import brotli
import zstandard

from schoolgate.core.content import PhraseModel, Score
from schoolgate.core.media import Head
from schoolgate.core.policy import ContentRules, Decision, Reason, Verdict
from schoolgate.core.urls import parse_url
from schoolgate.lists.phrase_files import load_phrases
from schoolgate.proxy.answer_head import AnswerHead
from schoolgate.proxy.decoding import decoder_for
from schoolgate.proxy.judging import judge_of
from schoolgate.proxy.watching import Watch
from tests.content import corpus
from tests.fuzz import bounds, command

ROOT = Path(__file__).resolve().parents[2]
URL = parse_url("https://nothing-known.example/")
BLOCK = Decision(Verdict.BLOCK, Reason.CONTENT, "C-1", "texts")
FOUND = command.BUILD / "found"
# Beyond the first 16 KB; an ordinary page takes a fiftieth.
MOST_MS_PER_KB = 2.0
# Of processor time: that is all of an answer that is looked at, and what undoes its encoding.
MOST_UNBOUNDED_MS = 5_000.0
KINDS = (
    "text/html", "text/html", "application/xhtml+xml", "text/plain", "", "application/json",
    "text/event-stream",
)  # fmt: skip
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, "gzip": gzip.compress, "deflate": zlib.compress, "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.compress,
}  # fmt: skip
CHARSETS = (
    None, "utf-8", "utf-16", "windows-1252", "iso-8859-2", "big5", "gb18030", "shift_jis", "euc-kr",
    "iso-2022-jp", "koi8-r", "x-user-defined", "hz-gb-2312", "replacement", "\0",
)  # fmt: skip
PIECES = [
    b'<', b'>', b'</', b'<!--', b'-->', b'<![CDATA[', b']]>', b'<script>', b'</script>',
    b'<title>', b'</title>', b'<style>', b'<plaintext>', b'<template>', b'<svg>', b'<math>',
    b"<a href='", b'<h1>', b'</h1>', b'<img alt="', b'<meta charset=',
    b'<meta name=rating content=', b"<meta name=description content='", b'&#x', b'&amp', b'\x00',
    b'\x07\x05', b'\xff', b'\xef\xbb\xbf', b'\x1b$B', b'\xf0\x9f\x8e\xb0', b"\xcc\x81" * 40,
    b'casino ', b'free spins ', b"<div>" * 200, b" " * 300, b"x" * 3000, b'\xe2\x80\x8b', b'<b>',
    b'</b>',
]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Try pages as the command line says; give the exit code."""
    parser = command.parser_of("tests.fuzz.pages", __doc__)
    command.add_seconds(parser)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the pages that are made: %(default)s"
    )
    asked = parser.parse_args(arguments)
    return tried(asked.seconds, asked.seed)


def tried(seconds: float, seed: int) -> int:
    """Try pages for a time; give the exit code."""
    draw, model = random.Random(seed), load_phrases(ROOT / "categories" / "phrases")
    seeds = [
        page.markup().encode()
        for folder in ("innocent", "open", "sealed")
        for page in corpus.written(folder)
    ]
    end, counts, worst = time.monotonic() + seconds, Counter[str](), 0.0
    unbounded = 0.0
    while time.monotonic() < end:
        if draw.random() < 0.01:
            took = without_bounds(draw, model, seeds)
            if took is None:
                return 1
            unbounded = max(unbounded, took)
            counts["unbounded"] += 1
            continue
        page, kind, charset = made(draw, seeds), draw.choice(KINDS), draw.choice(CHARSETS)
        cut = draw.choice((1, 7, 100, 1460, 16384)) if len(page) < 20_000 else 1460
        try:
            started = time.process_time()
            whole = judged(model, page, len(page) or 1, kind, charset, "")
            each = (time.process_time() - started) * 1e3 / max(16.0, len(page) / 1024)
            fault = "too slow" if each > MOST_MS_PER_KB else ""
            encoding = draw.choice(list(ENCODERS))
            body = ENCODERS[encoding](page)
            if judged(model, body, cut, kind, charset, encoding) != whole:
                fault = f"another verdict in chunks, encoded as {encoding!r}"
            broken = bytearray(body)
            at = draw.randrange(len(body) or 1)
            broken[at : at + 9] = draw.randbytes(9)
            judged(model, bytes(broken), cut, kind, charset, encoding)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            fault = repr(error)
        if fault:
            FOUND.mkdir(parents=True, exist_ok=True)
            path = FOUND / f"page-{seed}-{counts['pages']}"
            path.write_bytes(page)
            print(f"{fault}: {path} ({kind}, {charset}, chunks of {cut})")
            return 1
        worst = max(worst, each)
        counts["pages"] += 1
        counts["bytes"] += len(page)
        counts["verdicts"] += whole is not None
    print(
        f"{counts['pages']:,} pages, {counts['bytes'] / 1e6:,.0f} MB, {counts['verdicts']:,} verdicts; "
        f"at worst {worst:.2f} ms a KB; {counts['unbounded']:,} without bounds, at worst {unbounded:.0f} ms; "
        f"{time.process_time():,.0f} s of processor; seed {seed}; nothing found"
    )
    return 0


def without_bounds(draw: random.Random, model: PhraseModel, seeds: list[bytes]) -> float | None:
    """Look at an answer that has no bounds; give the ms of processor it took, None where it went wrong."""
    answer = bounds.drawn(draw, seeds, ENCODERS)
    kind, charset = draw.choice(KINDS), draw.choice(CHARSETS)
    started = time.process_time()
    try:
        bounds.taken(watch(model, kind, charset, answer.encoding), answer)
        took = (time.process_time() - started) * 1e3
        fault = "too slow" if took > MOST_UNBOUNDED_MS else ""
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        fault = repr(error)
    if not fault:
        return took
    print(f"{fault}: {answer.name} ({kind}, {charset})")
    return None


def made(draw: random.Random, seeds: list[bytes]) -> bytes:
    """Make a page: one of the seeds with pieces put in, taken out, repeated and broken."""
    page = bytearray(draw.choice(seeds) if draw.random() < 0.8 else b"")
    for _ in range(draw.randint(0, 30)):
        at = draw.randint(0, len(page))
        match draw.randrange(5):
            case 0 | 1:
                page[at:at] = draw.choice(PIECES) * draw.choice((1, 1, 1, 2, 50))
            case 2:
                del page[at : at + draw.randint(1, 400)]
            case 3:
                page[at:at] = draw.randbytes(draw.randint(1, 20))
            case _:
                page[at:at] = draw.choice(seeds)[: draw.randint(0, 3000)]
    if draw.random() < 0.02:
        page = page * draw.randint(10, 200)
    return bytes(page[:3_000_000])


def judged(
    model: PhraseModel, body: bytes, cut: int, kind: str, charset: str | None, encoding: str
) -> Score | None:
    """Give the verdict on an answer that comes in chunks, by what the proxy looks at it with."""
    looks = watch(model, kind, charset, encoding)
    for start in range(0, len(body), cut):
        if looks.look(body[start : start + cut]) is not None or looks.is_done:
            return looks.score
    looks.end()
    return looks.score


def watch(model: PhraseModel, kind: str, charset: str | None, encoding: str) -> Watch:
    """Give what the proxy looks at an answer with."""
    decoder = decoder_for(encoding)
    assert decoder is not None
    content_type = f"{kind}; charset={charset}" if charset else kind
    head = AnswerHead(Head(URL, content_type), 0, None, encoding, "", is_station=False)
    text = judge_of(head, iter(()), model, lambda _: BLOCK)
    return Watch(ContentRules(), head.head, 0, None, decoder, is_shown=True, text=text)


if __name__ == "__main__":
    sys.exit(main())
