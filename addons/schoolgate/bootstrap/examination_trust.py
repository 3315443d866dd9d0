"""What `schoolgate doctor` says of trust, pair and database server, where the settings name them."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from schoolgate.bootstrap.bundles import store_of
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.shipping_post import access_of
from schoolgate.core.errors import SchoolgateError
from schoolgate.enrolment.client import EnrolmentFiles
from schoolgate.enrolment.reaching import trouble_of
from schoolgate.monitoring.pair_metrics import is_held
from schoolgate.services import kept_requests, trust_findings
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings
from schoolgate.settings.shipping import NatsSettings
from schoolgate.shipping.leaf_state import leaf_state
from schoolgate.storage import open_database
from schoolgate.storage.connections import is_postgresql
from schoolgate.storage.server_state import server_state

# Debian's keepalived writes one of them.
_KEEPALIVED = (Path("/run/keepalived.pid"), Path("/run/keepalived/keepalived.pid"))


def beyond(settings: Settings) -> Iterator[Finding]:
    """Look at what this gateway shares with others; what the settings do not name is left out."""
    if settings.bundles.url:
        yield from _bundles(settings)
    yield from _enrolment(settings)
    if settings.network.pair:
        held = is_held(settings.network.addresses)
        yield trust_findings.pair(is_held=held, has_keepalived=_has_keepalived())
    for target in settings.shipping.to:
        if isinstance(target, NatsSettings):
            yield _leaf(settings, target)
    if is_postgresql(settings.database_url):
        yield _server(settings)
    spool = KeptRequests(settings.state_dir / kept_requests.DIRECTORY)
    yield from trust_findings.kept(spool.state(), now())


def _bundles(settings: Settings) -> Iterator[Finding]:
    store = store_of(settings)
    try:
        found, status = store.in_force(), store.status()
    except SchoolgateError as error:
        yield Finding("bundle", False, str(error))
        return
    yield from trust_findings.bundles(found, status, settings.bundles.every_seconds, now())


def _enrolment(settings: Settings) -> Iterator[Finding]:
    files = EnrolmentFiles(settings.enrolment_dir)
    if not files.identity.exists():
        # Bundles may come from a web server that asks for no certificate.
        if settings.bundles.url and settings.bundles.root_file is None:
            yield trust_findings.not_enrolled()
        return
    try:
        own = x509.load_pem_x509_certificate(files.identity.read_bytes())
    except (OSError, ValueError) as error:
        said = (
            f"{files.identity} cannot be read ({error}): enrol anew, with a token of central IT's"
        )
        yield Finding("enrolment", True, said, is_note=True)
        return
    yield trust_findings.certificate(own.not_valid_before_utc, own.not_valid_after_utc, now())
    yield trust_findings.centre(*trouble_of(files))


def _leaf(settings: Settings, target: NatsSettings) -> Finding:
    try:
        state = leaf_state(access_of(target), settings.trust.school, settings.trust.gateway)
    except (OSError, SchoolgateError) as error:
        return trust_findings.no_leaf(target.name, str(error))
    return trust_findings.leaf(target.name, state.messages, state.takers)


def _server(settings: Settings) -> Finding:
    try:
        database = open_database(settings.database_url)
        try:
            return trust_findings.server(server_state(database))
        finally:
            database.dispose()
    except SchoolgateError as error:
        said = f"{error}; whoever keeps the database server. Filtering goes on with what was decided last"
        return Finding("database server", False, said)


def _has_keepalived() -> bool:
    for file in _KEEPALIVED:
        try:
            number = int(file.read_text())
        except (OSError, ValueError):
            continue
        if Path(f"/proc/{number}").exists():
            return True
    return False
