"""The form of a school's timetable, in its policy file or in a file of its own."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from schoolgate.core.timetable import DayKind, Meaning, Span
from schoolgate.documents import Strict

LONGEST_SPAN_DAYS = 400

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _date(value: Any) -> date:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"'{value}' is no date of the calendar") from error
    if not isinstance(value, date) or isinstance(value, datetime):
        # Of all errors, pydantic makes a fault of this one alone.
        raise ValueError(f"'{value}' is no date: write it as 2026-09-01")  # noqa: TRY004
    if not 2000 <= value.year <= 2100:
        raise ValueError(f"'{value}' is a year for which nobody makes a timetable")
    return value


def _span(value: Any) -> Span:
    if not isinstance(value, list | tuple):
        day = _date(value)
        return Span(day, day)
    if len(value) != 2:
        raise ValueError("write a date, or the first and the last: [2026-10-26, 2026-10-30]")
    first, last = (_date(part) for part in value)
    if last < first:
        raise ValueError(f"'{last}' is before '{first}': write the first date first")
    if (last - first).days > LONGEST_SPAN_DAYS:
        raise ValueError(f"lasts from '{first}' to '{last}', longer than a year")
    return Span(first, last)


def _time(value: Any) -> Any:
    # YAML reads 13:30 without quotes as a number of base 60.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1440:
        raise ValueError(f'write "{value // 60:02}:{value % 60:02}", in quotes')
    if isinstance(value, float):
        raise ValueError(f"'{value}' is no time: write it as \"09:00\", in quotes")  # noqa: TRY004
    return value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _file_named(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


_DATE_SCHEMA = {"type": "string", "format": "date"}

Text = Annotated[str, Field(min_length=1)]
DateText = Annotated[date, BeforeValidator(_date)]
SpanText = Annotated[
    Span,
    PlainValidator(_span),
    WithJsonSchema(
        {
            "anyOf": [
                _DATE_SCHEMA,
                {"type": "array", "items": _DATE_SCHEMA, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
TimeText = Annotated[str, BeforeValidator(_time)]
RangesText = Annotated[tuple[TimeText, ...], BeforeValidator(_listed)]


class WeeksText(Strict):
    """The weeks of a timetable of several."""

    names: tuple[Text, ...]
    first: Annotated[tuple[DateText, ...], BeforeValidator(_listed)]
    skip_holidays: bool = False


class TermText(Strict):
    """A term."""

    name: Text
    from_: DateText = Field(alias="from")
    to: DateText
    half_term: SpanText | None = None


class PeriodText(Strict):
    """A period: when it is, and on which kinds of days."""

    title: Text
    times: dict[str, RangesText] = Field(default_factory=dict)
    overnight: bool = False
    held: tuple[DayKind, ...] = (DayKind.SCHOOL,)


class ImportText(Strict):
    """A calendar file."""

    file: Text
    all: Meaning | None = None


class TimetableText(Strict):
    """The section ``timetable`` of a policy file."""

    zone: Text = "Europe/London"
    weeks: WeeksText | None = None
    terms: tuple[TermText, ...] = ()
    inset: tuple[SpanText, ...] = ()
    closed: tuple[SpanText, ...] = ()
    early_closing: dict[DateText, TimeText] = Field(default_factory=dict)
    periods: dict[str, PeriodText]
    plans: dict[str, dict[str, RangesText]] = Field(default_factory=dict)
    days: dict[DateText, Text] = Field(default_factory=dict)
    period_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    import_: tuple[Annotated[ImportText, BeforeValidator(_file_named)], ...] = Field(
        default=(), alias="import"
    )
    calendar_words: dict[Meaning, tuple[Text, ...]] = Field(default_factory=dict)


class TimetableFile(Strict):
    """A timetable in a file of its own."""

    timetable: TimetableText
