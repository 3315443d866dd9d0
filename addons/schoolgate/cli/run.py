"""`schoolgate run` and `schoolgate proxy`: the gateway itself."""

import logging

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
    _serve(settings)


@click.command()
@with_settings
def proxy(settings: Settings) -> None:
    """Start the proxy's workers alone under their supervisor, for systemd.

    In this version that is all there is to run.

    \b
    schoolgate proxy --config /etc/schoolgate/schoolgate.yaml
    """
    _serve(settings)


def _serve(settings: Settings) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")

    def ready(addresses: bootstrap.Addresses, engine: PolicyEngine) -> None:
        click.echo(f"proxy    {addresses.proxy}")
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

    bootstrap.serve(settings, ready)
