"""`schoolgate trust portal`: lets the portal of the trust into schools."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.settings import Settings


@click.group()
def portal() -> None:
    """The portal of the trust, at its centre: 'trust: {portal: true}', and then schoolgate portal.

    \b
    schoolgate trust portal admit hermitage st-mary --database postgresql://postgres@/trust
    """


@portal.command()
@click.argument("schools", nargs=-1, required=True, metavar="SCHOOL…")
@click.option(
    "--database",
    required=True,
    metavar="URL",
    help="The trust's database, as somebody who owns it and may make roles.",
)
@with_settings
def admit(schools: tuple[str, ...], database: str, settings: Settings) -> None:
    """Let the portal here into each SCHOOL: a login of its own that reaches that school's data alone.

    The passwords are kept in the state directory, for the portal alone; run again, each school gets
    another one.

    \b
    schoolgate trust portal admit hermitage st-mary --database postgresql://postgres@/trust
    """
    made = bootstrap.admit(settings, database, schools)
    click.echo(f"schools   {', '.join(each.school for each in made)}")
    click.echo(f"passwords {bootstrap.passwords_file(settings)}")
