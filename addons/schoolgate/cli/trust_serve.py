"""`schoolgate trust serve`: the centre that gateways ask."""

import logging

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.settings import Settings


@click.command()
@click.option(
    "--name", required=True, help="By which gateways know this server: a host or address."
)
@click.option("--listen", default="0.0.0.0:8443", show_default=True, help="Address and port.")
@with_settings
def serve(name: str, listen: str, settings: Settings) -> None:
    """Enrol gateways and serve bundles to those enrolled, over TLS, until Ctrl-C or SIGTERM.

    \b
    schoolgate trust serve --name centre.trust.example
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    click.echo(f"fingerprint {bootstrap.fingerprint_of_centre(settings)}")
    bootstrap.serve_centre(settings, name, listen)
