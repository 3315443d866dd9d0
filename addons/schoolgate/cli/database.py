"""`schoolgate database`: the database as a whole, moved to another place."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.settings import Settings
from schoolgate.storage import place_of


@click.group()
def database() -> None:
    """The database as a whole."""


@database.command("move")
@click.option(
    "--to",
    "url",
    required=True,
    metavar="URL",
    help="An empty database: postgresql://ROLE@HOST/NAME, or sqlite:///PATH.",
)
@click.option("--dry-run", is_flag=True, help="Look at both, and write nothing.")
@with_settings
def move(url: str, settings: Settings, *, dry_run: bool) -> None:
    """Copy the whole database into another one, row by row compared; the gateway must not run.

    All tables go in one transaction, and are counted and hashed on both sides before it ends; the
    audit trail is gone through in the target. Killed at any moment, it leaves the target empty or
    marked as half-moved, which nothing opens; run it again then. The source is not changed, and the
    settings are yours to change. The way back is the same command, to an empty place.

    \b
    schoolgate database move --to postgresql://hermitage@db.trust.example/trust
    """
    if dry_run:
        for each in bootstrap.look_before_moving(settings, url):
            click.echo(f"{each.rows:>10}  {each.digest[:16]}  {each.table}")
        click.echo("nothing was written: the target can be used, and is empty")
        return
    done = bootstrap.move(settings, url, lambda name, rows: click.echo(f"{rows:>10}  {name}"))
    rows = sum(each.rows for each in done)
    click.echo(f"moved: {len(done)} tables, {rows} rows, each equal in count and hash")
    click.echo(f"from {place_of(settings.database_url)}, which is as it was")
    click.echo(f"now put this into {settings.file} and start the gateway:")
    click.echo(f"database: {place_of(url)}")
