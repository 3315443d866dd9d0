"""A page of plain text in sections, as the public pages are made, and the same for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """For whom it is written."""

    PARENTS = "parents"
    PUPILS = "pupils"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        heading: what it is about.
        paragraphs: sentences.
        points: a list below them.
        tables: below that.
    """

    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicPolicy:
    """The whole page; every text is plain, without markup."""

    title: str
    school: str
    introduction: tuple[str, ...]
    sections: tuple[Section, ...]


def as_text(page: PublicPolicy) -> str:
    """Give the page as plain text, for a terminal or a letter."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: PublicPolicy) -> Iterator[str]:
    yield from (page.title, "=" * len(page.title), page.school, "")
    for paragraph in page.introduction:
        yield from (paragraph, "")
    for section in page.sections:
        yield from (section.heading, "-" * len(section.heading))
        for paragraph in section.paragraphs:
            yield from (paragraph, "")
        for point in section.points:
            yield f"* {point}"
        for table in section.tables:
            for row in table.rows:
                yield f"* {row[0]}: {' | '.join(cell for cell in row[1:] if cell)}"
        yield ""
