"""`schoolgate jobs`: what is done beside the traffic."""

import logging
import signal
import threading

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.settings import Settings


@click.command()
@with_settings
def jobs(settings: Settings) -> None:
    """Send mail from the outbox, and remind of what waits, until Ctrl-C or SIGTERM.

    What cannot be sent waits, and is tried again for five days.

    \b
    schoolgate jobs
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    mailing, reminding = bootstrap.open_mailing(settings), bootstrap.Reminding(settings)
    with bootstrap.occupied(settings):
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        click.echo(f"mail     {settings.mail.host}:{settings.mail.port}")
        bootstrap.work_through(mailing, reminding, ending)
