"""`schoolgate pinning`: programs that trust no certificate of the gateway's, and what becomes of them."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, with_settings
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hosts import normalise_host
from schoolgate.lists import pass_unread
from schoolgate.services import pinning as found
from schoolgate.settings import Settings


@click.group()
def pinning() -> None:
    """Find the sites whose programs break when they are read, and pass them unread.

    Counted are handshakes that fail after the gateway's certificate, of devices that trust it elsewhere.
    Two devices on two days make a proposal. What is blocked for some group, or gets round the filter, is
    never passed.
    """


@pinning.command("list")
@with_settings
def list_(settings: Settings) -> None:
    """List what was found out in the last 30 days, and what was decided.

    \b
    schoolgate pinning list
    """
    engine, kept = bootstrap.load_engine(settings), bootstrap.open_pinning(settings)
    table = output.table("host", "device", "clients", "days", "failures", "last", "state")
    for each in found.proposals(engine, kept.evidence(), kept.decisions(), bootstrap.now()):
        seen = each.evidence
        table.add_row(
            seen.host, seen.device_kind or "-", str(seen.clients), str(seen.days),
            str(seen.failures), seen.last.isoformat(), each.state,
        )  # fmt: skip
    output.console.print(table if table.row_count else "No handshake has failed.")


@pinning.command("accept")
@click.argument("host")
@click.option("--reason", default="its programs trust no certificate but their own")
@with_settings
def accept(host: str, reason: str, settings: Settings) -> None:
    """Pass HOST unread from now on, for everybody for whom it is open: a line in pass.txt.

    \b
    schoolgate pinning accept api.bank.example
    """
    engine, kept, now = (
        bootstrap.load_engine(settings), bootstrap.open_pinning(settings), bootstrap.now(),
    )  # fmt: skip
    name = _known(host)
    seen = [each for each in kept.evidence() if each.host == name]
    if not seen:
        raise RefusedError(f"no handshake with {name} has failed: see 'schoolgate pinning list'")
    if why_not := found.why_never_passed(engine, name, now):
        raise RefusedError(f"{name} is never passed unread: {why_not}")
    kept.decide(name, actor(), reason, is_accepted=True, now=now)
    clients = sum(each.clients for each in seen)
    why = f"{now:%Y-%m-%d}, {actor()}: {reason} ({clients} clients)"
    pass_unread(settings.lists.local, name, why)
    click.echo(f"{name} is passed unread; take its line out of pass.txt to have it read again.")


@pinning.command("decline")
@click.argument("host")
@click.option("--reason", required=True, help="Why it stays as it is; for the record.")
@with_settings
def decline(host: str, reason: str, settings: Settings) -> None:
    """Propose HOST no more.

    \b
    schoolgate pinning decline api.bank.example --reason "a game that nobody needs in school"
    """
    name = _known(host)
    kept = bootstrap.open_pinning(settings)
    kept.decide(name, actor(), reason, is_accepted=False, now=bootstrap.now())
    click.echo(f"{name} is proposed no more.")


def _known(host: str) -> str:
    try:
        return normalise_host(host)
    except BadAddressError as error:
        raise RefusedError(str(error)) from error
