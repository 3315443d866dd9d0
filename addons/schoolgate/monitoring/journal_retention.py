"""How long what of the journal is kept: by category and by field, and what is held back from deletion."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schoolgate.monitoring.journal_columns import EMPTIED
from schoolgate.monitoring.journal_names import WHO, Pseudonyms

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Held:
    """What is not deleted while somebody needs it as evidence (W-7.2.4).

    Attributes:
        number: by which it is known.
        kind: ``everyone``, ``user``, ``device`` or ``client``.
        name: of whom; empty for everyone.
        since: the first day.
        until: the last day; None where it goes on.
    """

    number: int
    kind: str
    name: str
    since: date
    until: date | None

    def covers(self, day: date) -> bool:
        """Ask whether a day is among those that are held."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Due:
    """What of a day is kept no longer.

    Attributes:
        rows: whether lines go whose category has no time of its own.
        spared: categories of which they stay then.
        gone: categories of which they go.
        fields: of lines that stay, the fields that are emptied.
        held: what stays whatever its age.
    """

    rows: bool
    spared: tuple[str, ...]
    gone: tuple[str, ...]
    fields: tuple[str, ...]
    held: tuple[Held, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether all of it is kept."""
        return not (self.rows or self.gone or self.fields)

    @property
    def text(self) -> str:
        """It in one line, without a name, to see whether it was carried out."""
        if self.is_nothing:
            return ""
        held = sorted(one.number for one in self.held)
        return json.dumps([self.rows, self.spared, self.gone, self.fields, held])

    def sql(self, pseudonyms: Pseudonyms) -> tuple[dict[str, str], str, list[Any]]:
        """Give SQL of columns that replace others and of the rows that stay, and the values of both."""
        held, values = _held(self.held, pseudonyms)
        emptied = {EMPTIED[name]: None for name in self.fields}
        columns = {name: f'CASE WHEN {held} THEN "{name}" END' for name in emptied}
        kept, more = "true", list[Any]()
        if self.rows:
            kept, more = "list_contains(?, coalesce(category, theme, ''))", [list(self.spared)]
        elif self.gone:
            kept, more = "NOT list_contains(?, coalesce(category, theme, ''))", [list(self.gone)]
        return columns, f"({kept}) OR {held}", [*values * len(columns), *more, *values]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept, in days.

    Attributes:
        days: lines whose category has no time of its own.
        categories: lines, by category (or theme, of an alert).
        fields: single fields of all lines, by their name in `EMPTIED`.
    """

    days: int
    categories: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)

    def due(self, day: date, today: date, held: Sequence[Held] = ()) -> Due:
        """Say what of a day is kept no longer.

        Args:
            day: which.
            today: the day that it is.
            held: what covers that day and is not deleted.
        """
        age = (today - day).days
        gone = {name for name, days in self.categories.items() if age > days}
        rows = age > self.days
        return Due(
            rows,
            tuple(sorted(self.categories.keys() - gone)) if rows else (),
            () if rows else tuple(sorted(gone)),
            tuple(sorted(name for name, days in self.fields.items() if age > days)),
            tuple(held),
        )


def _held(held: Sequence[Held], pseudonyms: Pseudonyms) -> tuple[str, list[str]]:
    if any(one.kind == EVERYONE for one in held):
        return "true", []
    named = [one for one in held if one.kind in WHO]
    said = " OR ".join(f'coalesce("{one.kind}" = ?, false)' for one in named)
    return f"({said or 'false'})", [pseudonyms.of(one.kind, one.name) for one in named]
