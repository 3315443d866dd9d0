"""`schoolgate trust school`: a school's place in the trust's database."""

import os
from pathlib import Path

import rich_click as click

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.schools import add_school

_PRIVATE_FILE = 0o600


@click.group()
def school() -> None:
    """The schools of the trust in its database."""


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
