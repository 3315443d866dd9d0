"""Asking a running gateway the questions that show whether it filters, and how its mail is."""

import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schoolgate import authority
from schoolgate.core.errors import UnavailableError
from schoolgate.core.locked import LockedLists
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.storage import OutboxState

# Reserved for documentation (RFC 5737): nothing is there, and the proxy must refuse to go.
NOWHERE = "192.0.2.1"
TIMEOUT_SECONDS = 5.0
_MOST_METRICS_BYTES = 4_000_000
_UP = re.compile(r'^schoolgate_worker_up\{worker="(\d+)"\} (\S+)$', re.MULTILINE)
_RESTARTS = re.compile(r'^schoolgate_worker_restarts_total\{worker="(\d+)"\} (\S+)$', re.MULTILINE)
_VERSION = re.compile(r"^schoolgate_policy_version (\S+)$", re.MULTILINE)


# Sites come and go by the day.
OLD_LISTS = timedelta(days=7)
# Of mail that was given up, so much is told; and from then on nobody seems to send any.
GAVE_UP_OF_LATE = timedelta(days=14)
_LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: was looked at.
        ok: whether it keeps nothing from being filtered.
        said: what was found.
        is_note: whether somebody should do something about it all the same.
    """

    what: str
    ok: bool
    said: str
    is_note: bool = False


def locked_lists(locked: LockedLists, now: datetime) -> Iterator[Finding]:
    """Say which locked lists are there, in which version, how old and with which hash."""
    if not locked.lists:
        said = "none: the lists of the IWF and the police need a licence (docs/locked.md)"
        yield Finding("locked lists", True, said, is_note=True)
    for each in locked.lists:
        by = each.by
        said = (
            f"{len(each.entries)} entries, version {by.version} of {by.date:%Y-%m-%d %H:%M}, "
            f"{by.age(now).days} days old, SHA-256 {by.digest[:12]}…"
        )
        fault = locked.fault(by.name, now)
        yield Finding(f"locked list {by.name}", not fault, f"{fault}; {said}" if fault else said)
        if each.entries.reads_everywhere:
            said = (
                "its hashes do not say on which hosts they are, so that every host is read for it"
            )
            yield Finding(f"locked list {by.name}", True, said, is_note=True)


def authorities(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Say how long the CA that signs is good, and what to do about the next one."""
    try:
        signing, *others = authority.listed(settings.ca_dir)
    except UnavailableError as error:
        yield Finding("CA", False, str(error))
        return
    assert signing.info is not None
    coming = next((each for each in others if each.standing is authority.Standing.NEXT), None)
    yield _signing(signing.info, coming, settings.ca.warn_days, now)
    for each in others:
        if each.info is None:
            said = f"{each.trouble} The one that signs goes on"
            yield Finding(f"{each.standing} CA", True, said, is_note=True)
        elif each.standing is authority.Standing.NEXT:
            said = f"{each.info.file}, {(each.info.not_after - now).days} days left"
            yield Finding("next CA", True, f"{said}; it signs after 'schoolgate ca switch'")


def lists(built: str | None, names: int, now: datetime) -> Finding:
    """Say how old the lists in force are.

    Args:
        built: when they were put together, ISO 8601; None where that is not known.
        names: how many domains are in them.
        now: aware.
    """
    said = f"{names:,} domains"
    if not built:
        return Finding("lists", True, said)
    age = now - datetime.fromisoformat(built)
    days = f"{age.days} day{'s' if age.days != 1 else ''}"
    return Finding("lists", True, f"{said}, put together {days} ago", is_note=age >= OLD_LISTS)


def _signing(
    info: authority.CaInfo, coming: authority.Listed | None, warn_days: int, now: datetime
) -> Finding:
    left = (info.not_after - now).days
    said = f"{info.file}, {left} days left"
    if now < info.not_before:
        since = f"{info.not_before:%Y-%m-%d}"
        return Finding("CA", False, f"{info.file} is good from {since} only: is the clock right?")
    if left > warn_days:
        return Finding("CA", True, said)
    todo = "make the next one with 'schoolgate ca renew'"
    if coming is not None:
        todo = "run 'schoolgate ca switch' once every device has the next one"
    ended = info.not_after <= now
    if ended:
        said = f"{info.file} has ended: devices trust nothing that it signs"
    return Finding("CA", not ended, f"{said}; {todo} (docs/ca.md)", is_note=True)


def mail(settings: Settings, state: OutboxState, now: datetime) -> Iterator[Finding]:
    """Say how mail is, and what to do about what waits."""
    many = f"{state.waiting} mail{'s' if state.waiting != 1 else ''}"
    wait = f"{many} wait{'s' if state.waiting == 1 else ''}"
    late = state.due_since is not None and now - state.due_since > _LATE
    if not settings.mail.host:
        said = f"no mail server is set, {many} waiting"
        if state.waiting:
            said = f"{wait} and no mail server is set: set mail.host in {settings.file}"
        yield Finding("mail", ok=True, said=said, is_note=state.waiting > 0)
    elif late:
        said = f"{wait} and nobody sends: start 'schoolgate run' or 'schoolgate jobs'"
        yield Finding("mail", ok=True, said=said, is_note=True)
    else:
        trouble = f"; the last that failed: {state.trouble}" if state.trouble else ""
        said = f"{settings.mail.host}:{settings.mail.port}, {many} waiting{trouble}"
        yield Finding("mail", ok=True, said=said, is_note=bool(trouble))
    for waiting, error in state.gave_up:
        said = f"not sent to {waiting.audience}, '{waiting.subject}' ({waiting.about}): {error}"
        yield Finding("mail", ok=True, said=said, is_note=True)


def running(settings: Settings) -> Iterator[Finding]:
    """Ask the health address and the proxy, over HTTP and decrypted HTTPS.

    The proxy is asked for an address that it must refuse by itself, so that no site is contacted
    even if it did not filter.
    """
    yield _health(*split_address(settings.metrics.listen))
    host, port = split_address(settings.proxy.listen)
    yield _refusal("filtering over HTTP", host, port, None)
    try:
        context = ssl.create_default_context(
            cadata=authority.export_pem(settings.ca_dir).decode("ascii")
        )
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the CA is the finding
        yield Finding("filtering over HTTPS", False, str(error))
    else:
        yield _refusal("filtering over HTTPS", host, port, context)


class Examination:
    """Looks at several things at once, and waits for none of them longer than a time.

    A look that takes longer goes on in its thread and is told of no more; until it has ended nobody
    begins another, so that impatient people do not pile them up.

    Args:
        parts: each gives its findings, one after the other.
        seconds: for all of them together.
    """

    def __init__(
        self, parts: Mapping[str, Callable[[], Iterable[Finding]]], seconds: float
    ) -> None:
        self._parts = parts
        self._seconds = seconds
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def findings(self) -> list[Finding]:
        """Give what was found in time, in the order of the parts, and what was not."""
        with self._lock:
            if any(thread.is_alive() for thread in self._threads):
                said = "the look before has not ended yet: try again in a minute"
                return [Finding("this look", False, said)]
            found: dict[str, list[Finding]] = {name: [] for name in self._parts}
            self._threads = [
                threading.Thread(target=_look, args=(part, found[name]), name=name, daemon=True)
                for name, part in self._parts.items()
            ]
            threads = self._threads
            for thread in threads:
                thread.start()
        deadline = time.monotonic() + self._seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for thread in threads:
            if thread.is_alive():
                said = f"not finished within {self._seconds:g} seconds"
                found[thread.name].append(Finding(thread.name, False, said))
        return [finding for part in found.values() for finding in tuple(part)]


def _look(part: Callable[[], Iterable[Finding]], found: list[Finding]) -> None:
    try:
        for finding in part():
            found.append(finding)  # noqa: PERF402 - seen by others as it grows
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a look is its finding
        found.append(Finding("this look", False, repr(error)))


def workers(settings: Settings) -> Iterator[Finding]:
    """Ask the metrics which workers serve, and which version of the policy they have."""
    host, port = split_address(settings.metrics.listen)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(_MOST_METRICS_BYTES).decode("utf-8", "replace")
    except OSError as error:
        yield Finding("workers", False, _not_running(host, port, error))
        return
    except http.client.HTTPException as error:
        yield Finding("workers", False, f"{host}:{port} is not schoolgate's: {error!r}")
        return
    finally:
        connection.close()
    up = {number: float(value) == 1 for number, value in _UP.findall(text)}
    replaced = sum(float(value) for _, value in _RESTARTS.findall(text))
    said = f"{sum(up.values())} of {len(up)} serve; replaced {replaced:g} times since the start"
    yield Finding("workers", bool(up) and all(up.values()), said)
    version = _VERSION.search(text)
    if version:
        yield Finding("version on every worker", True, f"{float(version[1]):g}")


def _health(host: str, port: int) -> Finding:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read(1000).decode("utf-8", "replace").strip()
    except OSError as error:
        return Finding("health", False, _not_running(host, port, error))
    except http.client.HTTPException as error:
        return Finding("health", False, f"{host}:{port} is not schoolgate's: {error!r}")
    finally:
        connection.close()
    return Finding("health", answer.status == 200, said)


def _refusal(what: str, host: str, port: int, context: ssl.SSLContext | None) -> Finding:
    if context is None:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        target = f"http://{NOWHERE}/"
    else:
        connection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_SECONDS, context=context
        )
        connection.set_tunnel(NOWHERE, 443)
        target = "/"
    try:
        connection.request("GET", target, headers={"Host": NOWHERE})
        answer = connection.getresponse()
        clause = answer.headers.get("X-Schoolgate-Clause")
    except OSError as error:
        return Finding(what, False, _not_running(host, port, error))
    except http.client.HTTPException as error:
        return Finding(what, False, f"{host}:{port} does not answer as a web proxy: {error}")
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        said = "not looked at: whoever is at this machine must sign in to the proxy"
        return Finding(what, True, said, is_note=True)
    if answer.status == 403 and clause:
        return Finding(what, True, f"a request that must be refused was refused ({clause})")
    return Finding(what, False, f"{host}:{port} answered {answer.status} and is not schoolgate")


def _not_running(host: str, port: int, error: OSError) -> str:
    return f"nothing answers on {host}:{port} ({error}); start it with 'schoolgate run'"
