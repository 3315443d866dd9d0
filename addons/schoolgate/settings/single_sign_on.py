"""Providers at which people of the school sign in (OpenID Connect): Google Workspace, Entra, any other."""

from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, model_validator

from schoolgate.core.approvals import Role
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.urls import parse_url
from schoolgate.documents import Strict

_GOOGLE = "https://accounts.google.com"
_ENTRA = "https://login.microsoftonline.com/{tenant}/v2.0"
# Of Entra: whoever has an account anywhere.
_ANYBODY = frozenset({"common", "organizations", "consumers"})


def _domain(value: str) -> str:
    try:
        return normalise_host(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error


def _issuer(value: str) -> str:
    """See that an issuer is an address over TLS, and of one school (OpenID Connect Core, 2)."""
    if not value:
        return value
    try:
        url = parse_url(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error
    if url.scheme != "https" or url.query or set("@?#") & set(value):
        raise ValueError(f"'{value}' is not an address such as https://login.school.example")
    if _ANYBODY & set(url.path.split("/")):
        raise ValueError(f"'{value}' is for everybody; name the school's own tenant")
    return value.rstrip("/")


class ProviderSettings(Strict):
    """Where people sign in, whom of them the portal takes, and in which roles.

    Attributes:
        id: of the provider in addresses.
        name: as the sign-in page says it.
        kind: what it says of the school: Google ``hd``, Entra ``tid``.
        issuer: its address, as its tokens name it; known for Google and Entra.
        tenant: of Entra, the school's own.
        client_id: which the provider gave the portal.
        client_secret: the same; or in a file.
        client_secret_file: a file that nobody else may read.
        domains: of the school's addresses; nobody else signs in.
        roles_claim: which claim of the token says in which roles somebody is.
        roles: what it may say → the roles that this gives.
        default_role: of whoever has none by that; without it they get no account.
        auto_link: whether an account that is there already is theirs by its address alone.
        second_factor: whether the second factor of the account here is asked for as well.
        ca_file: the authority of a provider of one's own.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")
    name: str = Field(min_length=1, max_length=40)
    kind: Literal["google", "entra", "other"] = "other"
    issuer: Annotated[str, AfterValidator(_issuer)] = ""
    tenant: UUID | None = None
    client_id: str = Field(min_length=1, max_length=191)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = Field(min_length=1)
    roles_claim: str = "groups"
    roles: dict[str, tuple[Role, ...]] = Field(default_factory=dict)
    default_role: Role | None = None
    auto_link: bool = False
    second_factor: bool = True
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.client_secret is None) == (self.client_secret_file is None):
            raise ValueError("give either client_secret or client_secret_file")
        if (self.kind == "entra") != (self.tenant is not None):
            raise ValueError("'tenant' belongs to kind entra, which needs it")
        if not self.issuer_url:
            raise ValueError("give the issuer")
        if self.issuer_url == _GOOGLE and self.kind != "google":
            # Only so it is asked whether the school administers an account.
            raise ValueError("write kind: google")
        return self

    @property
    def issuer_url(self) -> str:
        """Who signs the tokens."""
        if self.issuer or self.kind == "other":
            return self.issuer
        return _GOOGLE if self.kind == "google" else _ENTRA.format(tenant=self.tenant)
