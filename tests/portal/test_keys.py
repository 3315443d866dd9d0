"""What is no passkey is a fault of the form, however it is written."""

import json

import pytest
from django.core.exceptions import ValidationError

from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"a":' * 60_000,
        "9" * 5_000,
        "x" * 1_000_000,
        '"' + "x" * 70_000 + '"',
        "{",
        "\ud800",
    ],
    ids=["deep", "deep object", "number", "long", "long text", "half", "no text"],
)
def test_what_cannot_be_read(here: House, text: str) -> None:
    from schoolgate.portal.accounts.keys import CredentialField

    with pytest.raises(ValidationError):
        CredentialField().clean(text)
    assert CredentialField().bound_data(text, None) is None


RESPONSE = {
    "clientDataJSON": "e30", "attestationObject": "oA", "authenticatorData": "AA", "signature": "AA",
}  # fmt: skip
NONE = (
    "{}", "[]", "1", '"x"', "null", '{"id": 1, "response": []}',
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": RESPONSE}),
)  # fmt: skip


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_passkey_opens_nothing(here: House, text: str) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal import auth

    from schoolgate.portal.accounts.models import Person

    person = Person.objects.create_user("ann@hill.example", PASSWORD, name="Ann")
    browser = Asking(person)
    browser.has_proved_again()
    assert browser.post("/account/keys/add/", name="mine", credential=text).status_code == 200
    assert not Authenticator.objects.exists()
    auth.TOTP.activate(person, auth.generate_totp_secret())
    coming = Asking()
    coming.post("/account/sign-in/", login=person.email, password=PASSWORD)
    assert coming.post("/account/code/", credential=text).status_code == 200
    assert coming.get("/account/").status_code == 302
    from schoolgate.portal.accounts.keys import ReauthenticateForm

    assert not ReauthenticateForm(user=person, data={"credential": text}).is_valid()
