"""Which account somebody of a provider has here: theirs, one that was there already, or a new one.

Roles that the provider's claim may give follow it at every sign-in; others stay as they are. Each
change is in the audit trail first.
"""

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError

from schoolgate.core.approvals import USUAL_ROLES, Role, Roles
from schoolgate.core.errors import RefusedError
from schoolgate.portal.accounts import register
from schoolgate.portal.accounts.admission import Admitted
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.house import House
from schoolgate.settings.single_sign_on import ProviderSettings

_CLOSED = "your account is closed; ask your technician"
_NO_ROLE = "you have no role in the portal; ask your technician"


def person_of(
    here: House, provider: ProviderSettings, account: SocialAccount, who: Admitted
) -> Person:
    """Give the account of somebody, made or linked where that is allowed.

    Args:
        here: what the pages work with.
        provider: at which they signed in.
        account: what is known of that; not kept yet for whoever comes first.
        who: they are.

    Raises:
        RefusedError: when they may not come in.
    """
    if account.pk is None:
        account.user = _found_or_made(here, provider, who)
        try:
            account.save()
        except IntegrityError as error:
            raise RefusedError("your account was linked a moment ago; sign in again") from error
    person: Person = account.user
    if not person.is_active:
        raise RefusedError(_CLOSED)
    _follow(here, provider, person, who.roles)
    return person


def _found_or_made(here: House, provider: ProviderSettings, who: Admitted) -> Person:
    actor, now = f"provider:{provider.id}", here.now()
    person: Person | None = Person.objects.filter(email=who.email).first()
    if person is None:
        roles = who.roles or frozenset(filter(None, [provider.default_role]))
        if not roles:
            raise RefusedError(_NO_ROLE)
        try:
            return register.add(
                here.trail, who.email, who.name, sorted(roles), actor, now, _duties(here)
            )
        except IntegrityError as error:
            raise RefusedError("your account was made a moment ago; sign in again") from error
    if not provider.auto_link:
        raise RefusedError(
            "there is an account of your address already; sign in with its password, or ask your "
            "technician to link it"
        )
    if not person.is_active:
        raise RefusedError(_CLOSED)
    here.trail.add(now, actor, "account.linked", f"account:{person.email}", {})
    return person


def _follow(
    here: House, provider: ProviderSettings, person: Person, claimed: frozenset[Role]
) -> None:
    given = {role for roles in provider.roles.values() for role in roles}
    wanted = (person.held_roles() - given) | claimed
    if not wanted and provider.default_role is not None:
        wanted = frozenset({provider.default_role})
    if wanted != person.held_roles():
        actor = f"provider:{provider.id}"
        changed = register.set_roles(
            here.trail, person.email, sorted(wanted), actor, here.now(), _duties(here)
        )
        person.roles = changed.roles
    if not wanted:
        raise RefusedError(_NO_ROLE)


def _duties(here: House) -> Roles:
    return here.engine().policy.roles or USUAL_ROLES
