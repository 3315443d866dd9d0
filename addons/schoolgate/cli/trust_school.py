"""`schoolgate trust school`: a school's place in the trust's database."""

import os
from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.settings import Settings
from schoolgate.storage.schools import add_school

_PRIVATE_FILE = 0o600
_MEGABYTE = 1_000_000
# What this command has no right to do.
_ELSEWHERE = """\
left to do, as it is not in the centre's database:
  NATS     write the servers' files anew without {name}'s gateways (schoolgate trust nats), put
           centre.conf in place, nats-server --signal reload; then name the gateways that stay to
           schoolgate trust sources
  back-ups of the centre hold {name} until they are overwritten"""


@click.group()
def school() -> None:
    """The schools of the trust in its database.

    \b
    schoolgate trust school list --database postgresql://postgres@/trust
    schoolgate trust school leave hermitage --database postgresql://postgres@/trust --to hermitage
    """


@school.command("add")
@click.argument("name")
@click.option(
    "--database",
    required=True,
    metavar="URL",
    help="The trust's database, as somebody who owns it and may make roles.",
)
@click.option(
    "--pgpass",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the password goes, a new file; without it NAME.pgpass.",
)
def add(name: str, database: str, pgpass: Path | None) -> None:
    """Make a schema and a role for the school NAME, with no right to anything else.

    What the school's gateway needs is printed; the password goes into a file that only its owner may
    read, and nowhere else.

    \b
    schoolgate trust school add hermitage --database postgresql://postgres@db.trust.example/trust
    """
    place = pgpass or Path(f"{name}.pgpass")
    added = add_school(database, name)
    try:
        handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
        with os.fdopen(handle, "w") as file:
            file.write(added.pgpass)
    except OSError as error:
        raise UnavailableError(
            f"{place}: {error.strerror}. The school is made, without a password that anybody knows: "
            f'set one with psql, \\password "{name}"'
        ) from error
    click.echo(f"school   {name}: a schema and a role of this name")
    click.echo(f"password {place}: bring it to the gateway, and name it there in PGPASSFILE")
    click.echo(f"setting  database: {added.url}")


@school.command("list")
@click.option(
    "--database", required=True, metavar="URL", help="The trust's database, as who owns it."
)
def list_(database: str) -> None:
    """Show the schools: how much they keep, who is connected, and when something was last written down.

    \b
    schoolgate trust school list --database postgresql://postgres@db.trust.example/trust
    """
    table = output.table("school", "MB", "connections", "last entry", "")
    for each in bootstrap.schools_of(database):
        last = when(each.last) if each.last else "none"
        state = "" if each.is_open else "shut: it leaves"
        size = f"{each.size / _MEGABYTE:.1f}"
        table.add_row(each.name, size, str(each.connections), last, state)
    output.console.print(table)


@school.command("leave")
@click.argument("name")
@click.option(
    "--database",
    required=True,
    metavar="URL",
    help="The trust's database, as who owns it and has made the schools.",
)
@click.option(
    "--to",
    "directory",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A new directory for all that the school takes along.",
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the tables of events (trust consume --out), which must not run meanwhile.",
)
@click.option(
    "--remove", is_flag=True, help="Then remove the school here; asks for its name once more."
)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@with_settings
def leave(
    name: str,
    settings: Settings,
    database: str,
    directory: Path,
    events: Path | None,
    *,
    remove: bool,
    yes: bool,
) -> None:
    """Give the school NAME all that the trust keeps of it; with --remove, keep nothing of it here.

    The directory gets the school's database as one file of SQLite, every row compared and the audit
    trail gone through, its events, sums of all files, and a README of how the school goes on alone.
    Without --remove nothing is changed here. With it the school is shut first; what was exported
    (now, or by an earlier call with the same directory) is compared once more; then its gateways
    are revoked, and events, schema and role removed. Killed at any moment, nothing is lost: run it
    again.

    \b
    schoolgate trust school leave hermitage --database postgresql://postgres@/trust \\
        --to hermitage --events /srv/events
    schoolgate trust school leave hermitage --database postgresql://postgres@/trust \\
        --to hermitage --events /srv/events --remove
    """
    place = directory.absolute()
    leaving = bootstrap.Leaving(
        settings, database, name, place, events.absolute() if events else None, actor()
    )

    def say(table: str, rows: int) -> None:
        click.echo(f"{rows:>10}  {table}")

    if not remove:
        taken = bootstrap.take_out_school(leaving, say)
        _show_taken(leaving, taken.rows, taken.lines)
        return
    if not yes and click.prompt(f"Type {name} to remove it from this trust") != name:
        raise RefusedError("That is another name: nothing was done.")
    taken, removed = bootstrap.remove_school(leaving, say)
    _show_taken(leaving, taken.rows, taken.lines)
    if not removed.was_there:
        click.echo(f"{name} was not in the database any more")
    click.echo(
        f"removed: {removed.certificates} certificates, {removed.tokens} open tokens, "
        f"{removed.tables} tables of events, schema and role {name}"
    )
    if events is None:
        click.echo(f"events of {name} stay where they are: --events was not given")
    click.echo(_ELSEWHERE.format(name=name))


def _show_taken(leaving: "bootstrap.Leaving", rows: int, lines: int) -> None:
    click.echo(f"exported: {rows} rows and {lines} events, each compared, to {leaving.directory}")
    click.echo(f"{leaving.directory / 'README.md'} says how {leaving.school} goes on alone")
