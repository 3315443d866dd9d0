"""Opening and closing by hand, at once: `schoolgate grants`, `suspend`, `supervise`, `allow-lesson`."""

import re
from datetime import datetime, timedelta

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import Moment, actor, when, with_settings
from schoolgate.core.approvals import OPENING, Role, Subject
from schoolgate.core.policy import PolicyEngine
from schoolgate.services import opening
from schoolgate.settings import Settings

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Until(click.ParamType[datetime]):
    """An end: a time, or a span from now such as ``90m``, ``2h``, ``7d``, ``4w``."""

    name = "end"

    def convert(self, value: str, param: object, ctx: object) -> datetime:
        """Read it."""
        span = re.fullmatch(r"(\d{1,5})([mhdw])", value)
        if span:
            return bootstrap.now() + timedelta(**{_UNITS[span[2]]: int(span[1])})
        moment: datetime = Moment().convert(value, param, ctx)
        return moment


@click.group()
def grants() -> None:
    """Open sites for somebody for a time; a change is in force on all workers within a second."""


@grants.command("add")
@click.argument("site")
@click.option(
    "--for",
    "subject",
    default="everyone",
    show_default=True,
    help="everyone, group:ID, user:ID, device:ID or an IP address.",
)
@click.option(
    "--until",
    type=Until(),
    required=True,
    help="An end: 2026-12-18T16:00 (school time), or 90m, 2h, 7d, 4w from now.",
)
@click.option(
    "--from", "starts", type=Moment(), default=None, help="A start, school time; default now."
)
@click.option(
    "--decided-by",
    type=click.Choice([role.value for role in OPENING]),
    required=True,
    help="Whose decision it is; what gets round the filter takes whom the policy names under 'bypass'.",
)
@click.option("--reason", required=True, help="Why, for the record.")
@with_settings
def add(
    site: str,
    subject: str,
    until: datetime,
    starts: datetime | None,
    decided_by: str,
    reason: str,
    settings: Settings,
) -> None:
    """Open SITE (a host, host/path or URL) with everything below it.

    \b
    schoolgate grants add ebay.co.uk --until 2h --decided-by headteacher --reason "pricing lesson"
    schoolgate grants add ebay.co.uk --for 10.0.3.7 --until 2026-12-18T16:00 \\
        --decided-by headteacher --reason "school fair"
    """
    engine = bootstrap.load_engine(settings)
    now = bootstrap.now()
    grant = opening.open_site(
        bootstrap.open_store(settings),
        engine,
        site,
        _subject(settings, engine, subject),
        starts or now,
        until,
        Role(decided_by),
        reason=reason,
        actor=actor(),
        now=now,
    )
    click.echo(
        f"Grant {grant.id}: {grant.entry.text} is open for {grant.subject} until {when(grant.ends)}."
    )


@grants.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Those that have ended or were revoked too.")
@with_settings
def list_(ended_too: bool, settings: Settings) -> None:
    """List the grants in force and to come.

    \b
    schoolgate grants list
    schoolgate grants list --all
    """
    kept = bootstrap.open_store(settings).grants(bootstrap.now(), include_ended=ended_too)
    table = output.table("id", "site", "for", "from", "until", "only", "decided by", "reason")
    for grant in kept:
        table.add_row(
            str(grant.id),
            grant.site,
            str(grant.subject),
            when(grant.starts),
            when(grant.ends),
            ", ".join(sorted((*grant.periods, *grant.networks))),
            grant.decided_by.value,
            grant.reason,
        )
    output.console.print(table if kept else "There are no grants.")


@grants.command()
@click.argument("grant_id", metavar="ID", type=int)
@click.option("--reason", default="", help="Why, for the record.")
@with_settings
def revoke(grant_id: int, reason: str, settings: Settings) -> None:
    """Close what grant ID opened.

    \b
    schoolgate grants revoke 3 --reason "the lesson is over"
    """
    bootstrap.open_store(settings).revoke_grant(grant_id, bootstrap.now(), actor(), reason)
    click.echo(f"Grant {grant_id} is revoked.")


@click.command()
@click.argument("who")
@click.option(
    "--until",
    type=Until(),
    required=True,
    help="An end: 2026-12-18T16:00 (school time), or 90m, 2h, 7d, 4w from now.",
)
@click.option("--reason", required=True, help="Why; the person sees it on the page.")
@with_settings
def suspend(who: str, until: datetime, reason: str, settings: Settings) -> None:
    """Withdraw internet access from WHO: everyone, group:ID, user:ID, device:ID or an IP address.

    \b
    schoolgate suspend 10.0.3.7 --until 1d --reason "See the ICT technician"
    """
    engine = bootstrap.load_engine(settings)
    kept = opening.suspend(
        bootstrap.open_store(settings),
        engine,
        _subject(settings, engine, who),
        until,
        reason=reason,
        actor=actor(),
        now=bootstrap.now(),
    )
    click.echo(f"Access is withdrawn from {kept.subject} until {when(kept.ends)}.")


@click.command()
@click.argument("who")
@click.option("--reason", default="", help="Why, for the record.")
@with_settings
def unsuspend(who: str, reason: str, settings: Settings) -> None:
    """Give WHO their internet access back.

    \b
    schoolgate unsuspend 10.0.3.7
    """
    engine = bootstrap.load_engine(settings)
    subject = opening.unsuspend(
        bootstrap.open_store(settings),
        engine,
        bootstrap.load_people_of(settings, engine.policy),
        Subject.parse(who),
        reason=reason,
        actor=actor(),
        now=bootstrap.now(),
    )
    click.echo(f"{subject} has access again.")


@click.command()
@click.argument("who")
@click.option(
    "--until",
    type=Until(),
    required=True,
    help="An end: 2026-12-18T16:00 (school time), or 50m, 2h from now.",
)
@click.option("--reason", required=True, help="Who supervises, and why; for the record.")
@with_settings
def supervise(who: str, until: datetime, reason: str, settings: Settings) -> None:
    """Let WHO, whose access is withdrawn, work under a colleague's eyes for a time.

    \b
    schoolgate supervise user:abc --until 50m --reason "with the class teacher, history"
    """
    engine = bootstrap.load_engine(settings)
    kept = opening.supervise(
        bootstrap.open_store(settings),
        engine,
        _subject(settings, engine, who),
        until,
        reason=reason,
        actor=actor(),
        now=bootstrap.now(),
    )
    click.echo(f"{kept.subject} is supervised until {when(kept.ends)}; suspensions wait that long.")


@click.command("allow-lesson")
@click.argument("group", metavar="CLASS")
@click.argument("sites", nargs=-1, required=True, metavar="SITE…")
@click.option(
    "--period", help="A period of the timetable, now or later today; default that of now."
)
@click.option("--reason", default="part of the lesson", show_default=True, help="For the record.")
@with_settings
def allow_lesson(
    group: str, sites: tuple[str, ...], period: str | None, reason: str, settings: Settings
) -> None:
    """Open SITEs for a CLASS (a group of the policy) for one lesson.

    What a teacher may open, how much of it and for how long stands in the policy under 'lessons:'.

    \b
    schoolgate allow-lesson year-6 youtube.com --period lessons
    """
    store, now = bootstrap.open_store(settings), bootstrap.now()
    engine = bootstrap.load_engine(settings).with_overlay(store.overlay(now))
    kept = opening.open_lesson(
        store, engine, group, sites, period, reason=reason, actor=actor(), now=now
    )
    for grant in kept:
        click.echo(
            f"Grant {grant.id}: {grant.entry.text} is open for {group} "
            f"from {when(grant.starts)} until {when(grant.ends)}."
        )


def _subject(settings: Settings, engine: PolicyEngine, text: str) -> Subject:
    people = bootstrap.load_people_of(settings, engine.policy)
    return opening.known_subject(Subject.parse(text), people)
