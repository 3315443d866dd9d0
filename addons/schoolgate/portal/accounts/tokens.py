"""Tokens of OpenID Connect, verified whole: signature, issuer, audience, time and nonce (Core, 3.1.3.7)."""

import secrets
from collections.abc import Mapping
from typing import Any

import jwt

from schoolgate.core.errors import RefusedError

# Never what the token says, and nothing that both sides hold.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
_CLOCKS_SECONDS = 60
_NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_LONGEST_SUBJECT = 191


def verified(
    token: object, keys: Mapping[str, Any], issuer: str, client_id: str, nonce: str
) -> dict[str, Any]:
    """Give what a token says.

    Args:
        token: as the provider gave it.
        keys: of the provider (JWK Set).
        issuer: whose it must be.
        client_id: for whom it must be, alone.
        nonce: that was sent with the question.

    Raises:
        RefusedError: when it is not to be believed.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            str(token),
            _key(str(token), keys),
            algorithms=_ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=_CLOCKS_SECONDS,
            options={"require": list(_NEEDED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        raise RefusedError("the provider's answer cannot be believed") from error
    alone = claims["aud"] in (client_id, [client_id])
    ours = secrets.compare_digest(str(claims["nonce"]).encode(), nonce.encode())
    subject = claims["sub"]
    if not (alone and ours and isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT):
        raise RefusedError("the provider's answer cannot be believed")
    return claims


def _key(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    number = jwt.get_unverified_header(token).get("kid")
    for key in jwt.PyJWKSet.from_dict(dict(keys)).keys:
        if key.key_id == number and key.public_key_use in (None, "sig"):
            return key
    raise jwt.InvalidKeyError("signed with a key that the provider does not have")
