"""`schoolgate lists rollback`: with few imports, as somebody is waiting for it."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import actor, with_settings
from schoolgate.services.feed_rollback import roll_back
from schoolgate.settings import Settings


@click.command("rollback")
@click.argument("number", metavar="N", type=click.IntRange(min=0))
@with_settings
def rollback(number: int, settings: Settings) -> None:
    """Go back to generation N of the fetched lists, at once; 0 is without any.

    The lists that differ stay as they are from then on until you approve them. It is recorded with your
    name in the audit trail. Which generations there are: schoolgate lists status.

    \b
    schoolgate lists rollback 12
    """
    now = bootstrap.now()
    trail = bootstrap.open_audit_trail(settings)
    why = f"taken back to generation {number} by {actor()} on {now:%Y-%m-%d}"
    before, held = roll_back(settings.lists_dir, number, why)
    detail = {"from": before, "to": number, "held": held}
    trail.add(now, actor(), "lists.rolled-back", f"generation:{number}", detail)
    click.echo(f"generation {number} is live, instead of {before}.")
    if held:
        click.echo(f"held until approved: {', '.join(held)}")
