"""The portal's process: what its pages work with, opened and followed, and where it is asked."""

import asyncio
import ctypes
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from schoolgate import authority
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.evidence import facts_of
from schoolgate.bootstrap.examination import at_rest, blocked_sites
from schoolgate.bootstrap.examination_trust import beyond
from schoolgate.bootstrap.jobs import journal_of_late
from schoolgate.bootstrap.journal import open_journal
from schoolgate.bootstrap.people import Sources
from schoolgate.bootstrap.rules import Rules, list_places, load_people_of, load_rules
from schoolgate.bootstrap.trust_portal import trust_of
from schoolgate.bootstrap.watches import seen_now, watch_local, watch_locked, watched_files
from schoolgate.core.approvals import Role
from schoolgate.core.clients import Client
from schoolgate.core.errors import (
    ConfigurationError,
    Fault,
    SchoolgateError,
    UnavailableError,
)
from schoolgate.core.people import LdapSettings, People, sign_in_name
from schoolgate.core.policy import Policy, PolicyEngine
from schoolgate.identity import Answer, SignIns, placed
from schoolgate.identity.answers import unavailable
from schoolgate.monitoring import share
from schoolgate.monitoring.metrics import FollowerMetrics
from schoolgate.monitoring.portal_metrics import PortalMetrics
from schoolgate.portal.entrance import Application, Counted
from schoolgate.services import kept_requests
from schoolgate.services.approvals import Approvals
from schoolgate.services.clients import client_of
from schoolgate.services.engines import Engines
from schoolgate.services.incidents import Incidents
from schoolgate.services.kept_requests import Delivery, KeptRequests
from schoolgate.services.probing import Examination, running, workers
from schoolgate.services.reload import FileWatch
from schoolgate.services.tickets import PURPOSE as TICKETS
from schoolgate.services.tickets import Tickets
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.storage import (
    ApprovalStore,
    AuditTrail,
    BindingTable,
    BindingWatch,
    DecisionStore,
    Digests,
    IncidentStore,
    Outbox,
    StreamAccounts,
    open_database,
)
from schoolgate.workers import BACKLOG, open_listeners
from schoolgate.workers.local import listen_locally

if TYPE_CHECKING:
    from schoolgate.portal.house import House

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
# The directory answers within its own deadline, of 8 seconds.
_DIRECTORY_SECONDS = 15.0
# A person waits in front of the page.
_EXAMINED_SECONDS = 20.0
_NO_WORKER = 0
# Whoever sets up sits at this machine, or comes through the proxy.
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on


def serve_portal(
    settings: Settings,
    say: Callable[[str], None],
    listeners: Sequence[socket.socket] = (),
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve the portal until SIGINT or SIGTERM.

    Args:
        settings: of this machine.
        say: tells the person who started it a line.
        listeners: where it is asked; opened here when there are none.
        ready: called once it serves.

    Raises:
        ConfigurationError: when a file has faults.
        UnavailableError: when something that it needs cannot be used.
    """
    from schoolgate.portal.application import (  # noqa: PLC0415
        first_link,
        make_application,
        why_not,
    )
    from schoolgate.portal.server import PortalServer  # noqa: PLC0415

    lacking = why_not()
    if lacking:
        raise UnavailableError(f"The portal cannot be served: {lacking}.")
    listeners = listeners or _listeners(settings)
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        local = listen_locally(settings.portal_socket, BACKLOG)
    except OSError as error:
        raise UnavailableError(
            f"The portal cannot be reached by the gateway: {settings.portal_socket}: "
            f"{error.strerror}."
        ) from error

    host, port = listeners[0].getsockname()[:2]
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def make() -> Application:
        try:
            metrics = PortalMetrics()
            house = _house(settings, metrics)
            application = Counted(make_application(settings, house), metrics.answered)
            _deliver(house)
            link = first_link(settings, address)
        except SchoolgateError as error:
            print(f"schoolgate portal: {error}", file=sys.stderr, flush=True)
            sys.exit(3)
        if link:
            say(f"set up   {link}")
        ready()
        return application

    PortalServer(make, [*listeners, local]).run()


def _deliver(house: "House") -> None:
    from schoolgate.portal.accounts.register import actor_with  # noqa: PLC0415 - after Django's settings

    Delivery(house.kept, house.approvals, actor_with, house.now).start()


def share_portal_figures(directory: Path, seat: int) -> None:
    """Leave the metrics of this process where the gateway adds them up.

    Args:
        directory: of the gateway's figures.
        seat: a number that no other living process has.
    """
    share(directory, seat)


def end_with_parent() -> None:
    """Have this process told to end when the one that started it is gone (man 2 prctl)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _listeners(settings: Settings) -> Sequence[socket.socket]:
    host, port = split_address(settings.portal.listen)
    try:
        return open_listeners(host, port, 1).rows[0]
    except OSError as error:
        raise UnavailableError(
            f"The portal cannot listen on {host}:{port}: {error.strerror}. "
            "Stop what uses it, or set portal.listen to another address."
        ) from error


def _house(settings: Settings, metrics: FollowerMetrics) -> "House":
    """Open and follow what the pages work with; it lives as long as the process."""
    from schoolgate.portal.house import House, Keeping  # noqa: PLC0415

    seen = seen_now(settings)
    rules = load_rules(settings)
    database = open_database(settings.database_url)
    sign_ins = SignIns(
        BindingTable(database),
        rules.people.sign_in.longest_seconds,
        lambda: now().timestamp(),
    )
    people = _People(settings, metrics, rules, sign_ins)
    engines = Engines(rules.engine)
    files = FileWatch(
        lambda: watched_files(settings),
        lambda: people.followed(load_rules(settings, engines.current.locked)),
        engines.put_policy,
        metrics.reload_errors.inc,
        seen.rules,
        made=lambda: [list_places(settings).index],
    )
    bindings = BindingWatch(
        settings.database_url,
        people.sources.put_bindings,
        now,
        lambda error: logger.error("The sign-ins cannot be followed: %s", error),
    )
    own = watch_local(settings, engines, metrics.reload_errors.inc, seen.local)
    locked = watch_locked(settings, engines, metrics.reload_errors.inc, seen.locked)
    trust = trust_of(settings, database, lambda: engines.current)
    for part in (files, own, locked, bindings, *((trust.overview,) if trust else ())):
        part.start()
    return House(
        settings=settings,
        engine=lambda: engines.current,
        now=now,
        mac_at=people.sources.mac_at,
        sign_ins=sign_ins,
        membership=people.membership,
        directory=lambda: people.directory,
        domains=lambda: people.domains,
        trail=AuditTrail(database),
        approvals=Approvals(ApprovalStore(database), lambda: engines.current, lambda: people.known),
        decisions=DecisionStore(database),
        people=lambda: people.known,
        journal=lambda: journal_of_late(settings),
        # Read when the first one comes: the gateway may make its CA later than this.
        tickets=lambda: Tickets(authority.secret_for(settings.ca_dir, TICKETS)),
        keeping=Keeping(
            people_faults=lambda: _people_faults(settings, engines.current.policy),
            outbox=Outbox(database),
            examination=Examination(
                {
                    "files and database": lambda: at_rest(settings),
                    "workers": lambda: workers(settings),
                    "filtering": lambda: running(settings),
                    "blocked sites": lambda: blocked_sites(settings),
                    "trust, pair and server": lambda: beyond(settings),
                },
                _EXAMINED_SECONDS,
            ),
        ),
        digests=Digests(database),
        client_at=lambda address: people.client_at(address, engines.current.policy),
        history=open_journal(settings),
        accounts=StreamAccounts(database),
        incidents=Incidents(
            IncidentStore(database),
            lambda: engines.current,
            lambda account: sign_in_name(account, people.domains),
            lambda name: name in _heads(settings, people.domains),
        ),
        evidence=lambda since, until: facts_of(
            settings, engines.current, database, since, until, held=_held
        ),
        kept=KeptRequests(settings.state_dir / kept_requests.DIRECTORY),
        is_store_near=lambda: bindings.is_current,
        trust=trust,
    )


def _held() -> dict[Role, int]:
    """Give how many open accounts have each role."""
    from schoolgate.portal.accounts.register import accounts_with  # noqa: PLC0415 - after Django's settings

    return {role: len(accounts_with(role)) for role in Role}


def _heads(settings: Settings, domains: tuple[str, ...]) -> set[str]:
    """Give the sign-in names of the headteacher: by the settings of mail, and by the accounts."""
    from schoolgate.portal.accounts.register import accounts_with  # noqa: PLC0415 - after Django's settings

    listed = settings.mail.roles.get(Role.HEADTEACHER, ())
    return {sign_in_name(each, domains) for each in (*listed, *accounts_with(Role.HEADTEACHER))}


def _people_faults(settings: Settings, policy: Policy) -> Sequence[Fault]:
    try:
        load_people_of(settings, policy)
    except ConfigurationError as error:
        return error.faults
    return ()


class _People:
    """Who is who and how people sign in, as people.yaml has it now."""

    def __init__(
        self, settings: Settings, metrics: FollowerMetrics, rules: Rules, sign_ins: SignIns
    ) -> None:
        self.sources = Sources(settings, _NO_WORKER, metrics)
        self.directory: _SchoolDirectory | None = None
        self._asked: tuple[LdapSettings | None, tuple[str, ...]] = (None, ())
        self._sign_ins = sign_ins
        self._people = rules.people
        # Pages are made by several threads, and who is where is remembered for one.
        self._one_at_a_time = Lock()
        self.followed(rules)

    @property
    def known(self) -> People:
        return self._people

    @property
    def domains(self) -> tuple[str, ...]:
        return self._people.sign_in.domains

    def followed(self, rules: Rules) -> PolicyEngine:
        sign_in = rules.people.sign_in
        asked = sign_in.ldap, sign_in.domains
        if asked != self._asked:
            ldap = sign_in.ldap
            made = _SchoolDirectory(ldap, sign_in.domains) if ldap else None
            before, self.directory, self._asked = self.directory, made, asked
            if before is not None:
                before.close()
        self._sign_ins.longest_seconds = sign_in.longest_seconds
        self._people = rules.people
        self.sources.follow(rules.people, rules.engine.policy)
        return rules.engine

    def membership(self, answer: Answer) -> Answer:
        return placed(answer, self._people)

    def client_at(self, address: str, policy: Policy) -> Client:
        with self._one_at_a_time:
            identity = self.sources.identify(address, now().timestamp(), None)
        return client_of(identity, address, policy)


class _SchoolDirectory:
    """The school's directory, asked from threads; it lives in an event loop of its own."""

    def __init__(self, settings: LdapSettings, domains: tuple[str, ...]) -> None:
        from schoolgate.identity.ldap import LdapDirectory  # noqa: PLC0415 - dear to load

        self._directory = LdapDirectory(settings, domains)
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, name="directory", daemon=True).start()

    def check(self, user: str, password: str) -> Answer:
        asked = asyncio.run_coroutine_threadsafe(self._directory.check(user, password), self._loop)
        try:
            return asked.result(_DIRECTORY_SECONDS)
        except TimeoutError:
            asked.cancel()
            return unavailable("the directory did not answer in time")

    def close(self) -> None:
        """Ask no more; whoever waits for an answer still gets it."""
        self._directory.close()
        self._loop.call_soon_threadsafe(self._loop.call_later, _DIRECTORY_SECONDS, self._loop.stop)
