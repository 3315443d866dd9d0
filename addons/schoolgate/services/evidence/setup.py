"""How a gateway is set up, from its settings and the rules in force."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from schoolgate.core.approvals import Role
from schoolgate.core.errors import SchoolgateError
from schoolgate.core.policy import Policy, PolicyEngine
from schoolgate.core.safeguarding import Theme
from schoolgate.core.safeguarding.incidents import About
from schoolgate.lists.safeguarding_files import SAFEGUARDING, read_safeguarding_files
from schoolgate.services.evidence.facts import Setup
from schoolgate.services.incidents import roles_for
from schoolgate.settings import Settings
from schoolgate.wireguard import read_peers


def setup_of(settings: Settings, engine: PolicyEngine, signatures: Sequence[Any] | None) -> Setup:
    """Say how a gateway is set up.

    Args:
        settings: of the machine.
        engine: the rules in force.
        signatures: of the declaration, of all versions; None where they are not known.
    """
    policy, journal = engine.policy, settings.journal
    declaration = policy.declaration
    version = declaration.version if declaration else ""
    return Setup(
        groups=tuple(one.title for one in policy.groups.values()),
        networks=tuple(policy.networks.values()),
        devices=tuple(policy.devices.values()),
        services=tuple(dict.fromkeys(one.service.id for one in policy.obligations)),
        themes=_themes(policy),
        languages=_languages(settings) if policy.safeguards else (),
        concerns=tuple(role.value for role in roles_for(policy, About.PUPILS)),
        searches=bool(policy.searches),
        mail=bool(settings.mail.host),
        webhooks=len(settings.alerts.webhooks),
        weekly=_told(settings, settings.reports.weekly),
        termly=_told(settings, settings.reports.termly),
        transparent=settings.proxy.transparent_listen is not None,
        at_home=_at_home(settings),
        single_sign_on=bool(settings.portal.oidc),
        keep_days=journal.keep_days,
        keep_address_days=journal.keep_fields.get("url"),
        least_people=journal.least_people,
        bodies=bool(policy.contents),
        declaration=version,
        signed=None if signatures is None else _signed(signatures, version),
        trust=policy.extends,
        shipped=tuple(one.kind for one in settings.shipping.to),
        list_updates=settings.lists.update,
    )


def _themes(policy: Policy) -> tuple[str, ...]:
    themes: set[Theme] = set()
    for one in policy.safeguards:
        themes |= one.themes or set(Theme)
    return tuple(sorted(theme.value for theme in themes))


def _languages(settings: Settings) -> tuple[str, ...]:
    """Give the languages of the phrases, by their codes; none where the files cannot be read."""
    found: set[str] = set()
    for directory in settings.lists.dirs:
        if (directory / SAFEGUARDING).is_dir():
            with suppress(SchoolgateError):
                files = read_safeguarding_files(directory / SAFEGUARDING)
                found |= {code for _, theme in files.themes for code in theme.languages}
    return tuple(sorted(found))


def _told(settings: Settings, roles: Iterable[Role]) -> tuple[str, ...]:
    return tuple(role.value for role in roles if settings.mail.roles.get(role))


def _at_home(settings: Settings) -> int | None:
    if settings.wireguard.listen is None:
        return None
    try:
        return len(read_peers(settings.wireguard_dir))
    except SchoolgateError:
        return None


def _signed(signatures: Iterable[Any], version: str) -> int:
    return len(
        {one.person for one in signatures if one.version == version and not one.withdrawn_at}
    )
