"""How well signs of harm are told from what only looks so: precision and recall on labelled texts.

``python -m benchmarks.safeguarding [FOLDER…]`` prints the tables of docs/safeguarding.md,
``--misses`` the texts that are judged otherwise than they are labelled.
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import yaml

from schoolgate.core.safeguarding import Asked, Concern, Severity, Watch
from schoolgate.core.urls import parse_web_url
from schoolgate.lists.safeguarding_files import load_safeguarding
from schoolgate.settings.services_file import load_services

ROOT = Path(__file__).parents[1]
LABELLED = ROOT / "tests" / "safeguarding"
# Debian's fortunes are sayings and verse of centuries, cut into what somebody could have typed.
FORTUNES = Path("/usr/share/games/fortunes")
_OWN_NAMES = {
    "suicide": "self-harm",
    "grooming": "exploitation",
    "violence-weapons": "violence",
    "eating-disorder": "eating-disorders",
    "sexual-content": "sexual",
}
_MOST_SAYINGS = 2_000


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text.

    Attributes:
        text: a search, or an address.
        theme: of what it is a sign; empty for a near miss.
        severity: None for a near miss.
        is_url: whether it is an address.
    """

    text: str
    theme: str = ""
    severity: Severity | None = None
    is_url: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, with the interval in which the truth is with 95 % (Wilson)."""

    good: int
    of: int

    @property
    def share(self) -> float:
        """Of 1; 1 where there is nothing."""
        return self.good / self.of if self.of else 1.0

    def __str__(self) -> str:
        if not self.of:
            return "–"
        n, p, z = self.of, self.share, 1.96
        middle, reach = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + sign * reach) / (1 + z * z / n) for sign in (-1, 1))
        return f"{p:.2f} ({self.good} of {n}; {max(0, low):.2f}–{min(1, high):.2f})"


def labelled(folders: Iterable[Path] = (LABELLED,)) -> Iterator[Text]:
    """Read every text of some folders: those with a theme and a severity are signs, the others none."""
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            for item in yaml.safe_load(path.read_text(encoding="utf-8")):
                yield _text(item)


def sayings() -> list[Text]:
    """Give six words at a time of Debian's fortunes, evenly from all; none where they are not."""
    found: list[str] = []
    for path in sorted(FORTUNES.glob("*")):
        if path.suffix or not path.is_file():
            continue
        for saying in path.read_text(encoding="utf-8", errors="replace").split("\n%\n"):
            words = re.findall(r"[\w']+", saying)
            found.extend(" ".join(words[at : at + 6]) for at in range(0, len(words) - 5, 6))
    step = max(1, len(found) // _MOST_SAYINGS)
    return [Text(each) for each in found[::step][:_MOST_SAYINGS]]


class Judge:
    """Asks what the gateway would find.

    Args:
        watch: of the phrases that ship.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        services = load_services(ROOT / "config" / "services.yaml")
        self._searching = [each for each in services.values() if each.searching is not None]

    def __call__(self, text: Text) -> list[Concern]:
        """Give the signs in a text."""
        if not text.is_url:
            return self._watch.concerns(Asked(parse_web_url("https://search.example/"), text.text))
        url = parse_web_url(text.text)
        found = [
            each.searching.terms(url)
            for each in self._searching
            if each.searching is not None
            and any(url.host.endswith(entry.host.removeprefix("www.")) for entry in each.hosts)
        ]
        return self._watch.concerns(Asked(url, next(filter(None, found), "")))


def table(texts: Iterable[Text], judge: Judge) -> str:
    """Give the tables as Markdown."""
    judged = [(text, judge(text)) for text in texts]
    signs = [(text, found) for text, found in judged if text.severity is not None]
    misses = [(text, found) for text, found in judged if text.severity is None]
    lines = ["| Theme | danger found as danger | any severity found at all |", "|---|---|---|"]
    themes = sorted({text.theme for text, _ in signs})
    lines += [
        f"| {theme} | {_recall(signs, theme, Severity.DANGER)} | {_recall(signs, theme)} |"
        for theme in themes
    ]
    lines.append(f"| **all** | {_recall(signs, '', Severity.DANGER)} | {_recall(signs, '')} |")
    lines += ["", "| Alert | right | raised for a near miss |", "|---|---|---|"]
    for severity in reversed(Severity):
        lines.append(
            f"| {severity} | {_precision(judged, severity)} | {_false(misses, severity)} |"
        )
    lines += ["", f"{len(signs)} signs ({_count(signs)}), {len(misses)} near misses."]
    return "\n".join(lines)


type _Judged = list[tuple[Text, list[Concern]]]


def _recall(signs: _Judged, theme: str = "", severity: Severity | None = None) -> Rate:
    wanted = [
        (text, found)
        for text, found in signs
        if (not theme or text.theme == theme) and (severity is None or text.severity is severity)
    ]
    good = sum(any(severity in (None, each.severity) for each in found) for _, found in wanted)
    return Rate(good, len(wanted))


def _precision(judged: _Judged, severity: Severity) -> Rate:
    """Count alerts of a severity; right is one for a text that is at most one step milder."""
    raised = [text for text, found in judged if _worst(found) is severity]
    good = sum(
        text.severity is not None and severity.rank - text.severity.rank <= 1 for text in raised
    )
    return Rate(good, len(raised))


def _false(misses: _Judged, severity: Severity) -> Rate:
    return Rate(sum(_worst(found) is severity for _, found in misses), len(misses))


def _worst(found: list[Concern]) -> Severity | None:
    return found[0].severity if found else None


def _count(signs: _Judged) -> str:
    counted = ((each, sum(t.severity is each for t, _ in signs)) for each in reversed(Severity))
    return ", ".join(f"{count} {each}" for each, count in counted)


def _text(item: dict[str, Any]) -> Text:
    theme = _OWN_NAMES.get(item.get("theme", ""), item.get("theme", ""))
    severity = Severity(item["severity"]) if "severity" in item else None
    return Text(item["text"], theme, severity, item.get("kind") == "url")


def _said(texts: Iterable[Text], judge: Judge) -> Iterator[str]:
    for text in texts:
        found = _worst(judge(text))
        if found is not text.severity:
            yield f"{text.severity or '-':9} {found or '-':9} {text.theme:17} {text.text}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[LABELLED])
    parser.add_argument("--misses", action="store_true")
    given = parser.parse_args()
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    texts = list(labelled(given.folders))
    if given.misses:
        print("\n".join(_said(texts, judge)))
        return
    print(table(texts, judge))
    other = sayings()
    if other:
        print(f"\nOf {len(other)} sayings of Debian's fortunes, wrongly:")
        for severity in reversed(Severity):
            print(f"- {severity}: {_false([(each, judge(each)) for each in other], severity)}")


if __name__ == "__main__":
    main()
