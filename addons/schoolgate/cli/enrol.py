"""`schoolgate enrol`: a gateway becomes one of its trust."""

import rich_click as click

from schoolgate.cli.options import when, with_settings
from schoolgate.enrolment.certificates import Named
from schoolgate.enrolment.client import EnrolmentFiles
from schoolgate.enrolment.client import enrol as enrol_here
from schoolgate.settings import Settings


@click.command()
@click.option(
    "--centre", required=True, help="Its address, such as https://centre.trust.example:8443."
)
@click.option("--school", help="As in 'trust:' of schoolgate.yaml when left out.")
@click.option("--gateway", help="The same.")
@click.option("--fingerprint", required=True, help="SHA-256 of the centre's authority.")
@click.option("--token", prompt=True, hide_input=True, help="Good once; asked for when left out.")
@with_settings
def enrol(
    centre: str,
    school: str | None,
    gateway: str | None,
    fingerprint: str,
    token: str,
    settings: Settings,
) -> None:
    """Make this gateway's key, and have it certified by the centre of its trust for a one-time token.

    'schoolgate trust gateway token' prints this command at the centre. The key never leaves this machine.

    \b
    schoolgate enrol --centre https://centre.trust.example:8443 --school hermitage --gateway gw1 \\
      --fingerprint … --token …
    """
    named = _named(settings, school, gateway)
    made = enrol_here(EnrolmentFiles(settings.enrolment_dir), centre, token, fingerprint, named)
    until = when(made.not_valid_after_utc)
    click.echo(
        f"This is {named.school}/{named.gateway} until {until}; it renews itself while bundles are fetched."
    )
    click.echo(f"Its bundles: set bundles.url to {centre.rstrip('/')}/bundles in schoolgate.yaml.")


def _named(settings: Settings, school: str | None, gateway: str | None) -> Named:
    """Give what is told, or else what the settings say; never something between the two.

    Raises:
        UsageError: when nobody says it, or both do and not the same.
    """
    ours = settings.trust
    school, gateway = school or ours.school, gateway or ours.gateway
    if not school or not gateway:
        raise click.UsageError(
            "Which gateway is this? Give --school and --gateway, or trust: {school: …, gateway: …} "
            f"in {settings.file}."
        )
    if ours.school and (ours.school, ours.gateway) != (school, gateway):
        raise click.UsageError(
            f"{settings.file} says that this is {ours.school}/{ours.gateway} (trust:), and not "
            f"{school}/{gateway}."
        )
    return Named(school, gateway)
