"""`schoolgate trust`: what the centre of a trust of several schools does."""

import rich_click as click

from schoolgate.cli.late import LateGroup

# Which module has a command.
_MODULES = {
    "bundle": "trust_bundle",
    "consume": "trust_events",
    "gateway": "trust_gateway",
    "nats": "trust_nats",
    "portal": "trust_portal",
    "school": "trust_school",
    "serve": "trust_serve",
    "sources": "trust_events",
}


@click.group(cls=LateGroup, modules=_MODULES)
def trust() -> None:
    """Many schools, one trust: what its centre does.

    \b
    schoolgate trust bundle make hermitage
    schoolgate trust school add hermitage --database postgresql://postgres@/trust
    """
