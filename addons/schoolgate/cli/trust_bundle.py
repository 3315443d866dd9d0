"""`schoolgate trust bundle`: policies and lists that a trust signs for its gateways, at its centre."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, with_settings
from schoolgate.core.errors import RefusedError
from schoolgate.settings import Settings

if TYPE_CHECKING:
    from schoolgate.bundles.repository import Repository

_DAYS = 90


def _with_keys[F: Callable[..., Any]](command: F) -> F:
    return click.option(
        "--keys",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the keys are; without it <state_dir>/trust/keys. Root and targets belong on a stick.",
    )(command)


@click.group()
def bundle() -> None:
    """Make bundles of policies and lists, let canaries have them first, then all; take them back.

    \b
    schoolgate trust bundle keys
    schoolgate trust bundle make hermitage --lists
    schoolgate trust bundle stage 1
    schoolgate trust bundle release 1
    """


@bundle.command("keys")
@_with_keys
@with_settings
def make_keys_of_trust(settings: Settings, keys: Path | None) -> None:
    """Make the trust's keys and its repository, once.

    root.key and targets.key sign what gateways believe: keep them offline, with copies. online.key stays
    here; it can only say that what was signed is the newest.

    \b
    schoolgate trust bundle keys --keys /media/stick/keys
    """
    from schoolgate.bundles.keys import make_keys  # noqa: PLC0415

    place, repository = _keys(settings, keys), _repository(settings)
    make_keys(place)
    repository.found(place, bootstrap.now())
    click.echo(f"The keys are in {place}: take root.key and targets.key off this machine.")
    click.echo(f"The root for gateways is {repository.root_file}; it holds no secret.")


@bundle.command()
@click.argument("base", metavar="POLICY")
@click.option("--lists", is_flag=True, help="With the fetched lists and their index.")
@with_settings
def make(base: str, settings: Settings, lists: bool) -> None:
    """Make a bundle of the trust's POLICY, which every school's extends; nobody gets it yet.

    \b
    schoolgate trust bundle make hermitage --lists
    """
    files = bootstrap.files_of_policy(settings, base)
    if lists:
        files |= bootstrap.files_of_lists(settings)
    number = _repository(settings).make(files)
    click.echo(
        f"Bundle {number} is made of {len(files)} files; 'stage {number}' gives it to canaries."
    )


@bundle.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.option("--days", type=click.IntRange(1, 400), default=_DAYS, help="That it is good for.")
@_with_keys
@with_settings
def stage(number: int, settings: Settings, days: int, keys: Path | None) -> None:
    """Sign bundle N for the gateways of the ring canary.

    \b
    schoolgate trust bundle stage 3
    """
    from schoolgate.bundles.repository import CANARY  # noqa: PLC0415

    _let_out(settings, CANARY, number, keys, days)


@bundle.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.option("--days", type=click.IntRange(1, 400), default=_DAYS, help="That it is good for.")
@click.option("--untried", is_flag=True, help="Even if the canaries do not have it.")
@_with_keys
@with_settings
def release(number: int, settings: Settings, days: int, untried: bool, keys: Path | None) -> None:
    """Sign bundle N for the gateways of the ring all; the canaries have it already.

    \b
    schoolgate trust bundle release 3
    """
    from schoolgate.bundles.repository import ALL, CANARY  # noqa: PLC0415

    canaries = _repository(settings).in_force().get(CANARY, (0, 0))[1]
    if canaries != number and not untried:
        raise RefusedError(
            f"The canaries do not have bundle {number}: 'stage {number}', or --untried."
        )
    _let_out(settings, ALL, number, keys, days)


@bundle.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@_with_keys
@with_settings
def withdraw(number: int, settings: Settings, keys: Path | None) -> None:
    """Take bundle N back: the one before is let out again wherever it is in force.

    \b
    schoolgate trust bundle withdraw 3
    """
    place = _keys(settings, keys)
    for each in _repository(settings).withdraw(number, place, bootstrap.now()):
        _record(settings, "trust.bundle-withdrawn", number, {"ring": each.ring})
        click.echo(f"{each.ring}: bundle {each.bundle} again, as version {each.version}.")


@bundle.command()
@_with_keys
@with_settings
def refresh(settings: Settings, keys: Path | None) -> None:
    """Say again, with the online key, that what was signed is the newest; daily, by a timer.

    \b
    schoolgate trust bundle refresh
    """
    _repository(settings).refresh(_keys(settings, keys), bootstrap.now())
    click.echo("What is let out is the newest, for another week.")


@bundle.command("list")
@with_settings
def list_(settings: Settings) -> None:
    """Show the bundles, and who has which.

    \b
    schoolgate trust bundle list
    """
    repository = _repository(settings)
    rings = repository.in_force()
    table = output.table("bundle", "in the rings")
    for number in repository.made():
        table.add_row(str(number), ", ".join(ring for ring, (_, n) in rings.items() if n == number))
    output.console.print(table)


def _let_out(settings: Settings, ring: str, number: int, keys: Path | None, days: int) -> None:
    place = _keys(settings, keys)
    made = _repository(settings).let_out(ring, number, place, bootstrap.now(), days)
    _record(settings, "trust.bundle-let-out", number, {"ring": ring, "version": made.version})
    click.echo(f"{ring}: bundle {number}, as version {made.version}.")


def _repository(settings: Settings) -> "Repository":
    from schoolgate.bundles.repository import Repository  # noqa: PLC0415

    return Repository(bootstrap.repository_dir(settings))


def _keys(settings: Settings, keys: Path | None) -> Path:
    return keys or bootstrap.trust_dir(settings) / "keys"


def _record(settings: Settings, action: str, number: int, detail: dict[str, object]) -> None:
    trail = bootstrap.audit_trail_if_any(settings)
    if trail is not None:
        trail.add(bootstrap.now(), actor(), action, f"bundle:{number}", detail)
