"""`schoolgate doctor`: is this gateway filtering, and if not, what is wrong."""

import rich_click as click
from click.exceptions import Exit

from schoolgate import authority, bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.core.errors import SchoolgateError
from schoolgate.services import probing
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings


@click.command()
@with_settings
def doctor(settings: Settings) -> None:
    """Look at everything that filtering needs, and ask the running proxy for a blocked site.

    Nothing is asked of any site on the internet. Exits 1 on a fault.

    \b
    schoolgate doctor
    """
    findings = [*_at_rest(settings), *probing.running(settings)]
    for finding in findings:
        mark, style = ("ok   ", "green") if finding.ok else ("FAULT", "bold red")
        output.console.print(f"{mark} ", style=style, end="")
        output.console.print(f"{finding.what}: {finding.said}")
    if not all(finding.ok for finding in findings):
        raise Exit(1)


def _at_rest(settings: Settings) -> list[Finding]:
    findings = [Finding("settings", True, str(settings.file))]
    try:
        engine = bootstrap.load_engine(settings)
    except SchoolgateError as error:
        findings.append(Finding("policy and lists", False, str(error)))
    else:
        entries = engine.catalogue.sites.names
        findings.append(
            Finding("policy and lists", True, f"policy {engine.policy.id}, {entries} domains")
        )
    try:
        info = authority.describe(settings.ca_dir)
        days = (info.not_after - bootstrap.now()).days
        findings.append(Finding("CA", days > 0, f"{info.file}, {days} days left"))
    except SchoolgateError as error:
        findings.append(Finding("CA", False, str(error)))
    try:
        overlay = bootstrap.overlay_if_any(settings)
        said = f"{len(overlay.grants)} grants, {len(overlay.suspensions)} suspensions"
        findings.append(Finding("store", True, said))
        trail = bootstrap.audit_trail_if_any(settings)
        if trail is not None:
            found = trail.verify()
            said = (
                f"{found.entries} entries, {found.erased} of them erased, the last is {found.head}"
            )
            findings.append(Finding("audit trail", found.fault is None, found.fault or said))
    except SchoolgateError as error:
        findings.append(Finding("store", False, str(error)))
    return findings
