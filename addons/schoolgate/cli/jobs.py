"""`schoolgate jobs`: what is done beside the traffic."""

import logging
import signal
import threading

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.settings import Settings

NO_SERVER = "no mail server is set: mail waits (mail.host)"


@click.command()
@with_settings
def jobs(settings: Settings) -> None:
    """Send mail and webhooks, remind of what waits, report, and keep the journal, until Ctrl-C or SIGTERM.

    What cannot be sent waits, and is tried again for five days. Without a mail server all of it waits.

    \b
    schoolgate jobs
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    work = bootstrap.work_of(settings)
    with bootstrap.occupied(settings):
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        mail = settings.mail
        click.echo(f"mail     {mail.host}:{mail.port}" if mail.host else NO_SERVER)
        keepers = [bootstrap.journal_keeper(settings, ending)]
        keepers.append(bootstrap.bundle_keeper(settings, ending))
        keepers += bootstrap.webhook_keepers(settings, ending)
        work(ending)
        for keeper in keepers:
            if keeper.is_alive():
                keeper.join()
