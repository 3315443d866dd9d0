"""Accounts made, given roles and closed; each change is written to the audit trail first.

What was recorded and then failed is better than what was done and not recorded.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import sign_in_name
from schoolgate.identity import Answer, Outcome
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.house import House
from schoolgate.storage import AuditTrail

_STAFF = "staff"
_PRIVATE_FILE = 0o600
_DUMMY = "a password that nobody has"


def add(
    trail: AuditTrail, email: str, name: str, roles: Sequence[Role], actor: str, now: datetime
) -> Person:
    """Make an account without a password; `password_link` lets its owner choose one.

    Raises:
        RefusedError: when there is one of that address, or it is none.
    """
    plain = email.strip().lower()
    try:
        Person._meta.get_field("email").run_validators(plain)
        validate_email(plain)
    except ValidationError as error:
        raise RefusedError(f"{email!r} is not an email address") from error
    if Person.objects.filter(email=plain).exists():
        raise RefusedError(f"there is an account of {plain} already")
    values = [role.value for role in roles]
    trail.add(now, actor, "account.added", f"account:{plain}", {"roles": sorted(values)})
    person: Person = Person.objects.create_user(plain, name=name, roles=values)
    return person


def set_roles(
    trail: AuditTrail, email: str, roles: Sequence[Role], actor: str, now: datetime
) -> Person:
    """Give somebody these roles and no others.

    Raises:
        RefusedError: when there is no such account.
    """
    person = find(email)
    values = sorted(role.value for role in roles)
    changed = {"before": person.roles, "after": values}
    trail.add(now, actor, "account.roles", f"account:{person.email}", changed)
    person.roles = values
    person.save(update_fields=["roles"])
    return person


def set_active(trail: AuditTrail, email: str, actor: str, now: datetime, *, active: bool) -> Person:
    """Close an account, which ends its sessions at once, or open it again.

    Raises:
        RefusedError: when there is no such account.
    """
    person = find(email)
    action = "account.enabled" if active else "account.disabled"
    trail.add(now, actor, action, f"account:{person.email}", {})
    person.is_active = active
    person.save(update_fields=["is_active"])
    if not active:
        for session in UserSession.objects.filter(user=person):
            session.end()
    return person


def find(email: str) -> Person:
    """Give an account.

    Raises:
        RefusedError: when there is none of that address.
    """
    person: Person | None = Person.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise RefusedError(f"there is no account of {email}")
    return person


def everybody() -> list[Person]:
    """Give every account, by name."""
    return list(Person.objects.all())


def password_link(person: Person) -> str:
    """Give the path of a page on which somebody chooses a password; good once, for three days."""
    key = urlsafe_base64_encode(str(person.pk).encode())
    path: str = reverse("choose_password", args=(key, default_token_generator.make_token(person)))
    return path


def owner_of_link(key: str, token: str) -> Person | None:
    """Give whose link it is; None when it is nobody's any more."""
    try:
        number = int(force_str(urlsafe_base64_decode(key)))
    except (ValueError, OverflowError):
        return None
    person: Person | None = Person.objects.filter(pk=number, is_active=True).first()
    if person is None or not default_token_generator.check_token(person, token):
        return None
    return person


def check_password(here: House, name: str, password: str) -> Answer:
    """Check name and password of an account for a sign-in of a device.

    Who has an account is staff: they are in the group ``staff`` where the policy has one, unless
    people.yaml says otherwise.
    """
    person = Person.objects.filter(email=name.strip().lower(), is_active=True).first()
    if person is None:
        # As long as for a name that exists: the time must not tell which do.
        Person(password="").set_password(_DUMMY)
        return Answer(Outcome.REFUSED, reason="no such account")
    if not person.check_password(password):
        return Answer(Outcome.REFUSED, reason="wrong password")
    group = _STAFF if _STAFF in here.engine().policy.groups and person.held_roles() else ""
    return Answer(Outcome.ACCEPTED, sign_in_name(person.email, here.domains()), group)


# -- the first account ---------------------------------------------------------------------------


def first_token(file: Path) -> str:
    """Give the secret of the link for the first account, made when needed; "" when there is an account."""
    if Person.objects.exists():
        file.unlink(missing_ok=True)
        return ""
    if not file.exists():
        file.touch(mode=_PRIVATE_FILE)
        file.write_text(secrets.token_urlsafe(24) + "\n")
    return file.read_text().strip()


def is_first_token(file: Path, token: str) -> bool:
    """Ask whether somebody may make the first account."""
    try:
        wanted = file.read_text().strip()
    except OSError:
        return False
    right = bool(wanted) and secrets.compare_digest(wanted.encode(), token.encode())
    return right and not Person.objects.exists()


def add_first(here: House, file: Path, email: str, name: str, password: str, role: Role) -> Person:
    """Make the first account; the link is used up.

    Raises:
        RefusedError: when somebody was quicker.
    """
    here.trail.add(
        here.now(), "first-run", "account.added", f"account:{email}", {"roles": [role.value]}
    )
    with transaction.atomic():
        # The only writer from here on.
        if Person.objects.exists():
            raise RefusedError("There is an account already.")
        person: Person = Person.objects.create_user(email, password, name=name, roles=[role.value])
    file.unlink(missing_ok=True)
    return person
