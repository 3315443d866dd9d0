"""The pages that the scorer of texts is held against: written ones, and texts that Debian packs."""

import gzip
import html
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parent / "pages"
# Folders of pages by hands that have not seen the phrases; of what is `sealed` only the count is looked at.
AUTHORS = ("blind", "second", "third", "fourth")
# Words on one page that is made of a long text.
PAGE_WORDS = 700

_SHELL = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="{charset}"><title>{title}</title>
<style>body{{margin:0}}</style><script>if (1 < 2) {{ document.title += "casino"; }}</script></head>
<body><nav><ul>{links}</ul></nav><main><h1>{title}</h1>
{body}
</main><footer><p>Privacy · Cookies · Contact</p></footer></body></html>"""


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page of the folder `pages`.

    Attributes:
        subject: the file that it is of: ``gambling``, ``war-history``.
        title: its first line, which names it.
        language: of its text.
        lines: what stands on it: ``* `` begins a link, ``## `` a heading.
    """

    subject: str
    title: str
    language: str
    lines: tuple[str, ...]

    def markup(self, charset: str = "utf-8") -> str:
        """Give the page as a site would serve it."""
        links = "".join(
            f'<li class="item"><a href="/{i}">{html.escape(line[2:])}</a></li>'
            for i, line in enumerate(self.lines)
            if line.startswith("* ")
        )
        body = "\n".join(
            f"<h2>{html.escape(line[3:])}</h2>"
            if line.startswith("## ")
            else f"<p>{html.escape(line)}</p>"
            for line in self.lines
            if not line.startswith("* ")
        )
        title = html.escape(self.title)
        return _SHELL.format(
            language=self.language, charset=charset, title=title, links=links, body=body
        )


def written(folder: str) -> Iterator[WrittenPage]:
    """Give the pages of a folder: ``innocent``, ``open`` or ``sealed``."""
    for path in sorted((PAGES / folder).glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("\n# "):
            first, *lines = part.removeprefix("# ").strip().splitlines()
            marked = re.match(r"\[(\w\w) ([\w-]+)\] ", first)
            subject, language = (marked[2], marked[1]) if marked else (path.stem, "en")
            title = first[marked.end() :] if marked else first
            yield WrittenPage(subject, title, language, tuple(lines))


def pages_of(text: str, title: str) -> Iterator[str]:
    """Cut a long text into pages of `PAGE_WORDS` words and wrap each."""
    words = text.split()
    for start in range(0, len(words), PAGE_WORDS):
        lines = (" ".join(words[start : start + PAGE_WORDS]),)
        yield WrittenPage(title, title, "en", lines).markup()


def debian_texts() -> Iterator[tuple[str, str]]:
    """Give the names and texts of what is installed of the packages of ``deploy/ci-packages.txt``."""
    for path in sorted(Path("/usr/share/dictd").glob("*.dict.dz")):
        yield path.name, gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    for folder in ("games/fortunes", "misc"):
        for path in sorted((Path("/usr/share") / folder).glob("*")):
            if path.is_file() and not path.suffix and path.stat().st_size < 3_000_000:
                yield path.name, path.read_text(encoding="utf-8", errors="replace")
    for folder in ("anarchism", "debian-history"):
        for path in sorted((Path("/usr/share/doc") / folder).rglob("*.htm*")):
            raw = path.read_bytes()
            raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
            yield path.name, re.sub(r"<[^>]*>", " ", raw.decode("utf-8", "replace"))
    bible = _bible()
    if bible:
        yield "bible", bible


def kind_of(name: str) -> str:
    """Give what kind of text a file of Debian is."""
    kinds = {
        "freedict": "dictionaries of two languages",
        "bible": "Bible",
        "htm": "history and politics",
    }
    found = next((kind for sign, kind in kinds.items() if sign in name), "")
    dictionary = "dictionaries, the large Webster and WordNet among them"
    return found or (dictionary if ".dict" in name else "quotations and lists")


def _bible() -> str:
    """Give the King James Version, which its package keeps compressed, through its own program."""
    try:
        done = subprocess.run(
            ["bible", "gen1:1-rev22:21"], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError:
        return ""
    return done.stdout
