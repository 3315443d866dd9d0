"""A mail holds words of ours alone; no header can be put in from outside."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.notify import Letter, compose

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def letter(**changes: Any) -> Letter:
    return Letter(
        **{
            "number": 7,
            "subject": "A site is asked for",
            "link": "https://schoolgate.internal/requests/3",
            "written_at": AT,
            "school": "St Müller’s",
            **changes,
        }
    )


def test_a_mail_is_plain_text_with_a_link_and_its_own_id() -> None:
    mail = compose(letter(), "filter@school.example", ("head@school.example", "b@school.example"))
    assert mail["To"] == "head@school.example, b@school.example"
    assert mail["Subject"] == "[St Müller’s] A site is asked for"
    assert mail["Message-ID"] == "<schoolgate-7@school.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Mon, 23 Nov 2026 09:00:00 +0000"
    assert mail.get_content_type() == "text/plain"
    assert "https://schoolgate.internal/requests/3\r\n" in mail.as_bytes().decode()
    assert compose(letter(), "filter@school.example", ("a@b.example",)).as_bytes().isascii()


@pytest.mark.parametrize(
    "changes",
    [{"subject": "x\r\nBcc: all@school.example"}, {"school": "x\nBcc: all@school.example"}],
)
def test_a_line_end_in_a_header_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="cannot have such a header"):
        compose(letter(**changes), "filter@school.example", ("head@school.example",))


@pytest.mark.parametrize(
    "address",
    ["", "head", "@school.example", "head@", "a@b.example\nBcc: c@d.example", "a@b.example,c@d.example",
     "A <a@b.example>", "a b@school.example", "a@b c", "a\0@b.example", "a@" + "b" * 300,
     "a@b.example\r\n"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    for sender, recipient in ((address, "a@b.example"), ("a@b.example", address)):
        with pytest.raises(RefusedError, match="no mail address"):
            compose(letter(), sender, (recipient,))
