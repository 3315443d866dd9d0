"""Taking the journal elsewhere: a process beside the workers, with a thread for each receiver."""

import select
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from schoolgate import authority
from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring import share
from schoolgate.monitoring.shipping_metrics import ShippingMetrics
from schoolgate.settings import Settings
from schoolgate.settings.shipping import (
    JournaldSettings,
    LokiSettings,
    NatsSettings,
    OtlpSettings,
    SyslogSettings,
    Target,
)
from schoolgate.settings.trust import TrustSettings
from schoolgate.shipping import (
    Access,
    Counts,
    JetStream,
    Journald,
    Loki,
    OpenTelemetry,
    Receiver,
    Shipper,
    Syslog,
    Tail,
    Terms,
)
from schoolgate.shipping.fields import Personal, Sites
from schoolgate.shipping.syslog import trusting
from schoolgate.workers import Link

_BEAT_SECONDS = 0.2
_STOP_SECONDS = 8.0
# Of what is shipped alone: with the pseudonyms of anything else nobody can be put together.
_PSEUDONYMS = "pseudonyms of shipped lines"


def keep_shipping(settings: Settings, figures: Path, link: Link) -> None:
    """Ship until told to end.

    Args:
        settings: of this machine.
        figures: directory for the metrics.
        link: with the supervisor.

    Raises:
        UnavailableError: when the places cannot be kept, or a receiver has ended by a fault.
    """
    share(figures, link.seat)
    metrics, ending = ShippingMetrics(), threading.Event()
    directory = settings.state_dir / "shipping"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be made: {error.strerror}.") from error
    terms = Terms(
        Personal(settings.shipping.personal),
        Sites(settings.shipping.sites),
        authority.secret_for(settings.ca_dir, _PSEUDONYMS),
    )
    threads = [
        threading.Thread(
            target=_shipper(settings, target, directory, terms, metrics).run,
            args=(ending,),
            name=target.name,
            daemon=True,
        )
        for target in settings.shipping.to
    ]
    for thread in threads:
        thread.start()
    link.ready()
    told = False
    while all(thread.is_alive() for thread in threads) and not told:
        readable, _, _ = select.select([link.fileno()], [], [], _BEAT_SECONDS)
        told = bool(readable)
        link.beat()
    link.ending()
    ending.set()
    for thread in threads:
        thread.join(_STOP_SECONDS)
    if not told:
        raise UnavailableError("The journal is shipped no more: a fault ended it.")


def _shipper(
    settings: Settings, target: Target, directory: Path, terms: Terms, metrics: ShippingMetrics
) -> Shipper:
    dropped = metrics.dropped.labels(to=target.name)
    counts = Counts(
        metrics.sent.labels(to=target.name).inc,
        dropped.inc,
        metrics.behind.labels(to=target.name).set,
        metrics.up.labels(to=target.name).set,
    )
    return Shipper(
        target.name,
        Tail(settings.journal_dir),
        directory / f"{target.name}.json",
        receiver_of(target, settings.gateway, settings.trust),
        terms,
        counts,
    )


def receiver_of(target: Target, gateway: str, trust: TrustSettings = TrustSettings()) -> Receiver:  # noqa: B008 - a value
    """Give what sends to a receiver.

    Args:
        target: as the settings name it.
        gateway: name of this one.
        trust: its school, and its name there.
    """
    match target:
        case JournaldSettings():
            return Journald(target.socket)
        case SyslogSettings():
            files = target.ca_file, target.certificate_file, target.key_file
            return Syslog(target.host, target.port, partial(trusting, *files), gateway)
        case LokiSettings():
            tenant = {"X-Scope-OrgID": target.tenant} if target.tenant else {}
            return Loki(target.url, _headers(target, tenant), str(target.ca_file or ""))
        case OtlpSettings():
            return OpenTelemetry(target.url, _headers(target, {}), str(target.ca_file or ""))
        case NatsSettings():
            return JetStream(
                access_of(target),
                trust.school,
                trust.gateway,
                target.keep_days,
                target.keep_megabytes,
            )


def access_of(target: NatsSettings) -> Access:
    """Give how a server of NATS is reached."""
    return Access(
        target.url,
        target.ca_file,
        target.certificate_file,
        target.key_file,
        target.credentials_file,
        target.nkey_file,
        target.user_file,
    )


def _headers(
    target: LokiSettings | OtlpSettings, more: Mapping[str, str]
) -> Callable[[], Mapping[str, str]]:
    def headers() -> Mapping[str, str]:
        if target.token_file is None:
            return more
        token = target.token_file.read_text(encoding="ascii").strip()
        return {**more, "Authorization": f"Bearer {token}"}

    return headers
