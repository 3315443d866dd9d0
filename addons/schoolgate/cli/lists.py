"""`schoolgate lists`: the curated categories."""

import rich_click as click
from click.exceptions import Exit

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.core.policy import Verdict
from schoolgate.lists import lint_catalogue
from schoolgate.settings import Settings


@click.group()
def lists() -> None:
    """Look after the lists of sites."""


@lists.command("lint")
@with_settings
def lists_lint(settings: Settings) -> None:
    """Name every entry that would block too much or is in a wrong form; exits 1 if there is one.

    \b
    schoolgate lists lint
    """
    engine = bootstrap.load_engine(settings)
    blocked = {
        category
        for rule in engine.policy.all_rules
        if rule.verdict is Verdict.BLOCK
        for category in rule.categories
    }
    faults = lint_catalogue(settings.lists.dirs, blocked)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)} faults.", err=True)
        raise Exit(1)
    counts = engine.catalogue.counts
    output.console.print(f"{sum(counts.values())} entries in {len(counts)} categories: no faults.")
