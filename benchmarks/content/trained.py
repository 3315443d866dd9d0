r"""Whether a trained classifier finds what the phrases do not, at the same precision.

python -m benchmarks.content.trained                 by page: five folds, each judged by the other four
python -m benchmarks.content.trained --by-hand       by who wrote them: each judged by those of others
python -m benchmarks.content.trained --pages DIR     with more open pages (CATEGORY.yaml, {id, html})
python -m benchmarks.content.trained --texts FILE    with more innocent texts, never learnt from
python -m benchmarks.content.trained --phrases DIR   beside other phrases, such as those of an earlier day

Nothing is learnt from pages that are sealed.
"""

import argparse
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.content.__main__ import PHRASES, english_page
from benchmarks.content.linear import Example, LinearModel, features_of, trained
from schoolgate.core.content import PageScorer, PhraseModel
from schoolgate.core.content.folding import fold
from schoolgate.core.content.visible import VisibleText
from schoolgate.documents import read_document
from schoolgate.lists.phrase_files import load_phrases
from tests.content import corpus

FOLDS = 5
BLIND = corpus.PAGES.parent / "blind" / "open"
DEBIAN = "packed by Debian"
# Of the pages that Debian packs so many are learnt from, spread over all.
_LEARNT = 500
# What the model must say beside phrases in any case: one in five, and examples are few.
_FLOOR = -1.5
WAYS = (
    "phrases",
    "half the points alone",
    "model",
    "model and a strong phrase",
    "model and half the points",
)
PHRASES_ALONE, HALF, MODEL, STRONG_TOO, HALF_TOO = WAYS


@dataclass(slots=True)
class Page:
    """A page with what is said of it.

    Attributes:
        source: whose page it is: a folder, or what Debian packs.
        category: what it is about; empty for an innocent one.
        fold: in which it is judged, by a model that was trained on the others.
        markup: as a site would serve it.
        is_learnt: others are judged by what was learnt from it.
        by_phrases: category by the phrases as they are, or under `eased` ones; by way.
        scores: of the model, logits by category.
    """

    source: str
    category: str
    fold: int
    markup: str
    is_learnt: bool
    by_phrases: dict[str, str]
    scores: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.content.trained",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--by-hand", action="store_true")
    parser.add_argument("--pages", type=Path, metavar="DIR", nargs="*", default=[])
    parser.add_argument("--phrases", type=Path, metavar="DIR", default=PHRASES)
    parser.add_argument("--of", type=int, help="categories of the Nth source alone: 1 is our own")
    parser.add_argument("--every", type=int, default=1, help="take each Nth page of Debian's alone")
    parser.add_argument("--texts", type=Path, metavar="FILE", nargs="*", default=[])
    arguments = parser.parse_args()
    written = list(written_pages(arguments.pages, by_hand=arguments.by_hand))
    folds = 1 + max(page.fold for page in written)
    pages = [
        *written,
        *innocent_texts(arguments.every, folds),
        *clean_texts(arguments.texts, folds),
    ]
    models = judge(pages, load_phrases(arguments.phrases))
    print(report(pages, models, by_hand=arguments.by_hand, of=arguments.of))


def written_pages(folders: Iterable[Path], *, by_hand: bool) -> Iterator[Page]:
    """Give the open pages, in folds by page or by who wrote them."""
    places: Counter[str] = Counter()
    sources = [("open", _own()), *((each.name, _others(each)) for each in (BLIND, *folders))]
    for at, (source, found) in enumerate(sources):
        for category, markup in found:
            where = at if by_hand else places[category] % FOLDS
            places[category] += 1
            yield Page(f"{at + 1}: {source}", category, where, markup, True, {}, {})


def _own() -> Iterator[tuple[str, str]]:
    for folder in ("open", "innocent"):
        for page in corpus.written(folder):
            yield "" if folder == "innocent" else page.subject, page.markup()


def _others(folder: Path) -> Iterator[tuple[str, str]]:
    if "sealed" in folder.resolve().parts or "sealed" in folder.name:
        raise SystemExit(f"{folder} is sealed")
    for file in sorted(folder.glob("*.yaml")):
        category = "" if file.stem == "innocent" else file.stem
        yield from ((category, each["html"]) for each in read_document(file).data if "html" in each)


def innocent_texts(every: int, folds: int) -> Iterator[Page]:
    """Give pages made of what Debian packs."""
    all_pages = [
        page for name, text in corpus.debian_texts() for page in corpus.pages_of(text, name)
    ]
    step = max(1, len(all_pages) // _LEARNT)
    for at, markup in enumerate(all_pages):
        if at % step == 0 or at % every == 0:
            yield Page(DEBIAN, "", (at // step) % folds, markup, at % step == 0, {}, {})


def clean_texts(files: Iterable[Path], folds: int) -> Iterator[Page]:
    """Give pages made of innocent texts, from which nothing is learnt."""
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        for at, markup in enumerate(corpus.pages_of(text, file.name)):
            yield Page("clean strings", "", at % folds, markup, False, {}, {})


def judge(pages: Sequence[Page], phrases: PhraseModel) -> list[LinearModel]:
    """Judge each page by phrases and by a model that has not seen it; give the models."""
    half = easier(phrases, points=0.5, least_phrases=2)
    strong = easier(phrases, points=0.0, least_phrases=1)
    eased = {PHRASES_ALONE: phrases, HALF: half, HALF_TOO: half, STRONG_TOO: strong}
    models = []
    learnt = [
        (page.fold, Example(features(page.markup), page.category))
        for page in pages
        if page.is_learnt
    ]
    for fold_ in sorted({page.fold for page in pages}):
        model = trained([example for where, example in learnt if where != fold_])
        models.append(model)
        for page in pages:
            if page.fold == fold_:
                page.scores = model.scores(features(page.markup))
                page.by_phrases = {way: _category(each, page.markup) for way, each in eased.items()}
    return models


def easier(phrases: PhraseModel, points: float, least_phrases: int) -> PhraseModel:
    """Give phrases that need one strong one among a few, and a part of the points."""
    thresholds = {name: needed * points for name, needed in phrases.thresholds.items()}
    weights = replace(phrases.weights, least_strong=1, least_phrases=least_phrases)
    return replace(phrases, thresholds=thresholds, weights=weights)


def features(markup: str) -> frozenset[int]:
    """Give the features of what people see of a page."""
    seen = VisibleText()
    return features_of(fold("".join([*seen.feed(markup), *seen.close()])))


def _category(phrases: PhraseModel, markup: str) -> str:
    scorer = PageScorer(phrases, "text/html", "utf-8")
    scorer.feed(markup.encode())
    score = scorer.close()
    return score.category if score else ""


type Thresholds = dict[str, float]


def thresholds(pages: Iterable[Page], way: str) -> Thresholds:
    """Give what the model must say for each category so that no innocent page of these is blocked."""
    least: Thresholds = {}
    for page in pages:
        if not page.category and not page.by_phrases[PHRASES_ALONE]:
            for category, score in _candidates(page, way):
                least[category] = max(least.get(category, _floor(way)), score)
    return least


def verdict(page: Page, way: str, least: Thresholds) -> str:
    """Give what a page is said to be, in one of the `WAYS`: the phrases alone, the model, or both."""
    if way in (PHRASES_ALONE, HALF):
        return page.by_phrases[way]
    if way != MODEL and page.by_phrases[PHRASES_ALONE]:
        return page.by_phrases[PHRASES_ALONE]
    above = [
        (score, category)
        for category, score in _candidates(page, way)
        if score > least.get(category, _floor(way))
    ]
    return max(above)[1] if above else ""


def _floor(way: str) -> float:
    return -math.inf if way == MODEL else _FLOOR


def _candidates(page: Page, way: str) -> Iterator[tuple[str, float]]:
    """Give the categories that the model is asked about, with what it says."""
    for category, score in page.scores.items():
        if way == MODEL or page.by_phrases[way] == category:
            yield category, score


def report(
    pages: Sequence[Page], models: Sequence[LinearModel], *, by_hand: bool, of: int | None = None
) -> str:
    """Give the tables, as Markdown; categories of one source alone where its number is given."""
    shown = [page for page in pages if of is None or page.source.startswith(f"{of}: ")]
    verdicts = {way: _verdicts(shown, way, thresholds(pages, way)) for way in WAYS}
    categories = sorted({page.category for page in shown} - {""})
    rows = [_row(shown, verdicts, name) for name in (*categories, "all")]
    ways = " | ".join(WAYS)
    rule = "|---|---|" + "---|" * len(WAYS)
    innocent = [page for page in pages if not page.category]
    asked = sum(page.by_phrases[HALF] != "" for page in innocent)
    cpu, bare = _milliseconds()
    size = max(model.size for model in models) / 1e6
    return f"""\
Printed by `python -m benchmarks.content.trained` on {datetime.now(UTC):%Y-%m-%d}, \
{"by who wrote them" if by_hand else f"{FOLDS} folds by page"}: found · precision.

| category | pages | {ways} |
{rule}
{"\n".join(rows)}

| innocent pages blocked, by thresholds of the other folds | pages | {ways} |
{rule}
{"\n".join(_innocent(pages))}

A model of {size:.1f} MB; {cpu:.1f} ms of CPU for a page of 100 KB beside its phrases, of which its words, \
pairs and parts of words take {bare:.1f}. Half the points: {asked:,} of {len(innocent):,} innocent pages."""


def _row(pages: Sequence[Page], verdicts: Mapping[str, Sequence[str]], name: str) -> str:
    count = sum(page.category != "" and name in (page.category, "all") for page in pages)
    cells = " | ".join(_found(pages, verdicts[way], name) for way in WAYS)
    return f"| {name} | {count} | {cells} |"


def _verdicts(pages: Iterable[Page], way: str, least: Thresholds) -> list[str]:
    return [verdict(page, way, least) for page in pages]


def _found(pages: Sequence[Page], said: Sequence[str], name: str) -> str:
    pairs = [(page.category, is_said) for page, is_said in zip(pages, said, strict=True)]
    if name != "all":
        pairs = [pair for pair in pairs if name in pair]
    right = sum(wanted == is_said != "" for wanted, is_said in pairs)
    stopped = sum(is_said != "" and (name in ("all", is_said)) for _, is_said in pairs)
    return f"{right} · {right / stopped:.0%}" if stopped else "0"


def _innocent(pages: Sequence[Page]) -> Iterator[str]:
    """Give how many innocent pages each way blocks, by thresholds that they had no part in."""
    folds = sorted({page.fold for page in pages})
    for source in dict.fromkeys(page.source for page in pages if not page.category):
        mine = [page for page in pages if page.source == source and not page.category]
        counts = []
        for way in WAYS:
            least = {
                each: thresholds((page for page in pages if page.fold != each), way)
                for each in folds
            }
            counts.append(sum(verdict(page, way, least[page.fold]) != "" for page in mine))
        yield f"| {source} | {len(mine):,} | " + " | ".join(map(str, counts)) + " |"


def _milliseconds() -> tuple[float, float]:
    """Give what a page of 100 KB costs beside its phrases: all, and its features alone."""
    seen = VisibleText()
    text = fold("".join([*seen.feed(english_page(random.Random(11)).decode()), *seen.close()]))
    found = features_of(text)
    weights = {bucket: [0.1] * 12 for bucket in list(found)[::3]}
    model = LinearModel(tuple(map(str, range(12))), (0.0,) * 12, weights)
    bare = _median(lambda: features_of(text))
    return bare + _median(lambda: model.scores(found)), bare


def _median(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(50):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken) * 1e3


if __name__ == "__main__":
    main()
