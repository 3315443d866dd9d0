"""The centre of a trust on this machine: its authority, its ledger, and what it serves."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from schoolgate.authority.pairs import PRIVATE, PUBLIC, Pair, write_whole
from schoolgate.bootstrap.asked import metrics_listener
from schoolgate.bootstrap.clock import now
from schoolgate.core.errors import UnavailableError
from schoolgate.enrolment.certificates import fingerprint_of, make_authority, server_pem
from schoolgate.enrolment.ledger import Ledger
from schoolgate.monitoring import MetricsEndpoint
from schoolgate.monitoring.centre_metrics import CentreFigures
from schoolgate.settings import Settings


def trust_dir(settings: Settings) -> Path:
    """Say where everything of a trust's centre is."""
    return settings.state_dir / "trust"


def repository_dir(settings: Settings) -> Path:
    """Say where the bundles are that the centre serves."""
    return trust_dir(settings) / "repository"


def ledger_of(settings: Settings) -> Ledger:
    """Give the ledger of who may enrol and who is enrolled."""
    return Ledger(trust_dir(settings) / "enrolment.db")


def authority_of(settings: Settings) -> Pair:
    """Give the trust's authority, which is made the first time.

    Raises:
        UnavailableError: when it cannot be read or written.
    """
    return make_authority(trust_dir(settings) / "authority.pem", now())


def fingerprint_of_centre(settings: Settings) -> str:
    """Give by what a gateway knows this centre the first time.

    Raises:
        UnavailableError: as `authority_of`.
    """
    return fingerprint_of(authority_of(settings).certificate)


def serve_centre(settings: Settings, name: str, listen: str, metrics: str = "") -> None:
    """Serve gateways until told to end.

    Args:
        settings: of this machine.
        name: by which gateways know this server: a host or an IP address.
        listen: host and port.
        metrics: host and port where Prometheus asks; empty for nowhere.

    Raises:
        UnavailableError: when a file cannot be read or written, or that address is in use.
    """
    # Only who serves waits for it to be loaded.
    from schoolgate.bootstrap.centre_figures import centre_figure  # noqa: PLC0415
    from schoolgate.centre.application import Application  # noqa: PLC0415
    from schoolgate.centre.server import CentreServer, peer_of  # noqa: PLC0415

    directory, authority = trust_dir(settings), authority_of(settings)
    identity, shown = directory / "server.pem", directory / "authority.crt"
    try:
        # Anew with each start: it is never near its end.
        write_whole(identity, server_pem(authority, name, now()), PRIVATE)
        write_whole(shown, authority.certificate_pem, PUBLIC)
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be written: {error.strerror}.") from error

    figures = metrics_listener(metrics) if metrics else None

    def make() -> Application:
        # In the process that serves: the one that starts it forks, and has no threads.
        if figures is not None:
            registry = CollectorRegistry()
            registry.register(CentreFigures(lambda: centre_figure(settings)))
            MetricsEndpoint(registry, list).start(figures)
        ledger = ledger_of(settings)
        return Application(authority, ledger, repository_dir(settings), peer_of, now)

    CentreServer(make, listen, identity, shown).run()
