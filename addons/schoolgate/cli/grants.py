"""`schoolgate grants`, `suspend` and `unsuspend`: opening and closing by hand, at once."""

import getpass
import re
from datetime import datetime, timedelta

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import LONDON, Moment, with_settings
from schoolgate.core.approvals import Role, Subject
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
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="Whose decision it is; circumvention takes the headteacher's.",
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
        Subject.parse(subject),
        starts or now,
        until,
        Role(decided_by),
        reason=reason,
        actor=_actor(),
        now=now,
    )
    click.echo(
        f"Grant {grant.id}: {grant.entry.text} is open for {grant.subject} until {_when(grant.ends)}."
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
    table = output.table("id", "site", "for", "from", "until", "decided by", "reason")
    for grant in kept:
        table.add_row(
            str(grant.id),
            grant.entry.text,
            str(grant.subject),
            _when(grant.starts),
            _when(grant.ends),
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
    bootstrap.open_store(settings).revoke_grant(grant_id, bootstrap.now(), _actor(), reason)
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
    kept = opening.suspend(
        bootstrap.open_store(settings),
        bootstrap.load_engine(settings),
        Subject.parse(who),
        until,
        reason=reason,
        actor=_actor(),
        now=bootstrap.now(),
    )
    click.echo(f"Access is withdrawn from {kept.subject} until {_when(kept.ends)}.")


@click.command()
@click.argument("who")
@with_settings
def unsuspend(who: str, settings: Settings) -> None:
    """Give WHO their internet access back.

    \b
    schoolgate unsuspend 10.0.3.7
    """
    subject = Subject.parse(who)
    bootstrap.open_store(settings).unsuspend(subject, bootstrap.now(), _actor())
    click.echo(f"{subject} has access again.")


def _actor() -> str:
    """Name who sits at this terminal, for the audit."""
    try:
        return f"cli:{getpass.getuser()}"
    except OSError:  # no such user in a bare container
        return "cli"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M %Z}"
