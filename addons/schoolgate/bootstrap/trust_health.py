"""How the gateways of a trust are, at its centre: what they say, what is let out, and who is enrolled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schoolgate.bootstrap.centre import ledger_of, repository_dir
from schoolgate.services.gateway_drift import Finding, Name, Released, drift
from schoolgate.settings import Settings
from schoolgate.storage.trust_gateways import TrustReports, read_trust


@dataclass(frozen=True, slots=True)
class TrustHealth:
    """How the gateways are.

    Attributes:
        reports: what each said last.
        findings: what is not as it should be, by school and gateway.
    """

    reports: TrustReports
    findings: tuple[Finding, ...]


def health_of(settings: Settings, url: str) -> TrustHealth:
    """Say how the gateways of all schools are.

    Args:
        settings: of the centre.
        url: of the trust's database, as somebody who may read every school's tables.

    Raises:
        RefusedError: when it is no database on a server.
        UnavailableError: when the server, the ledger or the repository cannot be read.
    """
    reports, enrolled = read_trust(url), enrolled_of(settings)
    found = drift(reports, released_of(settings), enrolled, reports.unreadable)
    named = {(one.school, one.gateway) for one in found}
    # Who was put out and is silent is none of the trust's any more.
    shown = tuple(
        report
        for report in reports.reports
        if not enrolled.get(name := (report.state.school, report.state.gateway)) or name in named
    )
    return TrustHealth(replace(reports, reports=shown), tuple(found))


def released_of(settings: Settings) -> Mapping[str, Released]:
    """Give what this centre has let out, by ring; nothing where it makes no bundles.

    Raises:
        UnavailableError: when its repository cannot be read.
    """
    # Signatures take long to load, and most centres that ask have none of their own.
    from schoolgate.bundles.repository import Repository  # noqa: PLC0415

    repository = Repository(repository_dir(settings))
    if not repository.root_file.exists():
        return {}
    at = {(one.ring, one.version): one.at for one in repository.history()}
    return {
        ring: Released(bundle, version, datetime.fromisoformat(at[ring, version]))
        for ring, (version, bundle) in repository.in_force().items()
        # A command that was killed may have let out what it had not written down.
        if (ring, version) in at
    }


def enrolled_of(settings: Settings) -> Mapping[Name, bool]:
    """Give who was ever enrolled here → whether it was put out again; makes no ledger.

    Raises:
        UnavailableError: when it cannot be read.
    """
    ledger = ledger_of(settings)
    if not ledger.file.exists():
        return {}
    return {(one.named.school, one.named.gateway): one.is_revoked for one in ledger.enrolled()}
