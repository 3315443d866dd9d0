"""`schoolgate trust serve`: the centre that gateways ask."""

import logging

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.cli.trust_events import is_address
from schoolgate.settings import Settings


@click.command()
@click.option(
    "--name", required=True, help="By which gateways know this server: a host or address."
)
@click.option("--listen", default="0.0.0.0:8443", show_default=True, help="Address and port.")
@click.option(
    "--metrics", default="", metavar="HOST:PORT", help="Where Prometheus asks, e.g. 127.0.0.1:9182."
)
@with_settings
def serve(name: str, listen: str, metrics: str, settings: Settings) -> None:
    """Enrol gateways and serve bundles to those enrolled, over TLS, until Ctrl-C or SIGTERM.

    \b
    schoolgate trust serve --name centre.trust.example
    """
    if metrics and not is_address(metrics):
        raise click.BadParameter(f"'{metrics}' is no HOST:PORT", param_hint="--metrics")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    click.echo(f"fingerprint {bootstrap.fingerprint_of_centre(settings)}")
    bootstrap.serve_centre(settings, name, listen, metrics)
