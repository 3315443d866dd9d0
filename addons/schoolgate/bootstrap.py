"""Puts the parts together: the only module that names the concrete classes."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
from cryptography import x509

from schoolgate import authority
from schoolgate.core.approvals import Overlay
from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.policy import PolicyEngine
from schoolgate.lists import ListPlaces, category_names, load_catalogue, load_local_lists
from schoolgate.monitoring import JournalWriter, Metrics, MetricsEndpoint
from schoolgate.services.engines import Engines
from schoolgate.services.reload import FileWatch, Signature, signature
from schoolgate.settings import Settings, load_policy
from schoolgate.settings.machine import split_address
from schoolgate.storage import DecisionStore, OverlayWatch, open_database, sqlite_path

if TYPE_CHECKING:
    from mitmproxy.connection import Client

    from schoolgate.proxy.addons import FilterAddons

logger = logging.getLogger(__name__)

WORKER = 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running gateway is."""

    proxy: str
    metrics: str


def now() -> datetime:
    """Give the time, aware."""
    return datetime.now(UTC)


def list_places(settings: Settings) -> ListPlaces:
    """Say where the lists and their index are."""
    return ListPlaces(settings.lists.dirs, settings.lists_dir)


def load_engine(settings: Settings, *, keep: bool = False) -> PolicyEngine:
    """Read policy, categories and local lists, without grants and suspensions.

    Args:
        settings: of this machine.
        keep: whether an index of the lists that had to be built is kept for the next time.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    faults: list[Fault] = []
    catalogue = local = policy = None
    try:
        local = load_local_lists(settings.lists.local)
    except ConfigurationError as error:
        faults.extend(error.faults)
    try:
        # A category whose file has faults exists all the same.
        policy = load_policy(settings.policy_file, category_names(settings.lists.dirs))
    except ConfigurationError as error:
        faults.extend(error.faults)
    # Last: where nothing can start, nothing is made.
    keep = keep and not faults
    if keep:
        _make_state_dir(settings.state_dir)
    try:
        catalogue = load_catalogue(list_places(settings), now(), keep=keep)
    except ConfigurationError as error:
        faults.extend(error.faults)
    if catalogue is None or local is None or policy is None or faults:
        raise ConfigurationError(faults)
    return PolicyEngine(policy, catalogue, local)


def open_store(settings: Settings) -> DecisionStore:
    """Open the store of decisions, made on first use.

    Raises:
        UnavailableError: when it cannot be used.
    """
    return DecisionStore(open_database(settings.database_url))


def overlay_if_any(settings: Settings) -> Overlay:
    """Give grants and suspensions, or none where nothing was ever kept; makes no files.

    Raises:
        UnavailableError: when there is a store that cannot be used.
    """
    if not sqlite_path(settings.database_url).exists():
        return Overlay()
    return open_store(settings).overlay(now())


def serve(settings: Settings, ready: Callable[[Addresses, Engines], None]) -> None:
    """Run the gateway until SIGINT or SIGTERM.

    Args:
        settings: of this machine.
        ready: called once everything listens.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when a port, directory, key or database cannot be used; nothing is left
            half-started.
    """
    with Gateway(settings) as gateway:
        asyncio.run(_serve(settings, gateway, ready))


class Gateway:
    """Everything behind the proxy: engine, store, journal, metrics and what watches them.

    Started when made; nothing is left half-started when that fails.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when a directory, key or database cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        # Before they are read: a change in between must be seen by the watch.
        seen = signature(_watched(settings))
        engine = load_engine(settings, keep=True)
        _check_state_dir(settings.state_dir)
        ca = authority.ensure(settings.ca_dir, engine.policy.school, now())
        store = open_store(settings)
        self._settings = settings
        self.metrics = metrics = Metrics()
        metrics.ca_expires(ca.not_after)
        self._store = store
        self._noted = ""
        self.engines = Engines(engine.with_overlay(store.overlay(now())), self._show)
        self._show(self.engines.current)
        self.journal = JournalWriter(
            settings.journal_dir,
            queue_size=settings.journal.queue_size,
            dropped=metrics.journal_dropped.inc,
            gateway=settings.gateway,
            worker=WORKER,
        )
        # Counted when asked for: a grant ends without any change to notice.
        metrics.grants_active.set_function(
            lambda: sum(grant.ends > now() for grant in self.engines.current.overlay.grants)
        )
        self._started = contextlib.ExitStack()
        with self._started:
            self._start_journal()
            self._start_watches(seen)
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
        from schoolgate.proxy.addons import make_addons  # noqa: PLC0415 - only a running proxy needs mitmproxy

        proxy = self._settings.proxy
        return make_addons(
            self.engines,
            self.metrics,
            self.journal,
            now,
            cut,
            proxy.allow_private_destinations,
            {name: str(address) for name, address in proxy.hosts.items()},
        )

    def _show(self, engine: PolicyEngine) -> None:
        """Tell the metrics and the store what is in force."""
        metrics = self.metrics
        metrics.overlay_version.set(engine.overlay.version)
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

    def _start_journal(self) -> None:
        try:
            self.journal.start()
        except OSError as error:
            raise UnavailableError(
                f"The journal cannot be written to {self._settings.journal_dir}: "
                f"{error.strerror}. Give schoolgate's user write access, or set journal.dir."
            ) from error
        self._started.callback(self.journal.stop)

    def _start_watches(self, seen: Signature) -> None:
        settings, metrics = self._settings, self.metrics
        watch = OverlayWatch(
            settings.database_url,
            self.engines.put_overlay,
            now,
            lambda _: metrics.store_errors.inc(),
        )
        files = FileWatch(
            lambda: _watched(settings),
            lambda: load_engine(settings, keep=True),
            self.engines,
            metrics.reload_errors.inc,
            seen,
            made=lambda: [list_places(settings).index],
        )
        for part in (watch, files):
            part.start()
            self._started.callback(part.stop)


async def _serve(
    settings: Settings, gateway: Gateway, ready: Callable[[Addresses, Engines], None]
) -> None:
    from schoolgate.proxy.master import ProxyMaster, ProxyOptions  # noqa: PLC0415

    host, port = split_address(settings.proxy.listen)
    options = ProxyOptions(host, port, settings.ca_dir, upstream_bundle(settings))
    # The addons close connections of a master that is made with them.
    masters: list[ProxyMaster] = []
    filtering = gateway.addons(lambda client: masters[0].cut(client))  # noqa: PLW0108
    master = ProxyMaster(options, filtering.guard, filtering.addons)
    masters.append(master)
    endpoint = MetricsEndpoint(gateway.metrics.registry, gateway.journal.faults)
    try:
        metrics_host, metrics_port = split_address(settings.metrics.listen)
        metrics_port = _listen(endpoint, metrics_host, metrics_port)
        async with master.listening() as (proxy_host, proxy_port):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, master.should_exit.set)
            filtering.destinations.own_ports.update((proxy_port, metrics_port))
            gateway.metrics.worker_up.labels(worker=str(WORKER)).set(1)
            # Everything up to here lives as long as the process: the collector need not walk it.
            gc.collect()
            gc.freeze()
            addresses = Addresses(
                f"http://{_bracketed(proxy_host)}:{proxy_port}",
                f"http://{_bracketed(metrics_host)}:{metrics_port}",
            )
            ready(addresses, gateway.engines)
            await master.should_exit.wait()
    finally:
        endpoint.stop()


def _listen(endpoint: MetricsEndpoint, host: str, port: int) -> int:
    try:
        return endpoint.start(host, port)
    except OSError as error:
        raise UnavailableError(
            f"The metrics cannot be served on {host}:{port}: {error.strerror}. "
            "Stop what uses it, or set metrics.listen to another address."
        ) from error


def _make_state_dir(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"The state directory {directory} cannot be made: {error.strerror}. "
            "Set state_dir, or make it and give it to schoolgate's user."
        ) from error


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
    extra = settings.proxy.upstream_ca
    if extra is None:
        return None
    bundle = settings.ca_dir / "upstream.pem"
    try:
        pem = extra.read_bytes()
        x509.load_pem_x509_certificates(pem)
        bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + pem)
    except OSError as error:
        raise UnavailableError(
            f"The CA file {extra} of proxy.upstream_ca cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise UnavailableError(
            f"The CA file {extra} of proxy.upstream_ca holds no certificate in PEM form."
        ) from error
    return bundle


def _watched(settings: Settings) -> Iterator[Path]:
    yield settings.policy_file
    yield from list_places(settings).files()
    yield from settings.lists.local.glob("*.txt")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
