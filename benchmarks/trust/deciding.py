"""Decides at the centre of a trust in namespaces, and asks a school's gateways until they do as it says."""

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta

from schoolgate import bootstrap
from schoolgate.core.approvals import AccessRequest, Actor, Approve, Form, Revoke, Role, Subject
from schoolgate.core.people import People
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.settings import load_settings
from tests.gateway import PATIENCE_SECONDS
from tests.system.pair import PORT
from tests.system.trust_scene import SHOP, Gate, Trust, centre_settings

OPEN, CLOSED = 200, 403
_TEACHER = Actor("teacher", frozenset({Role.TEACHER}))
_LEADER = Actor("leader", frozenset({Role.SLT}))
_HEAD = Actor("head", frozenset({Role.HEADTEACHER}))
_PAUSE_SECONDS = 0.01


class Deciding:
    """The approval service at the centre, over one school's schema.

    Args:
        here: where.
        school: whose.
    """

    def __init__(self, here: Trust, school: str) -> None:
        self._here = here
        settings = load_settings(centre_settings(here, school), {})
        self._engine = bootstrap.load_engine(settings)
        opened: Future[Approvals] = here.at_centre.submit(
            bootstrap.open_approvals, settings, lambda: self._engine
        )
        self._service = opened.result()

    def close(self) -> None:
        """Give its connections back."""
        self._service.close()

    def open(self, url: str, ends: datetime) -> tuple[AccessRequest, float]:
        """Approve a page; give the request, and the monotonic moment after the commit."""
        return self._here.at_centre.submit(self._open, url, ends).result()

    def close_again(self, request: AccessRequest) -> float:
        """Revoke what was approved; give the monotonic moment after the commit."""
        return self._here.at_centre.submit(self._revoke, request).result()

    def _open(self, url: str, ends: datetime) -> tuple[AccessRequest, float]:
        now, everyone = bootstrap.now(), Subject.parse("everyone")
        scope = scope_of(self._engine, People(), url, Extent.PAGE, everyone, now, ends=ends)
        form = Form("A. Teacher", url, "Prices.", "Maths.", "Adverts; I watch.", scope)
        form = replace(form, minimum_age=0, parents_informed=True, pupils_meant=True)
        asked = self._service.submit(form, _TEACHER, now)
        sign = Approve("For the lesson.", "T. Head")
        return self._service.act(asked.id, asked.version, sign, _HEAD, now), time.monotonic()

    def _revoke(self, request: AccessRequest) -> float:
        action, now = Revoke("The lesson is over."), bootstrap.now()
        self._service.act(request.id, request.version, action, _LEADER, now)
        return time.monotonic()


def page(name: str) -> str:
    """Give the address of a page that is closed until somebody opens it."""
    return f"http://{SHOP}/{name}"


def status(proxy: str, url: str) -> int:
    """Ask a proxy for a page; 0 where nothing comes."""
    try:
        with socket.create_connection((proxy, PORT), PATIENCE_SECONDS) as line:
            line.sendall(
                f"GET {url} HTTP/1.1\r\nHost: {SHOP}\r\nConnection: close\r\n\r\n".encode()
            )
            with line.makefile("rb") as came:
                first = came.readline().split()
                came.read()
    except OSError:
        return 0
    return int(first[1]) if len(first) > 1 else 0


def until(proxy: str, url: str, wanted: int) -> float:
    """Ask until an answer has a status; give the monotonic moment."""
    end = time.monotonic() + PATIENCE_SECONDS
    while status(proxy, url) != wanted:
        if time.monotonic() > end:
            raise TimeoutError(f"{proxy} does not answer {wanted} for {url}")
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic()


def asking(here: Trust, gates: Sequence[Gate], url: str, wanted: int) -> Callable[[], list[float]]:
    """Have devices ask some gateways from now on; give what waits for the moment of each."""
    waits = [here.at_school.submit(until, gate.inside, url, wanted) for gate in gates]
    return lambda: [one.result() for one in waits]


def round_(here: Trust, deciding: Deciding, name: str) -> tuple[float, float]:
    """Approve and revoke a page; give the seconds until each is in force at both gateways."""
    url = page(name)
    wait = asking(here, here.pair, url, OPEN)
    request, committed = deciding.open(url, bootstrap.now() + timedelta(hours=1))
    opened = max(wait()) - committed
    wait = asking(here, here.pair, url, CLOSED)
    committed = deciding.close_again(request)
    return max(opened, 0.0), max(max(wait()) - committed, 0.0)
