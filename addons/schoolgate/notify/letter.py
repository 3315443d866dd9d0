"""A mail as it is sent: plain text, with words of ours alone and a link that needs a sign-in.

Nothing that somebody typed stands in it, and a header with a line end in it is refused by the
library, so that no header can be put in from outside.
"""

from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from schoolgate.core.errors import RefusedError

_MOST_LETTERS = 254  # RFC 5321, 4.5.3.1.3, with the brackets


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody is told.

    Attributes:
        number: of the outbox; a mail that is sent again carries the same Message-ID.
        subject: one line.
        link: where it can be seen after signing in.
        written_at: when it was put into the outbox.
        school: its name.
        items: what stands in a digest, as subject and link; empty in any other mail.
        text: of a report, which leads nowhere; empty in any other mail.
    """

    number: int
    subject: str
    link: str
    written_at: datetime
    school: str
    items: tuple[tuple[str, str], ...] = ()
    text: str = ""


def compose(letter: Letter, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """Give the mail.

    Args:
        letter: what is told.
        sender: address.
        recipients: addresses; each sees the others, who have the same role.

    Raises:
        RefusedError: when an address or a header is none.
    """
    message = EmailMessage(policy=SMTP)
    host = checked_address(sender).domain
    try:
        message["From"] = checked_address(sender)
        message["To"] = [checked_address(recipient) for recipient in recipients]
        message["Subject"] = f"[{letter.school}] {letter.subject}"
    except ValueError as error:
        raise RefusedError(f"a mail cannot have such a header: {error}") from error
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<schoolgate-{letter.number}@{host}>"
    # No answer by machines (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_content(letter))
    return message


def _content(letter: Letter) -> str:
    if letter.text:
        return f"{letter.text}\n\nThis mail was sent by the web filter of {letter.school}.\n"
    return _digest(letter) if letter.items else _one(letter)


def _one(letter: Letter) -> str:
    return (
        f"{letter.subject}.\n\n"
        f"Sign in to see it and to act on it:\n{letter.link}\n\n"
        "Nothing is decided by opening this link. This mail was sent by the web filter of "
        f"{letter.school}.\n"
    )


def _digest(letter: Letter) -> str:
    items = "".join(f"- {subject}:\n  {link}\n" for subject, link in letter.items)
    return (
        f"{letter.subject}.\n\n{items}\n"
        "Sign in to see it and to act on it. Nothing is decided by opening a link. You get one "
        f"mail a day because you chose so: {letter.link}\n"
        f"This mail was sent by the web filter of {letter.school}.\n"
    )


def checked_address(text: str) -> Address:
    """Give a mail address.

    Raises:
        RefusedError: when it is none.
    """
    try:
        address = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise RefusedError(f"{text[:80]!r} is no mail address") from error
    parts = (address.username, address.domain)
    plain = all(part and part.isprintable() and " " not in part for part in parts)
    if not plain or len(text) > _MOST_LETTERS or address.addr_spec != text:
        raise RefusedError(f"{text[:80]!r} is no mail address")
    return address
