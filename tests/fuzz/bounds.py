"""Answers without bounds: endless, nested, bombs, cut off; each must come to an end after a part of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schoolgate.core.content.scorer import MOST_BYTES
from schoolgate.proxy.decoding import PIECE_BYTES
from schoolgate.proxy.watching import Watch

# Of a bomb; what comes out of it must never be all.
BOMB_BYTES = 64 << 20
# Nothing is looked at of what comes after so much: a page without an end is done.
MOST_LOOKED_AT = MOST_BYTES + 4 * PIECE_BYTES
DEPTH = 100_000
# Charsets in which a page is written, under the name of another.
WRITTEN_IN = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "windows-1252",
    "iso-8859-2",
    "koi8-r",
    "utf-32",
    "cp037",
    "utf-7",
)

OPENINGS = (
    b"<div>", b"<b>", b"<a href=x>", b"<svg><math>", b"<template>", b"<table><tr><td>", b"<!--", b"<![CDATA[",
    b"<script>", b"<title>", b"<p title='", b"&amp", b"[", b'{"a":', b'{"content":["', b'"\\', b"data: {",
    b"<select><option>", b"<frameset><plaintext>", b"\x1b$B", b"<?php ",
)  # fmt: skip
FILLINGS = (
    b"casino free spins ", b"x", b" ", b"\n", b"<", b"</", b"&#x1F3B0;", b"\0", b"\xff", b"\xcc\x81",
    b'"', b"\\", b"\\u00", b"<p>odds</p>", b"'", b"=", b",", b"}{", b"data: \n\n", b"\xf0\x9f\x8e",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unbounded:
    """An answer that has no bounds of its own.

    Attributes:
        name: of what it is.
        body: pieces as they are sent, encoded.
        encoding: in which they are.
        ends: the body does; else it goes on for good.
    """

    name: str
    body: Iterator[bytes]
    encoding: str
    ends: bool


def drawn(
    draw: random.Random, seeds: list[bytes], encoders: dict[str, Callable[[bytes], bytes]]
) -> Unbounded:
    """Draw one."""
    opening, filling, seed = draw.choice(OPENINGS), draw.choice(FILLINGS), draw.choice(seeds)
    chunk = draw.choice((100, 1460, 16_384, 65_536))
    encoding = draw.choice(list(encoders))
    match draw.randrange(5):
        case 0:
            name, whole = "nested", opening * DEPTH + seed
        case 1:
            return Unbounded(
                f"endless {opening!r} {filling!r}", _endless(seed, opening, filling), "", False
            )
        case 2:
            name = f"bomb {encoding} of {filling!r}"
            whole = seed + filling * (BOMB_BYTES // len(filling)) + seed
        case 3:
            name = "written in one charset, under the name of another"
            whole = seed.decode("utf-8", "replace").encode(draw.choice(WRITTEN_IN), "replace")
        case _:
            name, whole = "cut off", seed * draw.randint(1, 40)
    body = encoders[encoding](whole)
    if name == "cut off":
        body = body[: draw.randint(0, len(body))]
    return Unbounded(f"{name} ({opening!r})", _cut(body, chunk, draw), encoding, True)


def _endless(seed: bytes, opening: bytes, filling: bytes) -> Iterator[bytes]:
    yield seed + opening
    piece = filling * (16_384 // len(filling))
    while True:
        yield piece


def _cut(body: bytes, chunk: int, draw: random.Random) -> Iterator[bytes]:
    """Cut somewhere else each time."""
    at = 0
    while at < len(body):
        end = at + draw.randint(1, chunk)
        yield body[at:end]
        at = end


def taken(watch: Watch, answer: Unbounded) -> int:
    """Have an answer looked at to its end, or until nothing more of it is looked at.

    Returns:
        bytes of it that were sent.

    Raises:
        AssertionError: when one without an end is looked at for longer than it may.
    """
    sent = 0
    for piece in answer.body:
        if watch.is_done:
            return sent
        sent += len(piece)
        if watch.look(piece) is not None:
            return sent
        if not answer.ends:
            assert sent <= MOST_LOOKED_AT or watch.is_done, f"no end: {answer.name}"
    watch.end()
    assert watch.is_done
    return sent
