"""The page of measured figures: every benchmark writes its own section and leaves the others."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Put a text between ``<!-- name -->`` and ``<!-- /name -->``, at the end if they are not there."""
    before = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    section = f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->\n"
    marked = re.compile(rf"<!-- {name} -->\n.*?<!-- /{name} -->\n", re.DOTALL)
    after, found = marked.subn(lambda _: section, before)
    page.write_text(after if found else f"{before.rstrip()}\n\n{section}", encoding="utf-8")
