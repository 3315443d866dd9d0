"""`schoolgate policy`: is the policy in order, how much of it is carried out, and does it do so."""

import json
import sys
from pathlib import Path
from typing import TextIO

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.core.policy import Enforcement
from schoolgate.services import comparison
from schoolgate.services.clause_table import clause_table
from schoolgate.services.public_page import Audience, as_text
from schoolgate.services.public_policy import public_policy
from schoolgate.settings import Settings, schema_of_policies

_WORDS = {
    Enforcement.ENFORCED: "enforced",
    Enforcement.PARTLY: "partly",
    Enforcement.NOT_YET: "not yet enforced",
}


@click.group()
def policy() -> None:
    """Check the school's policy."""


@policy.command("check")
@with_settings
def policy_check(settings: Settings) -> None:
    """Name every fault with file and line, then every clause and how far it is enforced.

    Exits 2 when there is a fault.

    \b
    schoolgate policy check
    """
    checked = bootstrap.load_engine(settings).policy
    table = output.table("clause", "", "what it asks for", "what is missing")
    for clause in checked.clauses.values():
        table.add_row(clause.id, _WORDS[clause.enforcement], clause.title, clause.missing)
    output.console.print(table)
    counts = {
        state: sum(clause.enforcement is state for clause in checked.clauses.values())
        for state in Enforcement
    }
    figures = ", ".join(f"{count} {_WORDS[state]}" for state, count in counts.items())
    output.console.print(f"{settings.policy_file}: no faults. Clauses: {figures}.")


@policy.command("cases")
@click.argument("packs", nargs=-1, metavar="[PACK]…")
@click.option("--verbose", "-v", is_flag=True, help="Every case, not only those that fail.")
@with_settings
def policy_cases(packs: tuple[str, ...], verbose: bool, settings: Settings) -> None:
    """Ask each policy what its cases say, and whether every clause that its rules carry out has cases.

    Without a name all policies that stand beside the school's own are asked. Exits 1 when a case
    fails or is missing.

    \b
    schoolgate policy cases
    schoolgate policy cases twiss-green --verbose
    """
    faults = 0
    for book in bootstrap.load_casebooks(settings, packs):
        outcomes = list(book.outcomes())
        failed = [outcome for outcome in outcomes if outcome.problem]
        missing = list(book.uncovered())
        for outcome in outcomes if verbose else failed:
            case = outcome.case
            place = f"{book.file.name}:{case.line}"
            _tell(f"{place} {case.clause}: {case.says} ({case.url})", good=not outcome.problem)
            if outcome.problem:
                output.console.print(f"    {outcome.problem}")
        for clause, kind in missing:
            _tell(f"{book.file.name} {clause}: has no {kind}", good=False)
        faults += len(failed) + len(missing)
        figures = f"{len(outcomes)} cases, {len(failed)} failed"
        output.console.print(f"{book.policy.id}: {figures}, {len(missing)} missing.")
    if faults:
        sys.exit(1)


@policy.command("clauses")
@click.argument("packs", nargs=-1, metavar="[PACK]…")
@with_settings
def policy_clauses(packs: tuple[str, ...], settings: Settings) -> None:
    """Print, in Markdown, which rules carry out each clause and which cases show it.

    \b
    schoolgate policy clauses > docs/clauses.md
    """
    click.echo(clause_table(bootstrap.load_casebooks(settings, packs)), nl=False)


@policy.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--hosts",
    type=click.File(encoding="utf-8"),
    help="A file with a host a line; without it the hosts that the categories list.",
)
@with_settings
def policy_diff(old: str, new: str, hosts: TextIO | None, settings: Settings) -> None:
    """Say which answers change between two policies, for each group in each period of a week.

    OLD and NEW are names of policies that stand beside the school's own, or files. What was decided
    by hand is left out.

    \b
    schoolgate policy diff wellstead /tmp/wellstead.yaml
    schoolgate policy diff wellstead twiss-green --hosts popular.txt
    """
    before, after = (bootstrap.load_engine(settings, policy=name) for name in (old, new))
    named = (line.strip() for line in hosts or ())
    asked = [host for host in named if host] or bootstrap.curated_hosts(settings)
    both = [group for group in before.policy.groups if group in after.policy.groups]
    for name in sorted({*before.policy.groups, *after.policy.groups} - set(both)):
        output.console.print(f"Only one of them has the group {name}.")
    requests = comparison.everybody_asks(after.policy, asked, bootstrap.now())
    _show(comparison.compare(before, after, (r for r in requests if r[0].client.group in both)))


@policy.command("replay")
@click.argument(
    "journals",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@with_settings
def policy_replay(journals: tuple[Path, ...], settings: Settings) -> None:
    """Ask the policy again what journal files say was asked, and say which answers are others now.

    \b
    schoolgate policy replay var/journal/2026-11-23.jsonl
    """
    engine = bootstrap.load_engine(settings)
    _show(comparison.replay(engine, comparison.journal_lines(journals)))


@policy.command("public")
@click.option(
    "--for",
    "audience",
    type=click.Choice([audience.value for audience in Audience]),
    default=Audience.PARENTS.value,
    show_default=True,
    help="For whom it is written.",
)
@with_settings
def policy_public(audience: str, settings: Settings) -> None:
    """Print “What we filter and monitor”, as the portal shows it to everybody.

    \b
    schoolgate policy public
    schoolgate policy public --for pupils
    """
    engine = bootstrap.load_engine(settings)
    page = public_policy(engine, Audience(audience), bootstrap.now().date())
    click.echo(as_text(page), nl=False)


@policy.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of a policy file, for editors.

    \b
    schoolgate policy schema > config/policies/policy.schema.json
    """
    click.echo(json.dumps(schema_of_policies(), indent=1, ensure_ascii=False))


def _show(found: comparison.Comparison) -> None:
    for change in found.changes:
        output.console.print(f"{change.count:,}: {change.before} → {change.after}", style="bold")
        for example in change.examples:
            output.console.print(f"    {example}")
    output.console.print(f"{found.asked:,} asked, {found.changed:,} answered otherwise.")
    if found.unreadable:
        output.console.print(f"{found.unreadable:,} lines could not be read.")


def _tell(text: str, *, good: bool) -> None:
    output.console.print(f"{'✓' if good else '✗'} {text}", style="green" if good else "red")
