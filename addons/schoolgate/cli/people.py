"""`schoolgate people`: who has an account in the portal, and in which roles."""

import getpass

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, with_settings
from schoolgate.core.approvals import Role
from schoolgate.settings import Settings

ROLES = click.Choice([role.value for role in Role])


@click.group()
def people() -> None:
    """Make accounts for the portal, give them roles, and close them; every change is audited."""


@people.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As pages and the audit trail show it.")
@click.option("--role", "roles", multiple=True, type=ROLES, help="May be given several times.")
@with_settings
def people_add(email: str, name: str, roles: tuple[str, ...], settings: Settings) -> None:
    """Make an account, and print the link on which its owner chooses a password.

    \b
    schoolgate people add head@school.example --name "A. Head" --role headteacher
    """
    link = _accounts(settings).add(email, name, _roles(roles))
    click.echo(
        f"{link}\nThe link works once, for three days. Hand it to its owner and nobody else."
    )


@people.command("list")
@with_settings
def people_list(settings: Settings) -> None:
    """List every account.

    \b
    schoolgate people list
    """
    table = output.table("email", "name", "roles", "")
    for account in _accounts(settings):
        state = "closed" if not account.is_active else "" if account.has_password else "no password"
        table.add_row(account.email, account.name, ", ".join(account.roles), state)
    output.console.print(table)


@people.command("role")
@click.argument("email")
@click.argument("roles", nargs=-1, type=ROLES, metavar="[ROLE]…")
@with_settings
def people_role(email: str, roles: tuple[str, ...], settings: Settings) -> None:
    """Give somebody these roles and no others; without a role they keep none.

    \b
    schoolgate people role head@school.example headteacher dsl
    """
    accounts = _accounts(settings)
    slips = accounts.slips(email, _roles(roles))
    accounts.set_roles(email, _roles(roles))
    _say(slips)
    click.echo(f"{email}: {', '.join(roles) or 'no role'}")


@people.command("link")
@click.argument("email")
@with_settings
def people_link(email: str, settings: Settings) -> None:
    """Print a link on which somebody who forgot their password chooses another.

    \b
    schoolgate people link head@school.example
    """
    click.echo(_accounts(settings).link(email))


@people.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Open the account again.")
@with_settings
def people_disable(email: str, undo: bool, settings: Settings) -> None:
    """Close an account; its sessions end at once.

    \b
    schoolgate people disable head@school.example
    """
    accounts = _accounts(settings)
    slips = accounts.slips(email, active=False) if not undo else []
    accounts.set_active(email, active=undo)
    _say(slips)
    click.echo(f"{email} {'may sign in again' if undo else 'may not sign in any more'}")


_CALLED = click.argument("called", nargs=-1, required=True, metavar="NAME…")


@people.command("export")
@_CALLED
@click.option("--reason", required=True, help="On what ground; it goes into the audit trail.")
@with_settings
def people_export(called: tuple[str, ...], reason: str, settings: Settings) -> None:
    """Print all that is kept of a person, one JSON object a line: journal, then database (H-11.4).

    NAME is the sign-in name, and every address and name that the school knows them by. Passwords and keys are
    left out.

    \b
    schoolgate people export jsmith j.smith@school.example "J. Smith" --reason "asked in May" > of.jsonl
    """
    person = bootstrap.person_of(settings, called)
    trail = bootstrap.open_audit_trail(settings)
    subject = f"user:{person.users[0]}"
    trail.add(bootstrap.now(), actor(), "person.exported", subject, {"reason": reason})
    for entry in bootstrap.kept_of(settings, person):
        click.echo(bootstrap.as_line(entry))


@people.command("erase")
@_CALLED
@click.option("--reason", required=True, help="On what ground; without the person's name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def people_erase(called: tuple[str, ...], reason: str, yes: bool, settings: Settings) -> None:
    """Erase a person from the journal and the database for good (H-11.4); the audit trail still verifies.

    NAME is as for `export`. Their lines, account, signatures and sign-ins are deleted; from requests and
    decisions, which are the school's, their names are taken. Back-ups that were made before still have all.

    \b
    schoolgate people erase jsmith j.smith@school.example "J. Smith" --reason "left in July, article 17"
    """
    person = bootstrap.person_of(settings, called)
    if not yes:
        said = ", ".join(called)
        click.confirm(f"Nobody can bring back what is erased. Erase {said}?", abort=True)
    done = bootstrap.erase(settings, person, reason, actor())
    click.echo(f"erased: {done.lines} lines of the journal, {done.rows} rows of the database")
    for path in done.left:
        click.echo(f"still named in: {path}", err=True)


def _say(slips: list[str]) -> None:
    for one in slips:
        click.echo(one, err=True)


def _roles(names: tuple[str, ...]) -> list[Role]:
    return [Role(name) for name in names]


def _accounts(settings: Settings) -> bootstrap.Accounts:
    return bootstrap.Accounts(settings, f"system:{getpass.getuser()}")
