"""`schoolgate trust bundle`: policies and lists that a trust signs for its gateways, at its centre."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.errors import RefusedError
from schoolgate.settings import Settings

if TYPE_CHECKING:
    from schoolgate.bundles.repository import Repository

_DAYS = 90
_KEPT = 20
# So long before the root runs out, "refresh" says so each day.
_ROOT_SOON = timedelta(days=180)


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
    with repository.changing():
        make_keys(place)
        repository.found(place, bootstrap.now())
    click.echo(f"The keys are in {place}: take root.key and targets.key off this machine.")
    click.echo(f"The root for gateways is {repository.root_file}; it holds no secret.")


@bundle.command()
@click.argument("base", metavar="POLICY")
@click.option("--lists", is_flag=True, help="With the fetched lists and their index.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=_KEPT,
    show_default=True,
    help="How many stay; older ones go, unless gateways have them.",
)
@with_settings
def make(base: str, settings: Settings, lists: bool, keep: int) -> None:
    """Make a bundle of the trust's POLICY, which every school's extends; nobody gets it yet.

    \b
    schoolgate trust bundle make hermitage --lists
    """
    files = bootstrap.files_of_policy(settings, base)
    if lists:
        files |= bootstrap.files_of_lists(settings)
    repository = _repository(settings)
    with repository.changing():
        number = repository.make(files)
        gone = repository.forget(keep)
    click.echo(
        f"Bundle {number} is made of {len(files)} files; 'stage {number}' gives it to canaries."
    )
    if gone:
        click.echo(f"Bundles removed: {gone} (in no ring, and none of the last {keep}).")


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
    place, repository = _keys(settings, keys), _repository(settings)
    with repository.changing():
        again = repository.withdraw(number, place, bootstrap.now())
    for each in again:
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
    repository = _repository(settings)
    with repository.changing():
        repository.refresh(_keys(settings, keys), bootstrap.now())
    click.echo("What is let out is the newest, for another week.")
    root = repository.root()
    if root.expires - bootstrap.now() < _ROOT_SOON:
        click.echo(
            f"Root {root.version} is good until {when(root.expires)}; after that gateways take nothing "
            "new: 'schoolgate trust bundle renew', where root.key is.",
            err=True,
        )


@bundle.command()
@click.argument("role", type=click.Choice(("root", "targets", "online")))
@_with_keys
@with_settings
def rotate(role: str, settings: Settings, keys: Path | None) -> None:
    """Make a new key for ROLE; gateways follow by themselves, and believe the old one no more.

    root.key is needed for each, and the others for what they have to sign anew. A lost targets.key or
    online.key is replaced as well. Killed at any moment, run it again. After a theft of
    targets.key look first at what is let out: it is signed once more as it is.

    \b
    schoolgate trust bundle rotate targets --keys /media/stick/keys
    """
    from schoolgate.bundles.keys import copy_key  # noqa: PLC0415
    from schoolgate.bundles.rotation import rotate as rotate_key  # noqa: PLC0415

    place, repository = _keys(settings, keys), _repository(settings)
    with repository.changing():
        root = rotate_key(repository, role, place, bootstrap.now())
    _record_about(settings, "trust.key-rotated", f"key:{role}", {"root": root.version})
    click.echo(f"Root {root.version} names a new key for {role}, until {when(root.expires)}.")
    click.echo(
        f"{place / f'{role}.key'} is the new one: renew its copies, and destroy the old ones."
    )
    if role == "targets":
        for ring, (version, number) in repository.in_force().items():
            click.echo(f"{ring}: bundle {number}, as version {version}, signed anew.")
    here = bootstrap.trust_dir(settings) / "keys" / "online.key"
    if role == "online" and here.exists() and here != place / "online.key":
        copy_key(place / "online.key", here)
        click.echo(f"{here} is the new one, too.")


@bundle.command()
@_with_keys
@with_settings
def renew(settings: Settings, keys: Path | None) -> None:
    """Sign the root once more with the same keys, for another five years.

    \b
    schoolgate trust bundle renew --keys /media/stick/keys
    """
    from schoolgate.bundles.rotation import renew as renew_root  # noqa: PLC0415

    repository = _repository(settings)
    with repository.changing():
        root = renew_root(repository, _keys(settings, keys), bootstrap.now())
    _record_about(settings, "trust.root-renewed", "key:root", {"root": root.version})
    click.echo(f"Root {root.version} is good until {when(root.expires)}.")


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
    root = repository.root()
    click.echo(f"root {root.version}, until {when(root.expires)}")
    output.console.print(table)


def _let_out(settings: Settings, ring: str, number: int, keys: Path | None, days: int) -> None:
    place, repository = _keys(settings, keys), _repository(settings)
    with repository.changing():
        made = repository.let_out(ring, number, place, bootstrap.now(), days)
    _record(settings, "trust.bundle-let-out", number, {"ring": ring, "version": made.version})
    click.echo(f"{ring}: bundle {number}, as version {made.version}.")


def _repository(settings: Settings) -> "Repository":
    from schoolgate.bundles.repository import Repository  # noqa: PLC0415

    return Repository(bootstrap.repository_dir(settings))


def _keys(settings: Settings, keys: Path | None) -> Path:
    return keys or bootstrap.trust_dir(settings) / "keys"


def _record(settings: Settings, action: str, number: int, detail: dict[str, object]) -> None:
    _record_about(settings, action, f"bundle:{number}", detail)


def _record_about(settings: Settings, action: str, subject: str, detail: dict[str, object]) -> None:
    trail = bootstrap.audit_trail_if_any(settings)
    if trail is not None:
        trail.add(bootstrap.now(), actor(), action, subject, detail)
