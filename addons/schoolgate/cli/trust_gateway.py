"""`schoolgate trust gateway`: which gateways belong to the trust, at its centre."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.cli.trust_health import health
from schoolgate.core.errors import RefusedError
from schoolgate.enrolment.certificates import Named
from schoolgate.settings import Settings


@click.group()
def gateway() -> None:
    """Let gateways of schools into the trust, put them out again, and see how they are."""


gateway.add_command(health)


@gateway.command()
@click.argument("school")
@click.argument("name", metavar="GATEWAY")
@with_settings
def token(school: str, name: str, settings: Settings) -> None:
    """Make a token by which GATEWAY of SCHOOL enrols, once, within a day; it is shown this once.

    \b
    schoolgate trust gateway token hermitage gw1
    """
    named = Named(school, name)
    fingerprint = bootstrap.fingerprint_of_centre(settings)
    made = bootstrap.ledger_of(settings).new_token(named, bootstrap.now())
    _record(settings, "trust.token-made", named)
    click.echo("On the gateway, within 24 hours:")
    click.echo(
        f"schoolgate enrol --centre https://CENTRE:8443 --school {school} --gateway {name} "
        f"--fingerprint {fingerprint} --token {made}"
    )


@gateway.command()
@click.argument("school")
@click.argument("name", metavar="GATEWAY")
@with_settings
def revoke(school: str, name: str, settings: Settings) -> None:
    """Put GATEWAY of SCHOOL out, at once: its certificates and open tokens are good for nothing.

    \b
    schoolgate trust gateway revoke hermitage gw1
    """
    named = Named(school, name)
    many = bootstrap.ledger_of(settings).revoke(named, bootstrap.now())
    _record(settings, "trust.gateway-revoked", named)
    if not many:
        raise RefusedError(f"{school}/{name} was not enrolled; its open tokens are gone.")
    click.echo(f"{school}/{name} is out.")


@gateway.command("list")
@with_settings
def list_(settings: Settings) -> None:
    """Show who is enrolled.

    \b
    schoolgate trust gateway list
    """
    table = output.table("school", "gateway", "until")
    for each in bootstrap.ledger_of(settings).enrolled():
        until = "revoked" if each.is_revoked else when(each.until)
        table.add_row(each.named.school, each.named.gateway, until)
    output.console.print(table)


def _record(settings: Settings, action: str, named: Named) -> None:
    trail = bootstrap.audit_trail_if_any(settings)
    if trail is not None:
        about = f"gateway:{named.school}/{named.gateway}"
        trail.add(bootstrap.now(), actor(), action, about, {})
