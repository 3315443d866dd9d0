"""Mail settings that do not do are named."""

import pytest

from schoolgate import bootstrap
from schoolgate.settings import Settings
from schoolgate.settings.machine import MailSettings


@pytest.mark.parametrize(
    ("mail", "want"),
    [
        ({}, ["mail.host is not set: there is no server to send mail with"]),
        ({"host": "mx", "user": "gate"}, ["mail.user and mail.password_file go together"]),
        ({"host": "mx", "sender": "x"}, ["under mail: 'x' is no mail address"]),
        ({"host": "mx", "roles": {"slt": ["a@b\n"]}}, ["under mail: 'a@b\\n' is no mail address"]),
        ({"host": "mx"}, []),
    ],
)
def test_what_is_wrong_with_mail_is_named(mail: dict[str, object], want: list[str]) -> None:
    given = {"sender": "filter@school.example"} | mail if mail else {"sender": "a@b.example"}
    settings = Settings(mail=MailSettings.model_validate(given))
    assert list(bootstrap.mail_faults(settings)) == want
