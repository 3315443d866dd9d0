"""The domain index beside a dict, marisa-trie and squidGuard, interleaved in one run.

Example, from the repository's folder:

    python -m benchmarks.index --list school --engines native,dict,marisa

squidGuard is Debian's package of that name, marisa-trie the Python package.
"""

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

from benchmarks.index import report, timing
from benchmarks.index.agreement import check
from benchmarks.index.data import LISTS, SLICE, Prepared, mixes, prepare
from benchmarks.index.engines import (
    DictOfSuffixes,
    Engine,
    InPython,
    MarisaTrie,
    NotHereError,
    Schoolgate,
    Session,
    names_of,
    read_masks,
    suffix_look_up,
)
from benchmarks.index.squidguard import EmptySquidGuard, SquidGuard
from benchmarks.index.swapping import gaps_of_swaps
from benchmarks.page import write_section

ENGINES: dict[str, tuple[Engine, ...]] = {
    "native": (Schoolgate(native=True),),
    "pure": (Schoolgate(native=False),),
    "dict": (DictOfSuffixes(),),
    "marisa": (MarisaTrie(),),
    "squidguard": (SquidGuard(), EmptySquidGuard()),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", choices=[*LISTS, "both"], default="school")
    parser.add_argument("--queries", type=int, default=200_000, help="queries a mix")
    parser.add_argument("--engines", default=",".join(ENGINES), help="of %(default)s")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    wanted = arguments.engines.split(",")
    if unknown := set(wanted) - set(ENGINES):
        parser.error(f"no such engine: {', '.join(sorted(unknown))}")
    if arguments.queries < SLICE:
        parser.error(f"--queries: at least {SLICE}")
    engines = [engine for key in wanted for engine in ENGINES[key]]
    names = LISTS if arguments.list == "both" else [arguments.list]
    with tempfile.TemporaryDirectory(prefix="schoolgate-bench-") as directory:
        base = Path(directory)
        tables = [measure(name, base, engines, arguments.queries) for name in names]
    text = report.section(tables, arguments.queries)
    print(text)
    if arguments.write:
        write_section("index", text)


def measure(name: str, base: Path, engines: list[Engine], queries: int) -> str:
    """Give the table of one list."""
    say(f"{name}: preparing")
    data, left_out = timing.in_child(prepare, name, base)
    if left_out:
        say(f"{name}: {left_out} lines are no domain and were left out")
    figures = {engine.key: timing.Figures(engine.title) for engine in engines}
    built = [engine for engine in engines if made(engine, data, figures[engine.key])]

    say(f"{name}: drawing queries")
    masks = read_masks(data)
    look_up = suffix_look_up(masks)
    reference = InPython(look_up, lambda mask: names_of(mask, data))
    queued = mixes(list(masks), look_up, queries)
    for engine in built:
        say(f"{name}: opening {engine.title}")
        figures[engine.key].opening = timing.opening(engine, data, queued["real"])

    sessions: dict[str, Session] = {
        engine.key: reference if isinstance(engine, DictOfSuffixes) else engine.open(data)
        for engine in built
    }
    try:
        say(f"{name}: comparing answers")
        refused = {line for one in figures.values() if one.build for line in one.build.refused}
        notes = [f"Lines that our builder refused: {len(refused):,}."] if refused else []
        if all(key in figures and figures[key].build for key in ("native", "pure")):
            same = filecmp.cmp(data.built("native"), data.built("pure"), shallow=False)
            notes.append(
                f"The two builders of ours wrote {'the same' if same else 'unlike'} files."
            )
        to_check = {key: one for key, one in sessions.items() if key != EmptySquidGuard.key}
        notes += check(reference, to_check, queued, refused)
        say(f"{name}: timing")
        timing.time_calls(sessions, queued, figures)
    finally:
        for session in sessions.values():
            session.close()
    if "native" in sessions:
        say(f"{name}: swapping")
        hosts = [host.decode() for host in queued["real"][:SLICE]]
        notes.append(report.swaps(*gaps_of_swaps(data.built("native"), hosts)))
    return report.table(name, len(masks), len(data.files), figures, notes)


def made(engine: Engine, data: Prepared, figures: timing.Figures) -> bool:
    """Build what an engine needs; say why when that cannot be done here."""
    say(f"{data.name}: building {engine.title}")
    try:
        engine.check()
        if not isinstance(engine, DictOfSuffixes):
            figures.build = timing.in_child(timing.build, engine, data)
            figures.size = engine.size(data)
    except NotHereError as error:
        figures.reason = f"not built ({error})"
        say(f"{data.name}: {engine.title} {figures.reason}")
        # The plain-Python reader can be measured with what the native builder wrote.
        native = data.built("native")
        if not isinstance(engine, Schoolgate) or engine.native or not native.exists():
            return False
        figures.reason += "; its look-ups are those in the native builder's file"
        data.built(engine.key).unlink(missing_ok=True)
        data.built(engine.key).symlink_to(native)
        figures.size = engine.size(data)
    return True


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
