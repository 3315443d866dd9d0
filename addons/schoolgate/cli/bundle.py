"""`schoolgate bundle`: the signed policies and lists of the school's trust, at a gateway."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.errors import SchoolgateError
from schoolgate.settings import Settings


@click.group()
def bundle() -> None:
    """Fetch what the school's trust has signed, policies and lists, and say which is in force."""


@bundle.command()
@with_settings
def fetch(settings: Settings) -> None:
    """Ask the centre, verify what it has, and put it in force; a running gateway takes it within a second.

    What cannot be trusted, or what this gateway could not work with, changes nothing.

    \b
    schoolgate bundle fetch
    """
    from schoolgate.bundles.fetching import fetch as fetch_bundle  # noqa: PLC0415
    from schoolgate.enrolment.client import EnrolmentFiles, renew  # noqa: PLC0415

    try:
        renew(EnrolmentFiles(settings.enrolment_dir), bootstrap.now())
    except SchoolgateError as error:
        # While the certificate is good there is time.
        click.echo(f"The certificate was not renewed: {error}", err=True)
    found = fetch_bundle(bootstrap.fetching_of(settings), lambda: bootstrap.centre_of(settings))
    if found is None:
        click.echo("Nothing changed.")
        return
    _record(settings, "bundle.taken", found.version, {"bundle": found.bundle})
    click.echo(f"Version {found.version} (bundle {found.bundle}) is in force.")


@bundle.command()
@with_settings
def status(settings: Settings) -> None:
    """Show which bundle is in force, which are kept, and how the last fetch ended.

    \b
    schoolgate bundle status
    """
    store = bootstrap.store_of(settings)
    found, state = store.in_force(), store.status()
    if found is None:
        click.echo("no bundle is in force")
    else:
        click.echo(f"in force   version {found.version} (bundle {found.bundle}, ring {found.ring})")
        click.echo(f"let out    {when(found.made)}, good until {when(found.expires)}")
        click.echo(f"kept       {', '.join(str(each) for each in store.kept())}")
    if state.held:
        click.echo(f"held       until something newer than {state.held} comes: rolled back here")
    click.echo(f"centre     last heard of {state.succeeded or 'never'}")
    if state.fault:
        click.echo(f"failed     {state.failures} times since, last {state.tried}: {state.fault}")


@bundle.command()
@click.argument("version", metavar="[VERSION]", type=click.IntRange(min=1), required=False)
@with_settings
def rollback(version: int | None, settings: Settings) -> None:
    """Go back to the bundle before, or to VERSION, at once; it stays until a newer one comes.

    \b
    schoolgate bundle rollback
    """
    from schoolgate.bundles.fetching import roll_back  # noqa: PLC0415

    before, now = roll_back(bootstrap.store_of(settings), version)
    _record(settings, "bundle.rolled-back", now, {"from": before})
    click.echo(f"Version {now} is in force, instead of {before}.")


def _record(settings: Settings, action: str, version: int, detail: dict[str, object]) -> None:
    trail = bootstrap.audit_trail_if_any(settings)
    if trail is not None:
        trail.add(bootstrap.now(), actor(), action, f"bundle:{version}", detail)
