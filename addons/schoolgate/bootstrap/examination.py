"""What filtering needs, looked at where it lies, and blocked sites that are asked of the running proxy."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import Engine

from schoolgate import authority
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.jobs import mail_faults
from schoolgate.bootstrap.people import client_at
from schoolgate.bootstrap.rules import load_engine, load_people_of
from schoolgate.core.errors import SchoolgateError
from schoolgate.core.policy import PolicyEngine
from schoolgate.lists import read_category_files
from schoolgate.notify.webhook import read_secret
from schoolgate.services import canaries as chosen
from schoolgate.services import probing, vital_signs, webhooks
from schoolgate.services.feed_finding import feeds_finding
from schoolgate.services.feeds import states_of
from schoolgate.services.network import strays, unbalanced
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.storage import AuditTrail, DecisionStore, Outbox, is_there, open_database
from schoolgate.wireguard import read_peers, read_seen

# A device at home says something every 25 seconds; what is known of them is written every ten.
_HERE_SECONDS = 180.0
_LATE_SECONDS = 60.0


def at_rest(settings: Settings) -> Iterator[Finding]:
    """Look at everything that is there whether the gateway runs or not, one after the other."""
    yield Finding("settings", True, str(settings.file))
    engine = None
    try:
        engine = load_engine(settings)
    except SchoolgateError as error:
        yield Finding("policy and lists", False, str(error))
    else:
        sites = engine.catalogue.sites
        yield Finding("policy and lists", True, f"policy {engine.policy.id}, {sites.names} domains")
        yield probing.lists(sites.catalogue.get("built"), sites.names, now())
        yield _feeds(settings)
        yield from probing.locked_lists(engine.locked, now())
        yield from _networks(settings, engine)
    yield from probing.authorities(settings, now())
    yield from _store(settings)
    yield from _tunnels(settings)
    yield from vital_signs.clock(now(), _witnesses(settings, engine), vital_signs.is_clock_set())
    yield from vital_signs.disks({"state": settings.state_dir, "journal": settings.journal_dir})


def _feeds(settings: Settings) -> Finding:
    try:
        return feeds_finding(states_of(settings), now())
    except SchoolgateError as error:
        return Finding("feeds", False, str(error))


def _networks(settings: Settings, engine: PolicyEngine) -> Iterator[Finding]:
    """Hold the networks that have groups against those that the packet filter knows."""
    try:
        people = load_people_of(settings, engine.policy)
    except SchoolgateError as error:
        yield Finding("people", False, str(error))
        return
    for sentence in strays(settings.network, people):
        yield Finding("networks of groups", True, sentence, is_note=True)
    for sentence in unbalanced(settings.proxy, people):
        yield Finding("load balancers", True, sentence, is_note=True)


def blocked_sites(settings: Settings) -> Iterator[Finding]:
    """Ask the running proxy for a site of each category that is closed to whoever is at this machine."""
    host, port = split_address(settings.proxy.listen)
    try:
        with socket.create_connection((host, port), probing.TIMEOUT_SECONDS) as reached:
            address = reached.getsockname()[0]
    except OSError:
        # Said already, with what to do.
        return
    try:
        engine = load_engine(settings)
        with _opened(settings) as database:
            if database is not None:
                engine = engine.with_overlay(DecisionStore(database).overlay(now()))
        client, _ = client_at(settings, engine.policy, address)
        files = read_category_files(settings.lists.dirs)
    except SchoolgateError as error:
        yield Finding("blocked categories", False, str(error))
        return
    listed = (
        (placed.entry.category, placed.entry.host)
        for placed in files.entries
        if placed.entry.path == "/"
    )
    found = chosen.canaries(engine, listed, client, now())
    yield from chosen.asked(found, host, port)


def _witnesses(settings: Settings, engine: PolicyEngine | None) -> dict[str, datetime]:
    """Give times that have passed, whatever the clock says."""
    found: dict[str, datetime] = {}
    built = engine.catalogue.sites.catalogue.get("built") if engine else None
    if built:
        found["the index of the lists"] = datetime.fromisoformat(built)
    last = vital_signs.last_of_journal(settings.journal_dir)
    if last is not None:
        found["the last line of the journal"] = last
    # What cannot be read is said where it is looked at.
    with suppress(SchoolgateError):
        found["the CA"] = authority.describe(settings.ca_dir).not_before
    with suppress(SchoolgateError), _opened(settings) as database:
        if database is not None and (told := AuditTrail(database).told(limit=1)):
            found["the last entry of the audit trail"] = told[0][0].at
    return found


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine | None]:
    """Open the database; None where nothing was ever kept."""
    if not is_there(settings.database_url):
        yield None
        return
    database = open_database(settings.database_url)
    try:
        yield database
    finally:
        database.dispose()


def _store(settings: Settings) -> Iterator[Finding]:
    try:
        with _opened(settings) as database:
            if database is None:
                yield Finding("store", True, "0 grants, 0 suspensions")
                return
            overlay = DecisionStore(database).overlay(now())
            said = f"{len(overlay.grants)} grants, {len(overlay.suspensions)} suspensions"
            yield Finding("store", True, said)
            found = AuditTrail(database).verify()
            said = (
                f"{found.entries} entries, {found.erased} of them erased, the last is {found.head}"
            )
            yield Finding("audit trail", found.fault is None, found.fault or said)
            yield from _mail(settings, Outbox(database))
            yield from _webhooks(settings, database)
    except SchoolgateError as error:
        yield Finding("store", False, str(error))


def _mail(settings: Settings, outbox: Outbox) -> Iterator[Finding]:
    if settings.mail.host:
        for fault in mail_faults(settings):
            yield Finding("mail", False, fault)
    at = now()
    yield from probing.mail(settings, outbox.state(at - probing.GAVE_UP_OF_LATE), at)


def _webhooks(settings: Settings, database: Engine) -> Iterator[Finding]:
    at = now()
    for hook in settings.alerts.webhooks:
        try:
            read_secret(hook.secret_file)
        except SchoolgateError as error:
            yield Finding(f"webhook {hook.name}", False, str(error))
        state = Outbox(database, hook.name).state(at - probing.GAVE_UP_OF_LATE)
        yield from webhooks.findings(hook.name, state, at)


def _tunnels(settings: Settings) -> Iterator[Finding]:
    if settings.wireguard.listen is None:
        return
    try:
        peers = read_peers(settings.wireguard_dir)
    except SchoolgateError as error:
        yield Finding("tunnels", False, str(error))
        return
    seen, at = read_seen(settings.wireguard_dir), now().timestamp()
    here = sum(at - sight.packet < _HERE_SECONDS for sight in seen.devices.values())
    if at - seen.at > _LATE_SECONDS:
        yield Finding("tunnels", False, "nobody serves devices at home: is schoolgate running?")
    elif not settings.wireguard.endpoint:
        yield Finding("tunnels", False, "no device can be told where to go: set wireguard.endpoint")
    else:
        many = f"{len(peers)} device{'s' if len(peers) != 1 else ''} at home"
        yield Finding("tunnels", True, f"{many}, {here} heard of in the last three minutes")
