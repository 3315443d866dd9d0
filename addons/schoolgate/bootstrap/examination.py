"""What filtering needs, looked at where it lies: settings, policy and lists, CA, store, audit trail."""

from collections.abc import Iterator

from schoolgate import authority
from schoolgate.bootstrap.jobs import mail_faults
from schoolgate.bootstrap.rules import load_engine, now
from schoolgate.core.errors import SchoolgateError
from schoolgate.services import probing
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail, DecisionStore, Outbox, is_there, open_database


def at_rest(settings: Settings) -> Iterator[Finding]:
    """Look at everything that is there whether the gateway runs or not, one after the other."""
    yield Finding("settings", True, str(settings.file))
    yield from _rules(settings)
    yield from _ca(settings)
    yield from _store(settings)


def _rules(settings: Settings) -> Iterator[Finding]:
    try:
        engine = load_engine(settings)
    except SchoolgateError as error:
        yield Finding("policy and lists", False, str(error))
    else:
        entries = engine.catalogue.sites.names
        yield Finding("policy and lists", True, f"policy {engine.policy.id}, {entries} domains")


def _ca(settings: Settings) -> Iterator[Finding]:
    try:
        info = authority.describe(settings.ca_dir)
    except SchoolgateError as error:
        yield Finding("CA", False, str(error))
    else:
        days = (info.not_after - now()).days
        yield Finding("CA", days > 0, f"{info.file}, {days} days left")


def _store(settings: Settings) -> Iterator[Finding]:
    if not is_there(settings.database_url):
        yield Finding("store", True, "0 grants, 0 suspensions")
        return
    try:
        database = open_database(settings.database_url)
    except SchoolgateError as error:
        yield Finding("store", False, str(error))
        return
    try:
        overlay = DecisionStore(database).overlay(now())
        said = f"{len(overlay.grants)} grants, {len(overlay.suspensions)} suspensions"
        yield Finding("store", True, said)
        found = AuditTrail(database).verify()
        said = f"{found.entries} entries, {found.erased} of them erased, the last is {found.head}"
        yield Finding("audit trail", found.fault is None, found.fault or said)
        yield from _mail(settings, Outbox(database))
    except SchoolgateError as error:
        yield Finding("store", False, str(error))
    finally:
        database.dispose()


def _mail(settings: Settings, outbox: Outbox) -> Iterator[Finding]:
    if settings.mail.host:
        for fault in mail_faults(settings):
            yield Finding("mail", False, fault)
    at = now()
    yield from probing.mail(settings, outbox.state(at - probing.GAVE_UP_OF_LATE), at)
