"""Asking a running gateway the questions that show whether it filters, and how its mail is."""

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schoolgate import authority
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.storage import OutboxState

# Reserved for documentation (RFC 5737): nothing is there, and the proxy must refuse to go.
_NOWHERE = "192.0.2.1"
_TIMEOUT_SECONDS = 5.0


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


def _health(host: str, port: int) -> Finding:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
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
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        target = f"http://{_NOWHERE}/"
    else:
        connection = http.client.HTTPSConnection(
            host, port, timeout=_TIMEOUT_SECONDS, context=context
        )
        connection.set_tunnel(_NOWHERE, 443)
        target = "/"
    try:
        connection.request("GET", target, headers={"Host": _NOWHERE})
        answer = connection.getresponse()
        clause = answer.headers.get("X-Schoolgate-Clause")
    except OSError as error:
        return Finding(what, False, _not_running(host, port, error))
    except http.client.HTTPException as error:
        return Finding(what, False, f"{host}:{port} does not answer as a web proxy: {error}")
    finally:
        connection.close()
    if answer.status == 403 and clause:
        return Finding(what, True, f"a request that must be refused was refused ({clause})")
    return Finding(what, False, f"{host}:{port} answered {answer.status} and is not schoolgate")


def _not_running(host: str, port: int, error: OSError) -> str:
    return f"nothing answers on {host}:{port} ({error}); start it with 'schoolgate run'"
