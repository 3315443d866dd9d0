"""What the journal counts to, for those in charge: as a page with charts, as a table file and on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from schoolgate.core.approvals import Actor
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.portal import paper, requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.views.register import table_file
from schoolgate.portal.words import said
from schoolgate.services.figures import SCHOOL, Figures, Row, figures_of

_COLUMNS = ("Table", "Name", "Requests", "Blocked", "People")
_PAPER = "paper/figures.html"
_USUAL_DAYS = 7
# Counting takes the processors: the other threads serve the other pages.
_counting = BoundedSemaphore(1)
_LONGEST_WAIT_SECONDS = 5.0
_BUSY = "Others are counting just now. Try again in a minute."
_UNREAD = "The journal cannot be read now. Tell the technician."
# Of a chart, in the units of its own coordinates.
_WIDTH, _HEIGHT, _LINE = 400, 120, 22


class DaysForm(forms.Form):
    """Which days."""

    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: what it is about, where it begins and how large it is, in the chart's coordinates."""

    name: str
    at: float
    size: float
    blocked: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its chart, the bars of which lie; hours stand."""

    title: str
    column: str
    rows: Sequence[Row]
    bars: Sequence[Bar]
    hidden: int
    upright: bool = False


def shown(request: HttpRequest) -> HttpResponse:
    """Show the figures of some days."""
    form, figures, problem = _counted(request)
    given = {
        "form": form,
        "figures": figures,
        "tables": _tables(figures) if figures else (),
        "problem": problem,
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/figures.html", given, status=200 if figures else 503)


def file(request: HttpRequest) -> HttpResponse:
    """Give the same as a file for a table program."""
    _, figures, problem = _counted(request)
    if figures is None:
        return HttpResponse(problem, status=503, content_type="text/plain; charset=utf-8")
    rows = (
        (
            table.title,
            row.name,
            *(_number(value) for value in (row.events, row.blocked, row.people)),
        )
        for table in _tables(figures)
        for row in table.rows
    )
    approved = (
        ("Blocked, then approved", f"{one.site} ({one.approved})", "", _number(one.blocks), "")
        for one in figures.over_blocks
    )
    return table_file("figures.csv", _COLUMNS, [*rows, *approved])


def pdf(request: HttpRequest) -> HttpResponse:
    """Give the same as a PDF."""
    page_of = f"{reverse('figures_page')}?{request.GET.urlencode()}"
    return paper.as_pdf(request, _PAPER, _on_paper(request), "figures.pdf", page_of)


def page(request: HttpRequest) -> HttpResponse:
    """Give the same as a page to print."""
    return paper.as_page(request, _PAPER, _on_paper(request), reverse("figures"))


def _on_paper(request: HttpRequest) -> dict[str, Any]:
    _, figures, problem = _counted(request)
    tables = _tables(figures) if figures else ()
    return {"figures": figures, "tables": tables, "unread": problem, "now": house().now()}


def _counted(request: HttpRequest) -> tuple[DaysForm, Figures | None, str]:
    """Give the form, the figures, and else what keeps them from being shown."""
    here = house()
    form = DaysForm(request.GET.dict())
    form.is_valid()
    today = here.now().astimezone(SCHOOL).date()
    until = form.cleaned_data.get("until") or today
    since = form.cleaned_data.get("since") or until - timedelta(days=_USUAL_DAYS - 1)
    if not _counting.acquire(timeout=_LONGEST_WAIT_SECONDS):
        return form, None, _BUSY
    try:
        requests = _requests(here, requesting.actor_of(request))
        least = here.settings.journal.least_people
        return form, figures_of(here.history, since, until, least, requests), ""
    except RefusedError as error:
        form.add_error(None, said(error))
        return form, None, said(error)
    except UnavailableError:
        return form, None, _UNREAD
    finally:
        _counting.release()


def _requests(here: House, actor: Actor) -> Sequence[Any]:
    return here.approvals.requests(actor)


def _tables(figures: Figures) -> tuple[Table, ...]:
    titles = {row.name: row.name for row in figures.categories}
    titles |= {one.id: one.title for one in house().engine().catalogue.categories.values()}
    categories = [_named(row, titles.get(row.name, row.name)) for row in figures.categories]
    hidden = figures.hidden
    made = (
        Table("Answers", "Answer", figures.verdicts, _lying(figures.verdicts), hidden.get("verdicts", 0)),
        Table("Kinds of sites", "Kind", categories, _lying(categories), hidden.get("categories", 0)),
        Table("Groups", "Group", figures.groups, _lying(figures.groups), hidden.get("groups", 0)),
        Table("Hours of the day", "Hour", figures.hours, _standing(figures.hours), 0, upright=True),
        Table("Ways round the filter", "Way", figures.ways, _lying(figures.ways), hidden.get("ways", 0)),
        Table("Sites that no list knows", "Site", figures.uncategorised, (), hidden.get("uncategorised", 0)),
    )  # fmt: skip
    return tuple(table for table in made if table.rows or table.hidden)


def _named(row: Row, name: str) -> Row:
    return Row(name, row.events, row.blocked, row.people)


def _lying(rows: Sequence[Row]) -> tuple[Bar, ...]:
    most = max((row.events or 0 for row in rows), default=0) or 1
    return tuple(
        _bar(row, number * _LINE, (row.events or 0) / most * _WIDTH)
        for number, row in enumerate(rows)
    )


def _standing(rows: Sequence[Row]) -> tuple[Bar, ...]:
    most = max((row.events or 0 for row in rows), default=0) or 1
    step = _WIDTH / len(rows) if rows else 0
    return tuple(
        _bar(row, round(number * step, 1), (row.events or 0) / most * _HEIGHT)
        for number, row in enumerate(rows)
    )


def _bar(row: Row, at: float, size: float) -> Bar:
    blocked = (row.blocked or 0) / row.events * size if row.events else 0
    return Bar(row.name, at, round(size, 1), round(blocked, 1))


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
