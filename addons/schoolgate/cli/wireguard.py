"""`schoolgate wireguard`: the school's devices at home, and what each is told of its tunnel."""

import time
from dataclasses import dataclass
from pathlib import Path

import rich_click as click
import segno

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.settings import Settings
from schoolgate.settings.people_text import is_id
from schoolgate.wireguard import Peer, Sight, read_seen

_NO_KEY = "the device's private key is not kept: give it another one with --renew"


@dataclass(frozen=True, slots=True)
class Shown:
    """How a device's file is shown."""

    qr: bool
    png: Path | None

    @property
    def is_code(self) -> bool:
        """Whether it is to be photographed."""
        return self.qr or self.png is not None


@click.group()
def wireguard() -> None:
    """Filter school devices at home: each has a WireGuard tunnel to this gateway, and no other way out."""


def _with_showing(command: click.decorators.FC) -> click.decorators.FC:
    png = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--png", type=png, help="Write the QR code into this file, too."),
        click.option("--qr", is_flag=True, help="Show a QR code for WireGuard's app."),
        click.option("--public-key", default="", help="Of a key pair that the device has made."),
    ):
        command = option(command)
    return command


@wireguard.command("add")
@click.argument("name")
@click.option("--group", default="", help="Of the policy.")
@click.option("--user", default="", help="Whose it is: a sign-in name.")
@click.option("--kind", default="", help="Of device, as the policy names it.")
@_with_showing
@with_settings
def add(
    name: str, group: str, user: str, kind: str, public_key: str, qr: bool, png: Path | None,
    settings: Settings,
) -> None:  # fmt: skip
    """Add the device NAME, and print what its WireGuard is to be told; the key in it is shown once.

    What people.yaml says of a device of that name holds, as far as the options do not say otherwise.

    \b
    schoolgate wireguard add library-ipad-3 --qr
    schoolgate wireguard add laptop-of-ann --user ann --group staff
    """
    shown = Shown(qr, png)
    _codes(shown, public_key)
    if not is_id(name):
        raise RefusedError(f"'{name}' is not a name such as library-ipad-3")
    devices = bootstrap.DevicesAtHome(settings)
    policy = bootstrap.load_policy_of(settings)
    for what, value, known in (("group", group, policy.groups), ("kind", kind, policy.devices)):
        if value and value not in known:
            there = ", ".join(known) or "none"
            raise click.BadParameter(f"the policy has no {what} {value!r}; it has: {there}")
    peer, text = devices.add(Peer(name, "", (), group, user, kind), public_key, bootstrap.now())
    _show(peer, text, shown)


@wireguard.command("list")
@with_settings
def list_(settings: Settings) -> None:
    """List the devices, and when they were last heard of.

    \b
    schoolgate wireguard list
    """
    devices = bootstrap.DevicesAtHome(settings).all()
    seen, at = read_seen(settings.wireguard_dir).devices, time.time()
    table = output.table(
        "name", "addresses", "group", "user", "added", "handshake", "heard of", "up", "down", "key"
    )
    for peer in devices:
        sight = seen.get(peer.public_key, Sight())
        table.add_row(
            peer.name, " ".join(peer.addresses), peer.group or "-", peer.user or "-", peer.added,
            _ago(sight.handshake, at), _ago(sight.packet, at),
            _size(sight.received), _size(sight.sent), peer.public_key,
        )  # fmt: skip
    output.console.print(table if devices else "There are no devices at home.")


@wireguard.command("remove")
@click.argument("name")
@with_settings
def remove(name: str, settings: Settings) -> None:
    """Cut the device NAME off, within two seconds, and forget it.

    \b
    schoolgate wireguard remove library-ipad-3
    """
    bootstrap.DevicesAtHome(settings).remove(name)
    click.echo(f"{name} is cut off.")


@wireguard.command("config")
@click.argument("name")
@click.option("--renew", is_flag=True, help="With another key; the old one opens nothing any more.")
@_with_showing
@with_settings
def config(
    name: str, renew: bool, public_key: str, qr: bool, png: Path | None, settings: Settings
) -> None:
    """Print what the WireGuard of the device NAME is told, without its key unless that is a new one.

    \b
    schoolgate wireguard config library-ipad-3
    schoolgate wireguard config library-ipad-3 --renew --qr
    """
    shown, devices = Shown(qr, png), bootstrap.DevicesAtHome(settings)
    _codes(shown, public_key)
    if renew:
        peer, text = devices.renew(name, public_key)
        _show(peer, text, shown)
    elif shown.is_code or public_key:
        raise RefusedError(_NO_KEY)
    else:
        click.echo(devices.file(name), nl=False)


def _codes(shown: Shown, public_key: str) -> None:
    if shown.is_code and public_key:
        raise RefusedError("a code without the private key is of no use: leave out --qr and --png")


def _show(peer: Peer, text: str, shown: Shown) -> None:
    click.echo(text, nl=False)
    if not shown.is_code:
        return
    code = segno.make(text, error="l", micro=False)
    if shown.qr:
        click.echo()
        code.terminal(compact=True)
    if shown.png is not None:
        try:
            shown.png.touch(mode=0o600)
            code.save(str(shown.png), kind="png", scale=6)
        except OSError as error:
            raise UnavailableError(
                f"{shown.png}: {error.strerror}. {peer.name} was added: "
                f"'schoolgate wireguard config {peer.name} --renew' shows another code."
            ) from error


def _ago(moment: float, at: float) -> str:
    if not moment:
        return "never"
    seconds = max(0, int(at - moment))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _size(count: int) -> str:
    for size, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
