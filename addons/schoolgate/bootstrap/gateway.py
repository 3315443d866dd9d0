"""Everything behind the proxy of one process, read, opened and watched."""

import contextlib
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
from cryptography import x509

from schoolgate import authority
from schoolgate.bootstrap.alerts import AlertRaising, watch_of
from schoolgate.bootstrap.clock import now, today
from schoolgate.bootstrap.last_state import LastState, open_or_last
from schoolgate.bootstrap.people import Sources
from schoolgate.bootstrap.refusals import Refusals
from schoolgate.bootstrap.rules import Rules, list_places, load_rules
from schoolgate.bootstrap.seen_sites import watch_seen_sites
from schoolgate.bootstrap.sign_in import SignIn
from schoolgate.bootstrap.watches import (
    Seen,
    seen_now,
    watch_local,
    watch_locked,
    watched_files,
)
from schoolgate.core.approvals import Overlay
from schoolgate.core.bindings import Binding
from schoolgate.core.content import SeenSites
from schoolgate.core.errors import ConfigurationError, UnavailableError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import PolicyEngine
from schoolgate.monitoring import JournalWriter, Metrics, make_journal_directory
from schoolgate.services.acceptances import Acceptances
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines
from schoolgate.services.incidents import Receivers
from schoolgate.services.metering import Meter
from schoolgate.services.network import Ways, pac
from schoolgate.services.pinning import Pinning
from schoolgate.services.reload import FileWatch
from schoolgate.services.tickets import PURPOSE as TICKETS
from schoolgate.services.tickets import Tickets
from schoolgate.settings import Settings
from schoolgate.storage import (
    BindingWatch,
    DecisionStore,
    OverlayWatch,
    PinningTable,
    granted_after,
    is_postgresql,
    open_database,
)

if TYPE_CHECKING:
    from mitmproxy.connection import Client

    from schoolgate.proxy.addons import FilterAddons
    from schoolgate.proxy.gate.pac_door import PacDoor
    from schoolgate.proxy.picture_hook import PictureHook

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The rules as the supervisor read them, which its workers share while the files say the same.

    Attributes:
        rules: that were read.
        settings: by which.
        seen: what the files were before that.
        day: on which they were read; the timetable is read from its day on.
    """

    rules: Rules
    settings: Settings
    seen: Seen
    day: str

    def still(self, settings: Settings, seen: Seen) -> Rules | None:
        """Give the rules if reading them again would give the same, and None otherwise."""
        found = (self.settings, self.seen, self.day)
        return self.rules if found == (settings, seen, today()) else None


def prepare(settings: Settings) -> Prepared:
    """Make what a gateway needs and has not yet, and see that it can be used; opens nothing for good.

    Done once, before there are workers: one index, one certificate authority, one schema.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when a directory, key or database cannot be used.
    """
    # Before they are read: a change in between must be seen by the workers.
    seen, day = seen_now(settings), today()
    rules = load_rules(settings, with_phrases=True)
    watch_of(settings)
    SignIn(settings, rules.people, logger.error).end()
    _check_state_dir(settings.state_dir)
    authority.ensure(settings.ca_dir, rules.engine.policy.school, now())
    database = open_database(settings.database_url)
    DecisionStore(database).overlay(now())
    # A connection must not come into several processes.
    database.dispose()
    try:
        make_journal_directory(settings.journal_dir)
    except OSError as error:
        raise _journal_unavailable(settings, error) from error
    upstream_bundle(settings)
    return Prepared(rules, settings, seen, day)


class Gateway:
    """Everything behind the proxy: engine, store, journal, metrics and what watches them.

    Started when made; nothing is left half-started when that fails.

    Args:
        settings: of this machine.
        worker: number of the worker, for the journal.
        last_good: what is put in force when the files have faults; None when that is an error.
        prepared: the rules in the memory of the process that this one was forked from.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when a directory, key or database cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        worker: int = 1,
        last_good: Rules | None = None,
        prepared: Prepared | None = None,
    ) -> None:
        self.metrics = metrics = Metrics()
        # Before they are read: a change in between must be seen by the watch.
        seen = seen_now(settings)
        self._sources = Sources(settings, worker, metrics)
        try:
            rules = prepared.still(settings, seen) if prepared is not None else None
            engine = self._followed(rules) if rules else self._load(settings, last_good)
            self._start(settings, worker, engine, seen)
        except BaseException:
            self._sources.stop()
            raise

    def _start(self, settings: Settings, worker: int, engine: PolicyEngine, seen: Seen) -> None:
        metrics = self.metrics
        _check_state_dir(settings.state_dir)
        ca = authority.ensure(settings.ca_dir, engine.policy.school, now())
        self._last = LastState(settings.state_dir)
        opened = open_or_last(settings.database_url, self._last, now())
        database = opened.database
        store = DecisionStore(database)
        self._sources.put_bindings(opened.bindings)
        self._settings = settings
        self.meter = Meter(today)
        metrics.ca_expires(ca.not_after)
        self._store = store
        self._noted = ""
        self._seen = SeenSites()
        self._database, self._last_grant = database, opened.last_grant
        self.engines = Engines(engine.with_overlay(opened.overlay), self._show)
        self._show(self.engines.current)
        self._acceptances = Acceptances(
            self.engines,
            lambda accepted: store.keep_acceptances(accepted, now()),
            lambda _: metrics.store_errors.inc(),
        )
        self._pinning = Pinning(
            PinningTable(database).keep,
            authority.secret_for(settings.ca_dir, "clients of failed handshakes"),
            lambda _: metrics.store_errors.inc(),
        )
        self.journal = JournalWriter(
            settings.journal_dir,
            queue_size=settings.journal.queue_size,
            dropped=metrics.journal_dropped.inc,
            gateway=settings.gateway,
            worker=worker,
        )
        self._refusals = Refusals(settings, worker, metrics, self.journal)
        self._alerts = AlertRaising(
            settings,
            database,
            self.journal,
            metrics,
            Receivers(
                lambda: self.engines.current.policy,
                settings.mail.roles,
                lambda: self._sources.domains,
                settings.alerts.webhooks,
            ),
        )
        self._started = contextlib.ExitStack()
        with self._started:
            self._started.callback(self._sources.stop)
            self._start_journal()
            self._acceptances.start()
            self._started.callback(self._acceptances.stop)
            self._pinning.start()
            self._started.callback(self._pinning.stop)
            self._alerts.start(self._started.callback)
            self._start_watches(seen)
            self._refusals.start()
            self._started.callback(self._refusals.stop)
            self._started = self._started.pop_all()

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, last first; what the journal was told is written."""
        self._started.close()

    def addons(self, cut: "Callable[[Client], None]") -> "FilterAddons":
        """Make the filter's addons.

        Args:
            cut: closes a client's connection at once.
        """
        # Only a running proxy needs mitmproxy.
        from schoolgate.proxy.addons import PortalPlace, make_addons  # noqa: PLC0415
        from schoolgate.proxy.interstitial import Warnings  # noqa: PLC0415
        from schoolgate.proxy.metering import Metering  # noqa: PLC0415

        proxy, portal = self._settings.proxy, self._settings.portal
        secret = authority.secret_for(self._settings.ca_dir, "links of warnings")
        place = PortalPlace(portal.public_url, self._settings.portal_socket)
        return make_addons(
            self.engines,
            self.metrics,
            self.journal,
            now,
            cut,
            proxy.allow_private_destinations,
            {name: str(address) for name, address in proxy.hosts.items()},
            Clients(self._sources.identify),
            self._sources.callers,
            Warnings(secret, self._acceptances),
            place if portal.enabled else None,
            Tickets(authority.secret_for(self._settings.ca_dir, TICKETS)),
            self._pac_door(),
            proxy.ports_of_tunnels,
            self._pinning,
            Metering(
                self.meter, authority.secret_for(self._settings.ca_dir, "streams of accounts")
            ),
            self._alerts.signs,
            self._seen,
            self._picture_hook(),
        )

    def _picture_hook(self) -> "PictureHook | None":
        from schoolgate.proxy.picture_hook import HookRules, PictureHook  # noqa: PLC0415 - as above

        of = self._settings.pictures
        if not of.classifier:
            return None
        blocks = of.unanswered == "block"
        return PictureHook(
            HookRules(of.classifier, of.timeout_seconds, of.least_score, of.most_bytes, blocks)
        )

    def _pac_door(self) -> "PacDoor | None":
        from schoolgate.proxy.gate.pac_door import PacDoor  # noqa: PLC0415 - as above

        ways = Ways.of(self._settings)
        text = pac(ways) if ways.network.is_used else ""
        hosts = [normalise_host(str(address)) for address in ways.network.addresses]
        return PacDoor(text, [*hosts, ways.portal]) if text else None

    def drain(self) -> None:
        """Leave to the next process what only one can do."""
        self._sources.hand_over()
        self._refusals.stop()

    async def renew_sign_ins(self) -> None:
        """Ask again after whoever is signed in to the proxy; to be called every few seconds."""
        await self._sources.callers.renew()

    def show_what_ends(self) -> None:
        """Show what ends or grows old by itself, grants and locked lists; to be called now and then."""
        at = now()
        engine = self.engines.current
        self.metrics.grants_active.set(sum(grant.ends > at for grant in engine.overlay.grants))
        self._show_locked(engine.locked, at)

    def _show_locked(self, locked: LockedLists, at: datetime) -> None:
        required = self._settings.lists.locked_required
        names = {*required, *locked.refused, *(each.by.name for each in locked.lists)}
        for name in names:
            self.metrics.locked_list_ok.labels(list=name).set(not locked.fault(name, at))
        for each in locked.lists:
            by = each.by
            self.metrics.locked_list_date.labels(list=by.name).set(by.date.timestamp())
            self.metrics.locked_list_hash.labels(list=by.name).set(int(by.digest[:12], 16))

    def _measure_grants(self) -> None:
        """Show how long grants took from the decision to this worker."""
        newest = max((grant.id for grant in self.engines.current.overlay.grants), default=0)
        if newest <= self._last_grant:
            return
        try:
            for number, decided_at in granted_after(self._database, self._last_grant):
                seconds = (now() - decided_at).total_seconds()
                self.metrics.grant_propagation.observe(max(0.0, seconds))
                self._last_grant = number
        except UnavailableError:
            # It is measured with the next one.
            self.metrics.store_errors.inc()

    def _load(self, settings: Settings, last_good: Rules | None) -> PolicyEngine:
        try:
            before = last_good.engine.locked if last_good is not None else None
            return self._followed(load_rules(settings, before, with_phrases=True))
        except ConfigurationError as error:
            if last_good is None:
                raise
            logger.error(  # noqa: TRY400
                "Files have faults; what was in force at the start of the gateway is in force.\n%s",
                error,
            )
            self.metrics.reload_errors.inc()
            return self._followed(last_good)

    def _followed(self, rules: Rules) -> PolicyEngine:
        """Follow who is who in the groups of the rules."""
        self._sources.follow(rules.people, rules.engine.policy)
        return rules.engine

    def _show(self, engine: PolicyEngine) -> None:
        """Tell the metrics and the store what is in force."""
        metrics = self.metrics
        metrics.overlay_version.set(engine.overlay.version)
        self.show_what_ends()
        self._measure_grants()
        label = f"{engine.policy.version}+{engine.catalogue.version}"
        if label == self._noted:
            return
        for category, count in engine.catalogue.sites.counts.items():
            metrics.list_domains.labels(category=category).set(count)
        # The record comes after the fact: a store that cannot be written holds no policy back.
        try:
            self._store.record_version("lists", engine.catalogue.version)
            metrics.policy_version.set(self._store.record_version("policy", label))
            self._noted = label
        except UnavailableError as error:
            logger.error("The version in force is not recorded: %s", error)  # noqa: TRY400
            metrics.store_errors.inc()

    def _put_overlay(self, overlay: Overlay) -> None:
        self.engines.put_overlay(overlay)
        if is_postgresql(self._settings.database_url):
            self._last.keep_overlay(overlay)

    def _put_bindings(self, bindings: tuple[Binding, ...]) -> None:
        self._sources.put_bindings(bindings)
        if is_postgresql(self._settings.database_url):
            self._last.keep_bindings(bindings)

    def _start_journal(self) -> None:
        try:
            self.journal.start()
        except OSError as error:
            raise _journal_unavailable(self._settings, error) from error
        self._started.callback(self.journal.stop)

    def _start_watches(self, seen: Seen) -> None:
        settings, metrics = self._settings, self.metrics

        def failed(_error: Exception) -> None:
            metrics.store_errors.inc()

        url = settings.database_url
        watch = OverlayWatch(url, self._put_overlay, now, failed)
        signed_in = BindingWatch(url, self._put_bindings, now, failed)
        files = FileWatch(
            lambda: watched_files(settings),
            lambda: self._followed(
                load_rules(settings, self.engines.current.locked, with_phrases=True)
            ),
            self.engines.put_policy,
            metrics.reload_errors.inc,
            seen.rules,
            made=lambda: [list_places(settings).index],
        )
        own = watch_local(settings, self.engines, metrics.reload_errors.inc, seen.local)
        locked = watch_locked(settings, self.engines, metrics.reload_errors.inc, seen.locked)
        sites = watch_seen_sites(settings, self._seen, metrics.reload_errors.inc)
        for part in (watch, signed_in, files, own, locked, sites):
            part.start()
            self._started.callback(part.stop)


def _journal_unavailable(settings: Settings, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"The journal cannot be written to {settings.journal_dir}: "
        f"{error.strerror}. Give schoolgate's user write access, or set journal.dir."
    )


def _check_state_dir(directory: Path) -> None:
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UnavailableError(
            f"The state directory {directory} cannot be written. Give it to schoolgate's user."
        )


def upstream_bundle(settings: Settings) -> Path | None:
    """Write the usual CAs and the extra one into one file, which is what OpenSSL reads.

    Raises:
        UnavailableError: when the extra one cannot be read or is no certificate.
    """
    extra, bundle = settings.proxy.upstream_ca, upstream_bundle_file(settings)
    if extra is None or bundle is None:
        return None
    try:
        pem = extra.read_bytes()
        x509.load_pem_x509_certificates(pem)
        # Whole at any time: other processes read it.
        aside = bundle.with_name(f".{bundle.name}.{secrets.token_hex(4)}")
        aside.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + pem)
        aside.replace(bundle)
    except OSError as error:
        raise UnavailableError(
            f"The CA file {extra} of proxy.upstream_ca cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise UnavailableError(
            f"The CA file {extra} of proxy.upstream_ca holds no certificate in PEM form."
        ) from error
    return bundle


def upstream_bundle_file(settings: Settings) -> Path | None:
    """Give where `upstream_bundle` writes; None where the usual CAs are all."""
    return settings.ca_dir / "upstream.pem" if settings.proxy.upstream_ca else None
