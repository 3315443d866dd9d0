"""Jinja as the pages use it: the components of govuk-frontend and our own templates."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.templatetags.static import static
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from schoolgate.portal.house import house
from schoolgate.portal.links import link
from schoolgate.portal.pages import menu
from schoolgate.portal.words import legible, visible

_LONDON = ZoneInfo("Europe/London")


def environment(**options: Any) -> Environment:
    """Make the environment that Django asks for."""
    options["loader"] = ChoiceLoader(
        [
            PackageLoader("schoolgate.portal", "templates"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    # The components ask for parameters of parameters that are not given.
    options["undefined"] = ChainableUndefined
    options["finalize"] = visible
    made = Environment(**options)  # noqa: S701 - Django asks for autoescape
    made.globals.update(static=static, url=link)
    made.filters.update(moment=_moment, day=_day, legible=legible)
    return made


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """Give what every page shows."""
    policy = house().engine().policy
    return {"school": policy.school, "contact": policy.contact, "menu": menu(request)}


def _day(at: datetime | date) -> str:
    """Give a day as people say it; of a moment that of the school's zone."""
    day = at.astimezone(_LONDON).date() if isinstance(at, datetime) else at
    return f"{day.day} {day:%B %Y}"


def _moment(at: datetime | float) -> str:
    """Give a time as people say it, of the school's zone."""
    moment = datetime.fromtimestamp(at, _LONDON) if isinstance(at, int | float) else at
    moment = moment.astimezone(_LONDON)
    return f"{moment.day} {moment:%B %Y, %H:%M}"
