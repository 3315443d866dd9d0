"""What a passkey says, in fields that take any text: what is no JSON is a fault of the form."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError

_LONGEST = 65_536


class CredentialField(forms.JSONField):
    """JSON whose depth and numbers a parser may refuse, too (RFC 8259, 9)."""

    def to_python(self, value: Any) -> Any:
        """Give what it says.

        Raises:
            ValidationError: when it says nothing.
        """
        try:
            if isinstance(value, str) and len(value) > _LONGEST:
                return super().to_python("{")
            return super().to_python(value)
        except (RecursionError, ValueError) as error:
            message = self.error_messages["invalid"]
            raise ValidationError(message, code="invalid", params={"value": ""}) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Give nothing to fill in anew: it is a browser's, not a person's."""
        return initial


@contextmanager
def _read() -> Iterator[None]:
    """Take what the library cannot read for a wrong passkey."""
    try:
        yield
    except (TypeError, LookupError, ValueError, AttributeError) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddForm(webauthn.AddWebAuthnForm):
    """A passkey that is set up."""

    credential = CredentialField(required=True, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """See that it is one."""
        with _read():
            given: dict[str, Any] = super().clean()
        return given


class _Shown:
    """Refuses what is no passkey; before a form of allauth's."""

    def clean_credential(self) -> Any:
        """Give the passkey that was shown."""
        with _read():
            return super().clean_credential()  # type: ignore[misc]


class AuthenticateForm(_Shown, webauthn.AuthenticateWebAuthnForm):
    """A passkey at a sign-in."""

    credential = CredentialField(required=True, widget=forms.HiddenInput)


class ReauthenticateForm(_Shown, webauthn.ReauthenticateWebAuthnForm):
    """A passkey that is asked for again."""

    credential = CredentialField(required=True, widget=forms.HiddenInput)
