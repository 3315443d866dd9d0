"""What is done beside the traffic: mail from the outbox; and the service that requests go through."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.journal import journal_lines
from schoolgate.bootstrap.rules import load_engine
from schoolgate.core.approvals import Role
from schoolgate.core.errors import ConfigurationError, Fault, RefusedError, UnavailableError
from schoolgate.core.people import People
from schoolgate.core.policy import PolicyEngine
from schoolgate.notify import MailServer
from schoolgate.notify.letter import checked_address
from schoolgate.notify.mail_server import Security
from schoolgate.services.approvals import Approvals
from schoolgate.services.mailing import Mailing, Round
from schoolgate.services.preview import LOOKED_BACK
from schoolgate.settings import Settings
from schoolgate.storage import ApprovalStore, Digests, Outbox, open_database
from schoolgate.storage.regular_reports import RegularReports

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 5.0


def open_approvals(
    settings: Settings,
    engine: Callable[[], PolicyEngine],
    people: Callable[[], People] = People,
) -> Approvals:
    """Give the service that requests go through, over this machine's database.

    Args:
        settings: of this machine.
        engine: gives the rules in force.
        people: gives who is known.

    Raises:
        UnavailableError: when the database cannot be used.
    """
    return Approvals(ApprovalStore(open_database(settings.database_url)), engine, people)


def journal_of_late(settings: Settings) -> Iterator[str]:
    """Give the lines of the journal of the last days that a preview looks at, oldest first."""
    for line in journal_lines(settings, LOOKED_BACK):
        yield line.decode(errors="replace")


def address_in_name(account: str) -> tuple[str, ...]:
    """Give the address of an account whose name is one."""
    return (account,) if "@" in account else ()


def open_mailing(
    settings: Settings, of_account: Callable[[str], tuple[str, ...]] = address_in_name
) -> Mailing:
    """Give what sends mail.

    Args:
        settings: of this machine.
        of_account: gives the addresses of an account.

    Raises:
        ConfigurationError: when the settings under ``mail`` do not do.
        UnavailableError: when the database cannot be used.
    """
    mail = settings.mail
    faults = [Fault(str(settings.file), 0, said) for said in mail_faults(settings)]
    if faults:
        raise ConfigurationError(faults)
    server = MailServer(
        mail.host, mail.port, Security(mail.security), mail.user, mail.password_file, mail.ca_file
    )
    database = open_database(settings.database_url)
    return Mailing(
        Outbox(database),
        server.send,
        lambda audience: _addresses(settings, of_account, audience),
        mail.sender,
        load_engine(settings).policy.school,
        settings.portal.public_url,
        Digests(database),
        RegularReports(database).text,
    )


def work_through(
    mailing: Mailing, reminding: Callable[[datetime], object], ending: threading.Event
) -> None:
    """Send mail as it comes, and remind of what waits, until told to end."""
    while not ending.is_set():
        done = Round()
        try:
            done = mailing.round(now())
            if done == Round():
                # After what is due, which a digest may be made of.
                reminding(now())
        except UnavailableError as error:
            logger.error("Mail is not sent: %s", error)  # noqa: TRY400
        if done.gave_up:
            logger.error("A mail cannot be sent; 'schoolgate doctor' says why.")
        if done == Round():
            ending.wait(_ROUND_SECONDS)


def mail_faults(settings: Settings) -> Iterator[str]:
    """Give a sentence for each thing that is wrong with the settings of mail."""
    mail = settings.mail
    if not mail.host:
        yield "mail.host is not set: there is no server to send mail with"
    if bool(mail.user) is not bool(mail.password_file):
        yield "mail.user and mail.password_file go together"
    for address in (mail.sender, *(a for listed in mail.roles.values() for a in listed)):
        try:
            checked_address(address)
        except RefusedError as error:
            yield f"under mail: {error}"


def _addresses(
    settings: Settings, of_account: Callable[[str], tuple[str, ...]], audience: str
) -> tuple[str, ...]:
    kind, _, name = audience.partition(":")
    if kind == "role":
        return settings.mail.roles.get(Role(name), ())
    return of_account(name)
