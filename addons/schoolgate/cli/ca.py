"""`schoolgate ca`: the certificates that devices must trust, and which of them signs."""

from collections.abc import Mapping
from pathlib import Path

import rich_click as click

from schoolgate import authority, bootstrap
from schoolgate.authority import CaInfo, Listed, Standing
from schoolgate.cli import output
from schoolgate.cli.options import actor, with_settings
from schoolgate.core.errors import UnavailableError
from schoolgate.settings import Settings

_PLACES = "Bring its certificate onto the devices (docs/ca.md)"


@click.group()
def ca() -> None:
    """Show, export and change the gateway's certificate authority.

    Before it ends: 'renew' makes the next one, devices get its certificate while the old one still signs,
    and 'switch' has it sign.
    """


@ca.command()
@with_settings
def show(settings: Settings) -> None:
    """Show name, fingerprint and dates, to compare with what a device shows.

    \b
    schoolgate ca show
    """
    for each in authority.listed(settings.ca_dir):
        if each.standing is not Standing.SIGNING:
            click.echo(f"\n{each.standing}")
        if each.info is None:
            click.echo(each.trouble)
            continue
        click.echo(f"subject      {each.info.subject}")
        click.echo(f"SHA-256      {each.info.sha256}")
        click.echo(f"valid from   {each.info.not_before:%Y-%m-%d}")
        click.echo(f"valid until  {each.info.not_after:%Y-%m-%d}")
        click.echo(f"file         {each.info.file}")


@ca.command("list")
@with_settings
def list_(settings: Settings) -> None:
    """List the authorities that there are: which one signs, how old each is, how long it is good.

    \b
    schoolgate ca list
    """
    now = bootstrap.now()
    table = output.table("standing", "name", "days old", "days left", "SHA-256")
    for each in authority.listed(settings.ca_dir):
        if each.info is None:
            table.add_row(each.standing, each.trouble, "", "", "")
            continue
        info = each.info
        table.add_row(
            each.standing, info.subject, str((now - info.not_before).days),
            str((info.not_after - now).days), info.sha256,
        )  # fmt: skip
    output.console.print(table)


@ca.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_settings
def export(file: Path, settings: Settings) -> None:
    """Write the certificate, without its key, to FILE, for devices to trust.

    Where there is a next authority, or an old one that is still good, its certificate stands beside it.

    \b
    schoolgate ca export school-filter.crt
    """
    found = authority.published(settings.ca_dir, bootstrap.now())
    for place, each in authority.named(found, file):
        try:
            place.write_bytes(each.pem)
        except OSError as error:
            raise UnavailableError(f"{place} cannot be written: {error.strerror}.") from error
        click.echo(f"The {_called(each)}certificate is in {place}; it holds no secret.")


@ca.command()
@with_settings
def renew(settings: Settings) -> None:
    """Make the next authority; it signs nothing before 'schoolgate ca switch'.

    \b
    schoolgate ca renew
    """
    now = bootstrap.now()
    made = authority.renew(settings.ca_dir, now)
    _record(settings, "ca.renewed", made, {})
    click.echo(f"The next authority is made; it is good until {made.not_after:%Y-%m-%d}.")
    click.echo(f"SHA-256  {made.sha256}")
    click.echo(f"{_PLACES}: schoolgate ca export FILE. When all have it: schoolgate ca switch.")


@ca.command()
@click.option("--back", is_flag=True, help="Have the one before sign again.")
@with_settings
def switch(back: bool, settings: Settings) -> None:
    """Have the next authority sign from now on; a running gateway takes it within seconds.

    Connections that are open go on. The old certificate stays published until it ends, and its key is
    kept, so that '--back' undoes it while devices are found that lack the new one.

    \b
    schoolgate ca switch
    schoolgate ca switch --back
    """
    change = authority.switch_back if back else authority.switch
    signs = change(settings.ca_dir, bootstrap.now())
    _record(settings, "ca.switched", signs, {"back": back})
    click.echo(f"{signs.subject} signs from now on; it is good until {signs.not_after:%Y-%m-%d}.")


@ca.command()
@click.argument("which", type=click.Choice([Standing.NEXT.value, Standing.OLD.value]))
@with_settings
def remove(which: str, settings: Settings) -> None:
    """Take the next authority away, or the old ones, with their keys.

    \b
    schoolgate ca remove old
    """
    gone = [
        each.info
        for each in authority.listed(settings.ca_dir)
        if each.standing == which and each.info is not None
    ]
    many = authority.remove(settings.ca_dir, Standing(which))
    for info in gone:
        _record(settings, "ca.removed", info, {"standing": which})
    click.echo(f"{many} taken away; what is on the devices stays there.")


def _called(each: Listed) -> str:
    return "" if each.standing is Standing.SIGNING else f"{each.standing} "


def _record(settings: Settings, action: str, info: CaInfo, detail: Mapping[str, object]) -> None:
    trail = bootstrap.audit_trail_if_any(settings)
    if trail is not None:
        facts = {**detail, "subject": info.subject, "until": f"{info.not_after:%Y-%m-%d}"}
        trail.add(bootstrap.now(), actor(), action, f"ca:{info.sha256}", facts)
