"""Whom of a provider's people the portal takes, and in which roles; pure, from a token that was verified."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schoolgate.core.approvals import Role
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hosts import normalise_host
from schoolgate.settings.single_sign_on import ProviderSettings

_LONGEST_NAME = 150
_ADDRESS = re.compile(r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([A-Za-z0-9.-]{1,189})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# As Entra writes what others write as a truth value.
_TRUE = (True, 1, "1", "true")


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody of the school.

    Attributes:
        subject: by which the provider knows them, for ever.
        email: their address, lower case.
        name: theirs.
        roles: that the provider's claim gives them.
    """

    subject: str
    email: str
    name: str
    roles: frozenset[Role]


def admitted(provider: ProviderSettings, claims: Mapping[str, Any]) -> Admitted:
    """Give who a token speaks of.

    Args:
        provider: that signed it.
        claims: of the token, verified.

    Raises:
        RefusedError: when that is nobody of the school.
    """
    address = {"google": _of_google, "entra": _of_entra, "other": _verified}[provider.kind]
    email = _plain(address(provider, claims))
    if email.rpartition("@")[2] not in provider.domains:
        raise RefusedError(f"only accounts of {_listed(provider)} may sign in here")
    name = _CONTROL.sub("", str(claims.get("name") or email))[:_LONGEST_NAME]
    return Admitted(str(claims["sub"]), email, name, _roles(provider, claims))


def _verified(_: ProviderSettings, claims: Mapping[str, Any]) -> str:
    """Give the address, whose owner the provider has asked (OpenID Connect Core, 5.1)."""
    if claims.get("email_verified") is not True:
        raise RefusedError("your address is not verified there")
    return str(claims.get("email", ""))


def _of_google(provider: ProviderSettings, claims: Mapping[str, Any]) -> str:
    """Give the address of an account that the school administers: Google says so in ``hd``."""
    if claims.get("hd") not in provider.domains:
        raise RefusedError(f"only accounts of {_listed(provider)} may sign in here")
    return _verified(provider, claims)


def _of_entra(provider: ProviderSettings, claims: Mapping[str, Any]) -> str:
    """Give the address of a member of the school's tenant.

    ``email`` is what somebody wrote there, unless the tenant owns its domain (``xms_edov``); the
    domain of a member's user principal name belongs to the tenant. Guests are no members.
    """
    if claims.get("tid") != str(provider.tenant):
        raise RefusedError("only accounts of the school's own tenant may sign in here")
    principal = str(claims.get("preferred_username", ""))
    if claims.get("acct") in (1, "1") or "idp" in claims or "#ext#" in principal.lower():
        raise RefusedError("guests of the school's tenant may not sign in here")
    owned = claims.get("xms_edov") in _TRUE
    return str(claims["email"]) if owned and claims.get("email") else principal


def _plain(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    try:
        return f"{found[1]}@{normalise_host(found[2])}".lower() if found else ""
    except BadAddressError:
        return ""


def _roles(provider: ProviderSettings, claims: Mapping[str, Any]) -> frozenset[Role]:
    held = claims.get(provider.roles_claim)
    if provider.roles and provider.roles_claim in claims.get("_claim_names", ()):
        # Entra leaves groups out of a token where somebody has too many: it would take roles away.
        raise RefusedError("you are in more groups than the provider says; use its app roles")
    values = held if isinstance(held, list) else [held]
    return frozenset(
        role for value in values if isinstance(value, str) for role in provider.roles.get(value, ())
    )


def _listed(provider: ProviderSettings) -> str:
    return " or ".join(provider.domains)
