"""`schoolgate trust gateway health`: how the gateways of all schools are, at the trust's centre."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import when, with_settings
from schoolgate.core.errors import UnavailableError
from schoolgate.services.gateway_drift import Finding, standing
from schoolgate.settings import Settings
from schoolgate.storage.gateway_states import Report


@click.command()
@click.option(
    "--database",
    required=True,
    metavar="URL",
    help="The trust's database, as somebody who may read every school's tables.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Text file for Prometheus' node exporter, e.g. …/schoolgate-trust.prom.",
)
@with_settings
def health(database: str, settings: Settings, metrics: Path | None, *, as_json: bool) -> None:
    """Show how the gateways of all schools are, and what of them is not as it should be.

    Compared are bundles with what this centre has let out, programs and policies among each other, clocks
    with the database's. Who is enrolled and has never reported is named. Exits 1 if anything is found.

    \b
    schoolgate trust gateway health --database postgresql://watch@db.trust.example/trust
    schoolgate trust gateway health --database postgresql://watch@/trust --json | jq -r '.findings[].said'
    """
    found = bootstrap.health_of(settings, database)
    if metrics is not None:
        _write(found, metrics)
    if as_json:
        click.echo(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        _show(found)
    if found.findings:
        raise Exit(1)


def _write(found: bootstrap.TrustHealth, file: Path) -> None:
    from schoolgate.monitoring.trust_metrics import write_trust_figures  # noqa: PLC0415

    reports = found.reports
    counts = standing(reports, found.findings)
    try:
        write_trust_figures(file, counts, len(reports.unreadable), reports.at.timestamp())
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from error


def _show(found: bootstrap.TrustHealth) -> None:
    table = output.table("school", "gateway", "program", "ring", "bundle", "workers", "last heard")
    for report in found.reports.reports:
        state = report.state
        table.add_row(
            state.school,
            state.gateway,
            state.program,
            state.ring,
            str(state.bundle or ""),
            f"{state.workers_up}/{state.workers_wanted}",
            when(report.at),
        )
    output.console.print(table)
    for finding in found.findings:
        output.console.print(f"{_place(finding)} {finding.said}; {finding.who}", style="bold red")
    if not found.findings:
        output.console.print("All is as it should be.")


def _place(finding: Finding) -> str:
    if not finding.gateway:
        return f"{finding.school}:"
    return f"{finding.school}/{finding.gateway}"


def _as_json(found: bootstrap.TrustHealth) -> dict[str, object]:
    reports = found.reports
    return {
        "at": reports.at.isoformat(),
        "gateways": [_gateway(report) for report in reports.reports],
        "unreadable": dict(reports.unreadable),
        "findings": [asdict(one) | {"kind": one.kind.value} for one in found.findings],
    }


def _gateway(report: Report) -> dict[str, object]:
    said = asdict(report.state) | {"clock": report.clock, "reported_at": report.at}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in said.items()
    }
