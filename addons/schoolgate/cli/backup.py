"""`schoolgate backup` and `schoolgate restore`: the whole state in one file, and back."""

from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_place, with_settings
from schoolgate.settings import Settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--journal", is_flag=True, help="With the journal, which may be large.")
@click.option("--lists", is_flag=True, help="With the lists that were fetched, and their index.")
@with_settings
def backup(file: Path, settings: Settings, *, journal: bool, lists: bool) -> None:
    """Write the whole state into FILE, while the gateway runs or not.

    The database as it is at one moment, the CA with its key, the other keys, settings, policies,
    people and local lists. Whoever has the file can sign as the school's CA: only its owner may read
    it; keep it encrypted where it leaves this machine.

    \b
    schoolgate backup /var/backups/schoolgate-$(date +%F).tar.gz
    """
    done = bootstrap.back_up(settings, file.absolute(), journal=journal, lists=lists)
    click.echo(f"{file}: {done.members} files")
    for path in done.left_out:
        click.echo(f"not in it, keep it apart: {path}", err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_place
def restore(file: Path, config: Path, state: Path | None) -> None:
    """Put what FILE holds in the place of what is there; the gateway must not run.

    The file is unpacked and verified first. What was there is kept in dated directories. On a new
    machine, where there are no settings yet, those of the file are put where --config says.

    \b
    schoolgate restore schoolgate-2026-11-22.tar.gz
    """
    settings = bootstrap.whole(bootstrap.settings_to_restore(file.absolute(), config, state))
    done = bootstrap.restore(settings, file.absolute())
    click.echo(f"restored: {file}, made {done.made_at} by schoolgate {done.version}")
    if done.entries is not None:
        click.echo(f"audit trail: {done.entries} entries, whole")
    for directory in done.kept:
        click.echo(f"what was there: {directory}")
