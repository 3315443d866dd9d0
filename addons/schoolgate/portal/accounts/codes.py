"""Codes of an app: one step early or late will do, and each does once (RFC 6238, 5.2)."""

from hashlib import sha256

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from django.core.cache import cache

# allauth remembers a code for one step; it is good for as many as are accepted.
_GOOD_SECONDS = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)


class _Once:
    """Refuses a code that was used already; before a form of allauth's."""

    def clean_code(self) -> str:
        """Give the code when it is right and was not used."""
        key = self._key()
        if cache.get(key):
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()  # type: ignore[misc]
        # Only one of two at the same moment.
        if not cache.add(key, True, _GOOD_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code

    def _key(self) -> str:
        typed = str(self.cleaned_data["code"])  # type: ignore[attr-defined]
        plain = "".join(filter(str.isalnum, typed)).upper()
        return f"code:{self.user.pk}:{sha256(plain.encode()).hexdigest()}"  # type: ignore[attr-defined]


class AuthenticateForm(_Once, base.AuthenticateForm):
    """The code at a sign-in."""


class ReauthenticateForm(_Once, base.ReauthenticateForm):
    """The code that is asked for again."""


class ActivateForm(_Once, totp.ActivateTOTPForm):
    """The first code of an app."""
