"""`schoolgate run` and `schoolgate proxy`: the gateway itself."""

import logging
import os
import socket
from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.authority import CERTIFICATE
from schoolgate.cli.options import with_settings
from schoolgate.core.policy import Enforcement, PolicyEngine
from schoolgate.settings import Settings


@click.command()
@with_settings
def run(settings: Settings) -> None:
    """Start the gateway: everything that this machine needs, until Ctrl-C.

    \b
    schoolgate run
    schoolgate run --config /etc/schoolgate/schoolgate.yaml --state /var/lib/schoolgate
    SCHOOLGATE_PROXY_LISTEN=0.0.0.0:3128 schoolgate run
    """
    _serve(settings, whole=True)


@click.command()
@with_settings
def proxy(settings: Settings) -> None:
    """Start the proxy's workers alone under their supervisor, for systemd.

    \b
    schoolgate proxy --config /etc/schoolgate/schoolgate.yaml
    """
    _serve(settings, whole=False)


@click.command()
@click.option(
    "--listener",
    "places",
    type=int,
    multiple=True,
    hidden=True,
    help="A socket that listens already.",
)
@click.option("--ready", type=int, hidden=True, help="Where to say that it serves.")
@click.option("--figures", type=Path, hidden=True, help="Where its metrics are left.")
@click.option(
    "--seat", type=int, default=0, hidden=True, help="Among those that leave theirs there."
)
@with_settings
def portal(
    places: tuple[int, ...],
    ready: int | None,
    figures: Path | None,
    seat: int,
    settings: Settings,
) -> None:
    """Start the portal alone, for systemd; the gateway finds it by its socket in the state directory.

    \b
    schoolgate portal --config /etc/schoolgate/schoolgate.yaml
    """
    _log()

    def serves() -> None:
        if ready is not None:
            os.write(ready, b"1")
        else:
            click.echo(f"portal   http://{settings.portal.listen}")

    if places:
        bootstrap.end_with_parent()
    if figures is not None:
        bootstrap.share_portal_figures(figures, seat)
    given = [socket.socket(fileno=place) for place in places]
    with bootstrap.occupied(settings):
        bootstrap.serve_portal(settings, click.echo, given, serves)


def _log() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")


def _serve(settings: Settings, *, whole: bool) -> None:
    _log()

    def ready(addresses: bootstrap.Addresses, engine: PolicyEngine) -> None:
        click.echo(f"proxy    {addresses.proxy}")
        if addresses.transparent:
            click.echo(f"redirect {addresses.transparent}")
        if addresses.tunnels:
            click.echo(f"tunnels  {addresses.tunnels}")
        if addresses.portal:
            click.echo(f"portal   {addresses.portal}")
        elif whole:
            click.echo(f"no portal: {addresses.no_portal}")
        click.echo(f"metrics  {addresses.metrics}/metrics")
        click.echo(f"health   {addresses.metrics}/healthz")
        click.echo(f"CA       {settings.ca_dir / CERTIFICATE}")
        click.echo(f"journal  {settings.journal_dir}")
        workers = settings.proxy.workers
        waiting = [
            c.id for c in engine.policy.clauses.values() if c.enforcement is Enforcement.NOT_YET
        ]
        if waiting:
            click.echo(f"clauses not enforced yet: {len(waiting)} (schoolgate policy check)")
        click.echo(
            f"schoolgate is filtering (policy {engine.policy.id}, "
            f"{engine.catalogue.sites.names} domains, {workers} worker{'s' if workers > 1 else ''})"
        )

    bootstrap.serve(settings, ready, whole=whole)
