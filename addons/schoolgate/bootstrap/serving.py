"""The running gateway: makes everything ready, opens the addresses, and supervises the workers."""

import contextlib
import gc
import importlib
import logging
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.bootstrap import exposition, worker
from schoolgate.bootstrap.approval_figures import ApprovalReader, category_by
from schoolgate.bootstrap.bundle_figures import bundle_figure
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.exposition import Beside
from schoolgate.bootstrap.feed_figures import feed_figures
from schoolgate.bootstrap.gateway import Prepared, prepare, upstream_bundle
from schoolgate.bootstrap.gateway_state import start_reporting
from schoolgate.bootstrap.jobs_post import keep_jobs
from schoolgate.bootstrap.kept_request_figures import kept_request_figure
from schoolgate.bootstrap.listening import (
    metrics_listener,
    place_of,
    portal_listener,
    proxy_listeners,
    transparent_listeners,
    tunnel_sockets,
    url_of,
)
from schoolgate.bootstrap.meter_post import keep_meter
from schoolgate.bootstrap.occupancy import occupied
from schoolgate.bootstrap.portal_post import keep_portal, why_no_portal
from schoolgate.bootstrap.rules import Rules
from schoolgate.bootstrap.selftest_post import keep_selftest, selftest_figures
from schoolgate.bootstrap.shipping_post import keep_shipping
from schoolgate.bootstrap.tunnel_post import TunnelPlace, keep_tunnels
from schoolgate.core.policy import PolicyEngine
from schoolgate.monitoring import forget, shared_directory
from schoolgate.monitoring.pair_metrics import is_held
from schoolgate.settings import Settings, load_settings
from schoolgate.workers import (
    Board,
    Exchange,
    Letters,
    Link,
    Listeners,
    Post,
    ServiceManager,
    Supervisor,
    Times,
)

logger = logging.getLogger(__name__)

# A thousand connections of one address, four thousand of which nothing is known yet.
_ENOUGH_DESCRIPTORS = 16_384

# What the supervisor itself was started with.
_FIXED = (
    "proxy.listen",
    "proxy.transparent_listen",
    "proxy.workers",
    "proxy.drain_seconds",
    "metrics.listen",
    "portal.enabled",
    "portal.listen",
    "wireguard.listen",
    "wireguard.name_server",
    "selftest.enabled",
    "selftest.every_seconds",
    "shipping.personal",
    "shipping.sites",
    "shipping.to",
    "trust.school",
    "trust.gateway",
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running gateway is.

    Attributes:
        proxy: URL.
        metrics: URL.
        portal: URL; "" where there is none.
        no_portal: why there is none.
        transparent: where redirected connections arrive, as address and port; "" for nowhere.
        tunnels: where devices at home come in, as address and port of UDP; "" for nowhere.
    """

    proxy: str
    metrics: str
    portal: str = ""
    no_portal: str = ""
    transparent: str = ""
    tunnels: str = ""


def serve(
    settings: Settings,
    ready: Callable[[Addresses, PolicyEngine], None],
    *,
    whole: bool = True,
) -> None:
    """Run the gateway until SIGINT or SIGTERM; SIGHUP puts new workers in place of the old ones.

    Args:
        settings: of this machine.
        ready: called once all but the portal serves, which may take a moment longer.
        whole: whether portal and jobs run beside the workers.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when a port, directory, key or database cannot be used; nothing is left
            half-started.
    """
    prepared = prepare(settings)
    with contextlib.ExitStack() as opened:
        opened.enter_context(occupied(settings))
        metrics = opened.enter_context(metrics_listener(settings))
        proxy = opened.enter_context(proxy_listeners(settings))
        redirected = (
            opened.enter_context(transparent_listeners(settings))
            if settings.proxy.transparent_listen
            else None
        )
        tunnels = opened.enter_context(tunnel_sockets(settings))
        figures = opened.enter_context(shared_directory(settings.state_dir))
        exchange = opened.enter_context(contextlib.closing(Exchange(len(proxy.rows))))
        letters = opened.enter_context(contextlib.closing(Letters(len(proxy.rows))))
        no_portal = why_no_portal(settings) if whole else "it is served on its own"
        portal = None if no_portal else opened.enter_context(portal_listener(settings))
        running = _Running(
            settings,
            prepared,
            proxy,
            redirected,
            tunnels,
            exchange,
            letters,
            metrics,
            figures,
            portal,
            no_portal,
            has_jobs=whole,
        )
        running.run(ready)


class _Running:
    def __init__(
        self,
        settings: Settings,
        prepared: Prepared,
        proxy: Listeners,
        redirected: Listeners | None,
        tunnels: Sequence[socket.socket],
        exchange: Exchange,
        letters: Letters,
        metrics: Listeners,
        figures: Path,
        portal: Listeners | None,
        no_portal: str,
        *,
        has_jobs: bool,
    ) -> None:
        self._settings = settings
        self._prepared = prepared
        self._proxy = proxy
        self._redirected = redirected
        self._tunnels = tunnels
        self._exchange = exchange
        self._letters = letters
        self._metrics = metrics
        self._figures = figures
        self._portal = portal
        self._no_portal = no_portal
        self._has_jobs = has_jobs
        self._started = now()
        self._board = Board(len(proxy.rows) + 1 + len(self._beside))
        # The first workers, and those of a reload, are not to serve what is not as it is written.
        self._last_good: Rules | None = None

    def run(self, ready: Callable[[Addresses, PolicyEngine], None]) -> None:
        # Once for all: a process that is forked afterwards has it and shares the memory.
        importlib.import_module("schoolgate.proxy.master")
        importlib.import_module("schoolgate.proxy.addons")
        gc.collect()
        gc.freeze()
        _allow_all_descriptors()
        addresses = Addresses(
            url_of(self._proxy),
            url_of(self._metrics),
            url_of(self._portal) if self._portal else "",
            self._no_portal,
            place_of(self._redirected.rows[0][0]) if self._redirected else "",
            place_of(self._tunnels[0]) if self._tunnels else "",
        )

        def serving() -> None:
            rules = self._last_good = self._prepared.rules
            ready(addresses, rules.engine)

        Supervisor(
            self._posts(),
            self._board,
            Times(drain=self._settings.proxy.drain_seconds),
            self._reload,
            lambda seat: forget(self._figures, seat),
            ServiceManager(),
        ).run(serving)

    def _posts(self) -> list[Post]:
        workers = [
            Post(
                f"worker {number}",
                number,
                self._worker(number),
                [listener.fileno() for listener in (*row, *self._redirected_row(number))],
            )
            for number, row in enumerate(self._proxy.rows, 1)
        ]
        listener = self._metrics.rows[0][0]
        metrics = Post(
            "metrics", len(workers) + 1, self._show, [listener.fileno()], is_relieved=False
        )
        # In the order of `_beside`.
        beside = (
            *self._portal_posts(len(workers) + 2),
            *self._jobs_posts(len(workers) + 3),
            *self._tunnel_posts(len(workers) + 4),
            self._meter_post(len(workers) + 5),
            *self._selftest_posts(len(workers) + 6),
            *self._shipping_posts(len(workers) + 7),
        )
        return [*workers, metrics, *beside]

    @property
    def _beside(self) -> tuple[Beside, ...]:
        """What runs beside the workers and keeps nothing from being filtered."""
        portal = (Beside.PORTAL,) if self._portal is not None else ()
        jobs = (Beside.JOBS,) if self._has_jobs else ()
        tunnels = (Beside.TUNNELS,) if self._tunnels else ()
        selftest = (Beside.SELFTEST,) if self._settings.selftest.enabled else ()
        shipping = (Beside.SHIPPING,) if self._settings.shipping.to else ()
        return (*portal, *jobs, *tunnels, Beside.METER, *selftest, *shipping)

    def _redirected_row(self, number: int) -> Sequence[socket.socket]:
        return self._redirected.rows[number - 1] if self._redirected is not None else ()

    def _portal_posts(self, number: int) -> Iterator[Post]:
        portal = self._portal
        if portal is None:
            return

        def keep(link: Link) -> None:
            _name_log("portal")
            keep_portal(self._settings, portal, self._figures, link)

        # A gateway without its pages still filters.
        listeners = [one.fileno() for one in portal.all()]
        yield Post("portal", number, keep, listeners, is_relieved=False, is_essential=False)

    def _jobs_posts(self, number: int) -> Iterator[Post]:
        if not self._has_jobs:
            return

        def keep(link: Link) -> None:
            _name_log("jobs")
            keep_jobs(self._settings, link)

        yield Post("jobs", number, keep, is_essential=False)

    def _tunnel_posts(self, number: int) -> Iterator[Post]:
        if not self._tunnels:
            return

        def keep(link: Link) -> None:
            _name_log("tunnels")
            entrance = self._exchange.entrance()
            keep_tunnels(TunnelPlace(self._settings, self._tunnels, entrance, self._figures), link)

        sockets = [one.fileno() for one in self._tunnels]
        # A reload would cut every device off; devices are followed, and the rest needs a restart.
        yield Post("tunnels", number, keep, sockets, is_relieved=False, is_essential=False)

    def _meter_post(self, number: int) -> Post:
        def keep(link: Link) -> None:
            _name_log("meter")
            keep_meter(self._settings, self._figures, link)

        # There is one owner of the accounts at any time, so that no other relieves it.
        return Post("meter", number, keep, is_relieved=False, is_essential=False)

    def _selftest_posts(self, number: int) -> Iterator[Post]:
        if not self._settings.selftest.enabled:
            return
        metrics = self._metrics.address

        def keep(link: Link) -> None:
            _name_log("selftest")
            keep_selftest(self._settings, self._exchange.entrance(), metrics, link)

        yield Post("selftest", number, keep, is_relieved=False, is_essential=False)

    def _shipping_posts(self, number: int) -> Iterator[Post]:
        if not self._settings.shipping.to:
            return

        def keep(link: Link) -> None:
            _name_log("shipping")
            keep_shipping(self._settings, self._figures, link)

        # There is one place in the journal for each receiver.
        yield Post("shipping", number, keep, is_relieved=False, is_essential=False)

    def _worker(self, number: int) -> Callable[[Link], None]:
        ports = [self._proxy.address[1], self._metrics.address[1]]
        if self._portal is not None:
            ports.append(self._portal.address[1])
        if self._redirected is not None:
            ports.append(self._redirected.address[1])

        def work(link: Link) -> None:
            _name_log(f"worker {number}")
            place = worker.Place(
                self._settings,
                self._proxy.rows[number - 1],
                self._redirected_row(number),
                self._exchange.desk(number),
                self._letters.box(number),
                ports,
                self._figures,
                # Whoever relieves a worker that serves must be as good as it.
                None if link.is_relief else self._last_good,
                self._prepared,
            )
            worker.work(place, link)

        return work

    def _show(self, link: Link) -> None:
        _name_log("metrics")
        categories = category_by(self._prepared.rules.engine)
        settings = self._settings
        hooks = tuple(hook.name for hook in settings.alerts.webhooks)
        with contextlib.closing(
            ApprovalReader(settings.database_url, categories, webhooks=hooks)
        ) as read:
            shown = exposition.Shown(
                self._metrics.rows[0][0],
                self._figures,
                self._board,
                len(self._proxy.rows),
                settings.journal_dir,
                self._beside,
                read,
                lambda: feed_figures(settings),
                selftest_figures(settings),
                lambda: bundle_figure(settings),
                lambda: kept_request_figure(settings),
                lambda: is_held(settings.network.addresses) if settings.network.pair else None,
            )
            start_reporting(self._settings, shown, self._started)
            exposition.show(shown, link)

    def _reload(self) -> None:
        old = self._settings
        new = load_settings(old.file, state_dir=old.state_dir)
        upstream_bundle(new)
        for name in _FIXED:
            if _value(new, name) != _value(old, name):
                logger.warning("A change of %s needs a restart; it stays as it was.", name)
        self._settings = new


def _value(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _name_log(process: str) -> None:
    for handler in logging.getLogger().handlers:
        handler.setFormatter(logging.Formatter(f"%(levelname)s {process}: %(message)s"))


def _allow_all_descriptors() -> None:
    """Let the workers open as many files as they may: what services get is made for other work."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < _ENOUGH_DESCRIPTORS:
        logger.warning(
            "A process may open %d files only, so that fewer clients are served at once. "
            "Raise the limit of the service (LimitNOFILE in systemd) to %d.",
            hard, _ENOUGH_DESCRIPTORS,
        )  # fmt: skip
