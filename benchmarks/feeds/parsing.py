"""Reading lists: lines a second for each format, and how many times a plain loop takes."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from benchmarks.feeds.data import WRITTEN, hosts, tarball
from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats import LINE_FORMATS, Batch, LineFormat, read_tarball
from schoolgate.lists.formats.lines import Excepted, NotUsed
from schoolgate.lists.formats.v2fly import V2FLY

_PIECE = 1 << 16
# The loop is slow: a part of the lines says as much.
_SHARE = 10


def measure_parsers(count: int) -> Iterator[str]:
    """Give a line for each format."""
    names = hosts(count)
    yield f"{len(names):,} lines of each format"
    for name, written in WRITTEN.items():
        text = b"".join(written % host for host in names)
        form = V2FLY if name == "v2fly" else LINE_FORMATS[name]
        loop = _seconds(partial(_loop, form), text[: len(text) // _SHARE])
        yield _figures(name, len(names), _seconds(form.parse, text), loop * _SHARE)
    text = b"\n".join(names) + b"\n"
    loop = _seconds(partial(_loop, LINE_FORMATS["plain"]), text[: len(text) // _SHARE])
    yield _figures("ut1", len(names), _seconds(read_tarball, tarball("adult", text)), loop * _SHARE)


def _figures(name: str, lines: int, seconds: float, loop: float) -> str:
    return f"{name:8} {lines / seconds / 1000:7,.0f} thousand lines/s, {loop / seconds:5.1f} times a loop"


def _seconds(parse: Callable[[Iterable[bytes]], Iterable[Batch]], text: bytes) -> float:
    started = time.perf_counter()
    found = 0
    for batch in parse(text[at : at + _PIECE] for at in range(0, len(text), _PIECE)):
        found += len(batch.entries)
        if batch.faults:
            raise SystemExit(f"a fault in what has none: {batch.faults[0]}")
    if not found:
        raise SystemExit("nothing was read")
    return time.perf_counter() - started


def _loop(form: LineFormat, pieces: Iterable[bytes]) -> Iterator[Batch]:
    batch = Batch()
    for line in b"".join(pieces).splitlines():
        try:
            batch.entries += [entry.encode() for entry in form.read(line.decode())]
        except (BadAddressError, NotUsed, Excepted):
            # The last line of a part is cut.
            continue
    yield batch
