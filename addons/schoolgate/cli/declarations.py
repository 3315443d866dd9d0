"""`schoolgate declarations`: who has read and signed the school's declaration."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.services import declarations as register
from schoolgate.settings import Settings


@click.group()
def declarations() -> None:
    """Keep the register of those who have signed the declaration that the policy asks for.

    What happens until somebody has signed (nothing, a warning each day, or no internet) stands in the
    policy under 'declaration:'; a signature is in force on all workers within a second.
    """


_version = click.option(
    "--version", default=None, help="Default: the one that the policy asks for."
)


@declarations.command("sign")
@click.argument("person")
@_version
@with_settings
def sign(person: str, version: str | None, settings: Settings) -> None:
    """Put down that PERSON, named as they sign in, has signed.

    \b
    schoolgate declarations sign jsmith
    schoolgate declarations sign jsmith --version 2026-09
    """
    policy = bootstrap.load_engine(settings).policy
    people = bootstrap.load_people_of(settings, policy)
    store, now = bootstrap.open_store(settings), bootstrap.now()
    kept = register.sign(store, policy, people, person, version, actor=actor(), now=now)
    click.echo(f"{kept.person} has signed {kept.version}.")


@declarations.command("withdraw")
@click.argument("person")
@_version
@click.option("--reason", required=True, help="Why it does not count; for the record.")
@with_settings
def withdraw(person: str, version: str | None, reason: str, settings: Settings) -> None:
    """Put down that a signature of PERSON does not count, such as one under the wrong name.

    \b
    schoolgate declarations withdraw jsmith --reason "the form was another person's"
    """
    policy = bootstrap.load_engine(settings).policy
    people = bootstrap.load_people_of(settings, policy)
    store, now = bootstrap.open_store(settings), bootstrap.now()
    register.withdraw(store, policy, people, person, version, reason=reason, actor=actor(), now=now)
    click.echo(f"The signature of {register.known_person(person, people)} is withdrawn.")


@declarations.command("list")
@click.option("--missing", is_flag=True, help="Only those who are to sign and have not.")
@with_settings
def list_(missing: bool, settings: Settings) -> None:
    """List who has signed, and who of people.yaml and of the portal's accounts has not.

    \b
    schoolgate declarations list
    schoolgate declarations list --missing
    """
    policy = bootstrap.load_engine(settings).policy
    people = bootstrap.load_people_of(settings, policy)
    declaration = register.declaration_of(policy)
    kept = bootstrap.open_store(settings).signatures()
    others = dict(bootstrap.members_if_any(settings, policy, people).values())
    table = output.table("person", "version", "signed", "state")
    for line in register.standing(policy, people, kept, others):
        if not missing or line.signed_at is None:
            moment = when(line.signed_at) if line.signed_at else "-"
            table.add_row(line.person, line.version, moment, line.state)
    output.console.print(table if table.row_count else "There is nobody to list.")
    output.console.print(
        f"(version {declaration.version} under {declaration.clause}, for "
        f"{', '.join(sorted(declaration.groups))}; until signed: {declaration.until_signed})"
    )
