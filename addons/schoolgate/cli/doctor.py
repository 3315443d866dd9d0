"""`schoolgate doctor`: is this gateway filtering, and if not, what is wrong."""

import rich_click as click
from click.exceptions import Exit

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.services import network, probing, selftest_results
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings


@click.command()
@with_settings
def doctor(settings: Settings) -> None:
    """Look at everything that filtering needs, and ask the running proxy for blocked sites.

    Nothing is asked of any site on the internet but the trust's own centre, where there is one.
    Exits 1 on a fault.

    \b
    schoolgate doctor
    """
    findings = [
        *bootstrap.at_rest(settings),
        *probing.running(settings),
        *probing.workers(settings),
        *bootstrap.blocked_sites(settings),
        *selftest_results.found(settings, bootstrap.now()),
        *network.living(settings),
        *bootstrap.beyond(settings),
    ]
    for finding in findings:
        mark, style = _mark(finding)
        output.console.print(f"{mark:5} ", style=style, end="")
        output.console.print(f"{finding.what}: {finding.said}")
    if not all(finding.ok for finding in findings):
        raise Exit(1)


def _mark(finding: Finding) -> tuple[str, str]:
    if not finding.ok:
        return "FAULT", "bold red"
    return ("note", "yellow") if finding.is_note else ("ok", "green")
