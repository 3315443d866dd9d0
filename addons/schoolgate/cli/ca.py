"""`schoolgate ca`: the certificate that devices must trust."""

from pathlib import Path

import rich_click as click

from schoolgate import authority
from schoolgate.cli.options import with_settings
from schoolgate.core.errors import UnavailableError
from schoolgate.settings import Settings


@click.group()
def ca() -> None:
    """Show or export the gateway's certificate authority."""


@ca.command()
@with_settings
def show(settings: Settings) -> None:
    """Show name, fingerprint and dates, to compare with what a device shows.

    \b
    schoolgate ca show
    """
    info = authority.describe(settings.ca_dir)
    click.echo(f"subject      {info.subject}")
    click.echo(f"SHA-256      {info.sha256}")
    click.echo(f"valid from   {info.not_before:%Y-%m-%d}")
    click.echo(f"valid until  {info.not_after:%Y-%m-%d}")
    click.echo(f"file         {info.file}")


@ca.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_settings
def export(file: Path, settings: Settings) -> None:
    """Write the certificate, without its key, to FILE, for devices to trust.

    \b
    schoolgate ca export school-filter.crt
    """
    pem = authority.export_pem(settings.ca_dir)
    try:
        file.write_bytes(pem)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"The certificate is in {file}; it holds no secret.")
