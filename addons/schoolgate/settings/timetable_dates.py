"""The dates of a timetable: terms, INSET days, closures, weeks and early closing."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from itertools import pairwise

from schoolgate.core.timetable import (
    DayEntry,
    DayKind,
    Imported,
    Meaning,
    Place,
    SchoolCalendar,
    Span,
    Term,
    Weeks,
    clock,
    parse_minute,
)
from schoolgate.documents import Loc
from schoolgate.settings.timetable_findings import Findings
from schoolgate.settings.timetable_text import LONGEST_SPAN_DAYS, TimetableText


class Dates:
    """Makes the dates of a timetable and adds what is wrong with them to the findings."""

    def __init__(
        self, text: TimetableText, imported: Sequence[Imported], findings: Findings
    ) -> None:
        self._text = text
        self._imported = imported
        self._findings = findings

    def calendar(self) -> SchoolCalendar:
        """Give the dates that do not depend on times."""
        terms = tuple(self._terms())
        inset = self._dates("inset", Meaning.INSET)
        closed = self._dates("closed", Meaning.CLOSED)
        for day in sorted(inset.keys() & closed.keys()):
            message = f"{day} is an INSET day and closed ({self._findings.where(inset[day])})"
            self._findings.add_at(closed[day], message, "name it once")
        for day in self._text.days:
            for what, days in (("an INSET day", inset), ("closed", closed)):
                if day in days:
                    message = f"{day} has a plan and is {what} ({self._findings.where(days[day])})"
                    self._findings.add(("days", str(day)), message, "take it out there")
        return SchoolCalendar(
            terms=terms,
            inset=frozenset(inset),
            closed=frozenset(closed),
            holidays=frozenset(
                day for entry in self._entries(Meaning.HOLIDAY) for day in entry.span
            ),
            planned=frozenset(self._text.days),
            weeks=self._weeks(bool(terms)),
        )

    def _terms(self) -> Iterator[Term]:
        placed: list[tuple[Term, Place]] = []
        names: set[str] = set()
        for i, text in enumerate(self._text.terms):
            loc: Loc = ("terms", i)
            if text.name in names:
                self._findings.add((*loc, "name"), f"the term '{text.name}' is there twice")
            names.add(text.name)
            if text.to < text.from_:
                self._findings.add((*loc, "to"), f"the term '{text.name}' ends before it starts")
                continue
            if (text.to - text.from_).days > LONGEST_SPAN_DAYS:
                self._findings.add((*loc, "to"), f"the term '{text.name}' is longer than a year")
                continue
            half = text.half_term
            if half is not None and not text.from_ < half.first <= half.last < text.to:
                message = f"the half term is not inside the term '{text.name}'"
                self._findings.add((*loc, "half_term"), message)
            placed.append(
                (Term(text.name, Span(text.from_, text.to), half), self._findings.place(loc))
            )
        placed.extend(
            (Term(entry.name, entry.span), entry.place) for entry in self._entries(Meaning.TERM)
        )
        placed.sort(key=lambda pair: pair[0].span.first)
        for (term, place), (later, later_place) in pairwise(placed):
            if later.span.first <= term.span.last:
                message = f"the term '{later.name}' overlaps '{term.name}' ({self._findings.where(place)})"
                self._findings.add_at(later_place, message)
        yield from (term for term, _ in placed)

    def _dates(self, section: str, meaning: Meaning) -> dict[date, Place]:
        """Give the dates of a section and of the calendar files, with where each stands."""
        dates: dict[date, Place] = {}
        for i, span in enumerate(getattr(self._text, section)):
            for day in span:
                if day in dates:
                    message = f"{day} is there twice ({self._findings.where(dates[day])})"
                    self._findings.add((section, i), message)
                dates.setdefault(day, self._findings.place((section, i)))
        for entry in self._entries(meaning):
            for day in entry.span:
                dates.setdefault(day, entry.place)
        return dates

    def _entries(self, meaning: Meaning) -> Iterator[DayEntry]:
        for imported in self._imported:
            yield from (entry for entry in imported.days if entry.meaning is meaning)

    def _weeks(self, has_terms: bool) -> Weeks | None:
        text = self._text.weeks
        if text is None:
            return None
        if len(set(text.names)) < max(2, len(text.names)):
            hint = "such as [A, B]"
            self._findings.add(
                ("weeks", "names"), "the weeks need two or more different names", hint
            )
        for name in text.names:
            if " " in name or name in self._text.periods:
                self._findings.add(("weeks", "names"), f"'{name}' cannot be the name of a week")
        if not text.first or list(text.first) != sorted(set(text.first)):
            self._findings.add(("weeks", "first"), "the dates are not in their order")
        if text.skip_holidays and not has_terms:
            message = "holidays can be skipped only where there are terms"
            self._findings.add(("weeks", "skip_holidays"), message, "give 'terms'")
        return Weeks(text.names, text.first or (date.min,), text.skip_holidays)

    def early_closing(self, calendar: SchoolCalendar) -> dict[date, int]:
        """Give when the school closes early, in minutes after midnight."""
        closings: dict[date, tuple[int, Place]] = {}

        def close(day: date, minute: int, place: Place) -> None:
            earlier, elsewhere = closings.setdefault(day, (minute, place))
            if earlier != minute:
                message = f"closes at {clock(minute)} on {day}, and at {clock(earlier)} too"
                self._findings.add_at(place, message, f"see {self._findings.where(elsewhere)}")
            kind = calendar.kind(day)
            if kind is DayKind.HOLIDAY:
                self._findings.add_at(place, f"closes early on {day}, which is outside every term")
            elif kind is DayKind.CLOSED:
                self._findings.add_at(
                    place, f"closes early on {day}, when the school is closed anyway"
                )

        for day, text in self._text.early_closing.items():
            loc: Loc = ("early_closing", str(day))
            minute = self._findings.read(loc, partial(parse_minute, text, end=True))
            if minute is not None:
                close(day, minute, self._findings.place(loc))
        for entry in self._entries(Meaning.EARLY_CLOSING):
            for day in entry.span:
                close(day, entry.minute, entry.place)
        return {day: minute for day, (minute, _) in closings.items()}
