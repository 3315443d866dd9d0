r"""What judging a page costs, and what it finds.

python -m benchmarks.content             CPU of one page of 100 KB, beside a naive regex and e2guardian
python -m benchmarks.content --table     precision and recall by category (docs/content.md)
python -m benchmarks.content --write     both, into the documents
python -m benchmarks.content --pages DIR what is found of the pages of a folder (of others, CATEGORY.yaml)
"""

import argparse
import gc
import html
import os
import platform
import random
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.content import peer as peers
from benchmarks.page import write_section
from schoolgate.core.content import PageScorer, PhraseModel, Score
from schoolgate.core.content.folding import fold
from schoolgate.core.media import Head
from schoolgate.core.policy import ContentRules
from schoolgate.core.urls import parse_url
from schoolgate.documents import read_document
from schoolgate.lists.phrase_files import load_phrases, read_phrase_files
from schoolgate.proxy.answer_head import AnswerHead
from schoolgate.proxy.decoding import decoder_for
from schoolgate.proxy.judging import judge_of
from schoolgate.proxy.watching import Watch
from tests.content import corpus

ROOT = Path(__file__).resolve().parents[2]
PHRASES = ROOT / "categories" / "phrases"
DOCUMENT = ROOT / "docs" / "content.md"
_URL, _RULES = parse_url("https://nothing-known.example/"), ContentRules()
PAGE_BYTES, CHUNK, ROUNDS = 100_000, 16_384, 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.content",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--table", action="store_true", help="what is found, by category")
    parser.add_argument("--write", action="store_true", help="write both to the documents")
    parser.add_argument(
        "--pages", type=Path, metavar="DIR", help="what is found of pages of others"
    )
    arguments = parser.parse_args()
    if arguments.pages:
        print(of_others(load_phrases(PHRASES), arguments.pages))
        return
    if arguments.write or not arguments.table:
        text = cost()
        print(text)
        if arguments.write:
            write_section("content", text)
    if arguments.write or arguments.table:
        text = table(load_phrases(PHRASES))
        print(text)
        if arguments.write:
            write_section("table", text, DOCUMENT)


def cost() -> str:
    """Give the CPU of a page, and the memory of the phrases."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = load_phrases(PHRASES)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    page = english_page(random.Random(11))
    naive = _naive()
    ours = _milliseconds(lambda: _verdict(model, page), ROUNDS)
    theirs = _milliseconds(lambda: naive(page), 3)
    first = _milliseconds(lambda: _first_chunk(model, page), ROUNDS)
    without = _milliseconds(lambda: _first_chunk(None, page), ROUNDS)
    peer = peers.measured(page)
    # The machine may have become slower or faster meanwhile.
    ours = statistics.mean((ours, _milliseconds(lambda: _verdict(model, page), ROUNDS)))
    theirs_row = (
        f"| {peer.version}, Debian's settings: its scan of the same page | {peer.scan_ms:.1f} |\n"
        f"| so many times ours | {peer.scan_ms / ours:.1f} |"
        if peer
        else "| e2guardian | is not installed |"
    )
    words = len(re.sub(rb"<(script|style).*?</\1>|<[^>]*>", b" ", page, flags=re.DOTALL).split())
    tags = len(re.findall(rb"<[a-z/]", page))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"""\
## Judging a page by what it says

Printed by `python -m benchmarks.content` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, load of the machine {load}: {len(page):,} bytes of HTML in chunks of {CHUNK:,}, \
{words:,} words of English, {tags:,} tags; {model.phrases:,} phrases of all languages.

| | ms of CPU a page (median) |
|---|---|
| phrases and registers of all languages, as they stream | {ours:.2f} |
| a naive regex: tags away, one expression of all phrases | {theirs:.0f} |
{theirs_row}
| before the first {CHUNK:,} bytes go on, beyond what is done there anyway | {first - without:.3f} |

The phrases take {grown:.0f} MB at most, with what is needed to read them, once for all workers."""


def english_page(draw: random.Random) -> bytes:
    """Give a page as news sites have: a third of it text (of docs/), the rest markup and scripts."""
    prose = " ".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))
    )
    sentences = re.findall(r"[A-Z][\w ,;’'()-]{40,300}[.?]", prose)
    style = "<style>" + ".card>.teaser{margin:0 0 1rem;color:#223}" * 300 + "</style>"
    script = "<script>" + "window.queue=window.queue||[];queue.push({a:1<2});" * 400 + "</script>"
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>The town</title>",
        style,
    ]
    parts += [
        f"<li class='nav__item nav__item--{i}'><a href='/section/{i}'>News {i}</a></li>"
        for i in range(60)
    ]
    size = sum(map(len, parts)) + len(script)
    while size < PAGE_BYTES - 100:
        head, *body = (html.escape(draw.choice(sentences)) for _ in range(3))
        card = (
            f"<article class='card card--wide' id='item-{size}' data-position='{size % 97}'>"
            f"<h2 class='card__title'><a href='/news/{size}/story.html'>{head}</a></h2>"
            f"<p class='card__teaser'>{body[0]} <em>{body[1]}</em></p>"
            f"<img class='card__image' src='/images/{size}-640x360.jpg' srcset='/images/{size}.avif' alt=''>"
            "</article>\n"
        )
        parts.append(card)
        size += len(card)
    return "".join([*parts, script, "</body></html>"]).encode()


def table(model: PhraseModel) -> str:
    """Give what is found on the written pages and on texts that Debian packs."""
    found: dict[str, dict[str, list[bool]]] = {}
    innocent: dict[str, list[bool]] = {}
    for folder in ("open", "sealed"):
        for page in corpus.written(folder):
            score = _verdict(model, page.markup().encode())
            is_found = score is not None and score.category == page.subject
            found.setdefault(page.subject, {}).setdefault(f"own {folder}", []).append(is_found)
    for author in corpus.AUTHORS:
        for folder in ("open", "sealed"):
            for category, scores in _of_folder(model, corpus.PAGES.parent / author / folder):
                if category == "innocent":
                    innocent[f"by another hand ({author}, {folder})"] = [bool(s) for s in scores]
                    continue
                each = [s is not None and s.category == category for s in scores]
                found.setdefault(category, {}).setdefault(folder, []).extend(each)
    columns = ("own open", "own sealed", "open", "sealed")
    rows = [
        f"| {subject} | " + " | ".join(_share(sets.get(name, [])) for name in columns) + " |"
        for subject, sets in sorted(found.items())
    ]
    sums = [_share([hit for sets in found.values() for hit in sets.get(n, [])]) for n in columns]
    rows.append("| all | " + " | ".join(sums) + " |")
    for page in corpus.written("innocent"):
        blocked = _verdict(model, page.markup().encode()) is not None
        innocent.setdefault(page.subject, []).append(blocked)
    clean = [f"| {name} | {len(each)} | {sum(each)} |" for name, each in innocent.items()]
    packed: dict[str, list[bool]] = {}
    for name, text in corpus.debian_texts():
        kind = "packed by Debian: " + corpus.kind_of(name)
        packed.setdefault(kind, []).extend(
            _verdict(model, page.encode()) is not None for page in corpus.pages_of(text, name)
        )
    clean += [f"| {name} | {len(each):,} | {sum(each)} |" for name, each in sorted(packed.items())]
    return "\n".join(
        [
            f"Printed by `python -m benchmarks.content --table` on {datetime.now(UTC):%Y-%m-%d}.",
            "",
            "| category | own pages | own, sealed | of other hands | of other hands, sealed |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "| innocent pages | pages | blocked |",
            "|---|---|---|",
            *clean,
        ]
    )


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}" if found else "–"


def _of_folder(model: PhraseModel, folder: Path) -> Iterator[tuple[str, list[Score | None]]]:
    for file in sorted(folder.glob("*.yaml")):
        pages = [page for page in read_document(file).data if "html" in page]
        if pages:
            yield file.stem, [_verdict(model, page["html"].encode()) for page in pages]


def of_others(model: PhraseModel, folder: Path) -> str:
    """Give what is found of the pages of a folder.

    Each ``CATEGORY.yaml`` is a list of ``{id, html}``; none of ``innocent.yaml`` may be found.
    """
    rows = ["| category | pages | found | as another |", "|---|---|---|---|"]
    for category, scores in _of_folder(model, folder):
        found = sum(score is not None and score.category == category for score in scores)
        other = sum(score is not None for score in scores) - found
        rows.append(f"| {category} | {len(scores)} | {found} | {other} |")
    return "\n".join(rows)


def _verdict(model: PhraseModel, page: bytes) -> Score | None:
    scorer = PageScorer(model, "text/html", "utf-8")
    for start in range(0, len(page), CHUNK):
        scorer.feed(page[start : start + CHUNK])
    return scorer.close()


def _first_chunk(model: PhraseModel | None, page: bytes) -> None:
    """Do what the proxy does with an answer until its first bytes are passed on."""
    head = AnswerHead(Head(_URL, "text/html; charset=utf-8"), 0, None, "", "", is_station=False)
    text = judge_of(head, iter(()), model, lambda _: None) if model is not None else None
    decoder = decoder_for("")
    assert decoder is not None
    Watch(_RULES, head.head, 0, None, decoder, is_shown=True, text=text).look(page[:CHUNK])


def _naive() -> Callable[[bytes], int]:
    """Give what somebody would write first: tags away, and one expression with all phrases."""
    files = read_phrase_files(PHRASES)
    phrases = {
        fold(phrase).decode().strip().replace("  ", " ")
        for _, text in (*files.categories, *files.registers)
        for language in text.languages.values()
        for each in (*language.phrases.values(), language.exculpations)
        for phrase in each
    }
    tags = re.compile(r"<script.*?</script>|<style.*?</style>|<[^>]*>", re.DOTALL)
    longest_first = sorted(phrases, key=len, reverse=True)
    expression = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
    return lambda page: len(expression.findall(tags.sub(" ", page.decode()).lower()))


def _milliseconds(call: Callable[[], object], rounds: int) -> float:
    call()
    gc.collect()
    gc.freeze()  # as workers do once they have started
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken) * 1e3


if __name__ == "__main__":
    main()
