"""Accounts made, given roles and closed; each change is written to the audit trail first.

What was recorded and then failed is better than what was done and not recorded.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import Error, connections, transaction
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from schoolgate.core.approvals import USUAL_ROLES, Actor, Role, Roles, Told
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.people import Membership, People, sign_in_name
from schoolgate.core.policy import Policy
from schoolgate.identity import Answer, Outcome, placed
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.house import House
from schoolgate.storage import AuditTrail

LONGEST_NAME = 150
_STAFF = "staff"
_PRIVATE_FILE = 0o600
_DUMMY = "a password that nobody has"


def add(
    trail: AuditTrail,
    email: str,
    name: str,
    roles: Sequence[Role],
    actor: str,
    now: datetime,
    duties: Roles = USUAL_ROLES,
) -> Person:
    """Make an account without a password; `password_link` lets its owner choose one.

    Args:
        trail: where it is recorded first.
        email: of its owner.
        name: of its owner.
        roles: that it has.
        actor: who makes it.
        now: when.
        duties: who does what at this school: who decides is told of another who may.

    Raises:
        RefusedError: when there is one of that address, or it is none, or there is no name.
    """
    name = checked_text(name, "a name", LONGEST_NAME)
    plain = email.strip().lower()
    try:
        Person._meta.get_field("email").run_validators(plain)
        validate_email(plain)
    except ValidationError as error:
        raise RefusedError(f"{email!r} is not an email address") from error
    if Person.objects.filter(email=plain).exists():
        raise RefusedError(f"there is an account of {plain} already")
    values = [role.value for role in roles]
    facts = {"name": name, "roles": sorted(values)}
    told = _of_powers(duties, frozenset(), roles)
    trail.add(now, actor, "account.added", f"account:{plain}", facts, told)
    person: Person = Person.objects.create_user(plain, name=name, roles=values)
    return person


def set_roles(
    trail: AuditTrail,
    email: str,
    roles: Sequence[Role],
    actor: str,
    now: datetime,
    duties: Roles = USUAL_ROLES,
) -> Person:
    """Give somebody these roles and no others; arguments as `add`.

    Raises:
        RefusedError: when there is no such account.
    """
    person = find(email)
    values = sorted(role.value for role in roles)
    changed = {"before": person.roles, "after": values}
    told = _of_powers(duties, person.held_roles(), roles)
    trail.add(now, actor, "account.roles", f"account:{person.email}", changed, told)
    person.roles = values
    person.save(update_fields=["roles"])
    return person


def set_active(
    trail: AuditTrail,
    email: str,
    actor: str,
    now: datetime,
    *,
    active: bool,
    duties: Roles = USUAL_ROLES,
) -> Person:
    """Close an account, which ends its sessions at once, or open it again; arguments as `add`.

    Raises:
        RefusedError: when there is no such account.
    """
    person = find(email)
    action = "account.enabled" if active else "account.disabled"
    held, none = person.held_roles(), frozenset[Role]()
    told = _of_powers(duties, none, held) if active else _of_powers(duties, held, none)
    trail.add(now, actor, action, f"account:{person.email}", {}, told)
    person.is_active = active
    person.save(update_fields=["is_active"])
    if not active:
        for session in UserSession.objects.filter(user=person):
            session.end()
    return person


def new_link(trail: AuditTrail, email: str, actor: str, now: datetime) -> str:
    """Give the path on which somebody chooses a password anew; its owner is told.

    Raises:
        RefusedError: when there is no such account.
    """
    person = find(email)
    told = Told("A link was made with which your password can be chosen anew", person.email)
    trail.add(now, actor, "account.link", f"account:{person.email}", {}, [told])
    return password_link(person)


def slips(person: Person, after: Collection[Role], actor: str, *, active: bool = True) -> list[str]:
    """Give a sentence for each thing that whoever changes an account may not mean.

    Args:
        person: whose account, as it is now.
        after: roles that it is to have.
        actor: address of the account of whoever changes it.
        active: whether it is to be open.
    """
    own = person.email == actor
    if own and not active:
        return ["This is your own account: you are signed out at once, and cannot open it again."]
    others = [
        one.held_roles()
        for one in Person.objects.filter(is_active=True).exclude(pk=person.pk)
        if one.has_usable_password() or SocialAccount.objects.filter(user=one).exists()
    ]
    lost = person.held_roles() - (frozenset(after) if active else frozenset())
    said = []
    for role in (Role.TECHNICIAN, Role.HEADTEACHER):
        if role not in lost or not person.is_active:
            continue
        if own:
            said.append(f"You take the role of {role.value} from yourself.")
        if not any(role in held for held in others):
            said.append(f"Nobody else is {role.value} here.")
    return said


def members(policy: Policy, people: People) -> dict[str, tuple[str, Membership]]:
    """Give whom an account makes known: address → sign-in name and groups."""
    found = {}
    for person in Person.objects.filter(is_active=True):
        if person.held_roles():
            name = sign_in_name(person.email, people.sign_in.domains)
            group = placed(Answer(Outcome.ACCEPTED, name, _group_of(person, policy)), people)
            found[str(person.email)] = name, Membership(group.group, group.also)
    return found


def members_once(policy: Policy, people: People) -> dict[str, tuple[str, Membership]]:
    """Give the same to a process that asks now and then, and keep no connection for it.

    Raises:
        UnavailableError: when the database fails.
    """
    try:
        return members(policy, people)
    except Error as error:
        raise UnavailableError(f"The accounts cannot be used: {error}.") from error
    finally:
        connections.close_all()


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
    group = _group_of(person, here.engine().policy)
    return Answer(Outcome.ACCEPTED, sign_in_name(person.email, here.domains()), group)


def _group_of(person: Person, policy: Policy) -> str:
    return _STAFF if _STAFF in policy.groups and person.held_roles() else ""


def _of_powers(
    duties: Roles, before: Collection[Role], after: Collection[Role]
) -> tuple[Told, ...]:
    """Give who is told that somebody can decide from now on, or can no more."""
    powers = {*duties.decides, *duties.deputises, *duties.bypass, Role.CHAIR_OF_GOVERNORS}
    who = duties.decides or (Role.HEADTEACHER,)
    told = []
    if powers & (set(after) - set(before)):
        told.append(Told("An account was given a role that decides", roles=who))
    if powers & (set(before) - set(after)):
        told.append(Told("A role that decides was taken from an account", roles=who))
    return tuple(told)


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


def actor_with(email: str) -> Actor | None:
    """Give who an account is now, from any thread; None where there is none that is open.

    Raises:
        UnavailableError: when the accounts cannot be read.
    """
    try:
        person = Person.objects.filter(email=email, is_active=True).first()
    except Error as error:
        raise UnavailableError(f"The accounts cannot be read: {error}.") from error
    finally:
        connections.close_all()
    return None if person is None else Actor(person.email, person.held_roles())


def accounts_with(role: Role) -> list[str]:
    """Give the addresses of the open accounts that have a role."""
    everyone = Person.objects.filter(is_active=True)
    return [person.email for person in everyone if role in person.held_roles()]
