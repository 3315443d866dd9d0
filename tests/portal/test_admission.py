"""Who of a provider's people is of the school, and in which roles: claims in, person or sentence out."""

from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.portal.accounts.admission import admitted
from schoolgate.settings.single_sign_on import ProviderSettings

TENANT = "11111111-2222-3333-4444-555555555555"
ANN = "ann@hill.example"
CLAIMS = {"sub": "1", "email": ANN, "email_verified": True, "name": "Ann"}
GOOGLE = {"kind": "google"}
ENTRA = {"kind": "entra", "tenant": TENANT}
MEMBER = {"tid": TENANT, "email": None, "preferred_username": ANN}
GROUPS = {"teachers": ["teacher"], "heads": ["headteacher", "slt"]}


def provider(**changed: Any) -> ProviderSettings:
    given = {
        "id": "hill", "name": "Hill", "client_id": "portal", "client_secret": "x", "roles": GROUPS,
        "issuer": "https://login.hill.example", "domains": ["hill.example", "Hîll.example"],
    }  # fmt: skip
    return ProviderSettings.model_validate(given | changed)


@pytest.mark.parametrize(
    ("settings", "claims", "email", "roles"),
    [
        ({}, {}, ANN, frozenset()),
        ({}, {"email": "Ann@Hill.Example"}, ANN, frozenset()),
        (
            {},
            {"email": "ann@XN--HLL-VMA.example"},
            "ann@xn--hll-vma.example",
            set(),
        ),
        ({}, {"groups": ["teachers", "others"]}, ANN, frozenset({Role.TEACHER})),
        ({}, {"groups": "heads"}, ANN, frozenset({Role.HEADTEACHER, Role.SLT})),
        ({}, {"groups": [7, None, ["heads"], {"heads": 1}]}, ANN, frozenset()),
        ({}, {"groups": {"heads": True}}, ANN, frozenset()),
        ({"roles_claim": "email", "roles": {ANN: ["dsl"]}}, {}, ANN, frozenset({Role.DSL})),
        (GOOGLE, {"hd": "hill.example"}, ANN, frozenset()),
        (ENTRA, MEMBER, ANN, frozenset()),
        (
            ENTRA,
            MEMBER | {"email": ANN, "xms_edov": "1", "preferred_username": "a@b.example"},
            ANN,
            set(),
        ),
        (ENTRA, MEMBER | {"email": "head@hill.example", "email_verified": True}, ANN, frozenset()),
    ],
)
def test_who_is_of_the_school(
    settings: dict[str, Any], claims: dict[str, Any], email: str, roles: frozenset[Role]
) -> None:
    who = admitted(provider(**settings), CLAIMS | claims)
    assert (who.email, who.roles, who.subject) == (email, roles, "1")


@pytest.mark.parametrize(
    ("name", "want"),
    [("Ann", "Ann"), (None, ANN), ("", ANN), ("A\r\nBcc: x", "ABcc: x"), ("x" * 500, "x" * 150)],
)
def test_how_they_are_called(name: str | None, want: str) -> None:
    assert admitted(provider(), CLAIMS | {"name": name}).name == want


@pytest.mark.parametrize(
    ("settings", "claims", "problem"),
    [
        ({}, {"email": "ann@other.example"}, "only accounts of hill.example"),
        ({}, {"email": "ann@hill.example.evil.example"}, "only accounts of"),
        ({}, {"email": "ann@evil.example@hill.example"}, "only accounts of"),
        ({}, {"email": '"ann@hill.example" <x@evil.example>'}, "only accounts of"),
        ({}, {"email": "ann@hill.example\r\nBcc: x@evil.example"}, "only accounts of"),
        ({}, {"email": None}, "only accounts of"),
        ({}, {"email_verified": False}, "not verified"),
        ({}, {"email_verified": None}, "not verified"),
        ({}, {"email_verified": "false"}, "not verified"),
        (GOOGLE, {}, "only accounts of"),
        (GOOGLE, {"hd": "other.example"}, "only accounts of"),
        (GOOGLE, {"hd": "hill.example", "email": "ann@gmail.example"}, "only accounts of"),
        (GOOGLE, {"hd": "hill.example", "email_verified": False}, "not verified"),
        (ENTRA, MEMBER | {"tid": TENANT.replace("1", "9")}, "own tenant"),
        (ENTRA, MEMBER | {"tid": None}, "own tenant"),
        (ENTRA, MEMBER | {"acct": 1}, "guests"),
        (ENTRA, MEMBER | {"idp": "live.com"}, "guests"),
        (ENTRA, MEMBER | {"preferred_username": "x_y.example#EXT#@hill.example"}, "guests"),
        (ENTRA, MEMBER | {"email": ANN, "preferred_username": "x@y.example"}, "only accounts of"),
        (ENTRA, MEMBER | {"_claim_names": {"groups": "src1"}}, "more groups"),
    ],
)
def test_who_is_not(settings: dict[str, Any], claims: dict[str, Any], problem: str) -> None:
    with pytest.raises(RefusedError, match=problem):
        admitted(provider(**settings), CLAIMS | claims)
