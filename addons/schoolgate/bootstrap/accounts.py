"""The portal's accounts, for commands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.rules import roles_of
from schoolgate.core.approvals import Role
from schoolgate.core.people import Membership, People
from schoolgate.core.policy import Policy
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail, is_there, open_database


@dataclass(frozen=True, slots=True)
class Account:
    """An account as commands show it."""

    email: str
    name: str
    roles: tuple[str, ...]
    is_active: bool
    has_password: bool


def members_if_any(
    settings: Settings, policy: Policy, people: People
) -> dict[str, tuple[str, Membership]]:
    """Give whom accounts make known, as `Accounts.members`; nobody where there is no portal.

    Raises:
        UnavailableError: when the database cannot be used.
    """
    if find_spec("django") is None or not is_there(settings.database_url):
        return {}
    return Accounts(settings, "system:register").members(policy, people)


class Accounts:
    """Makes, lists and changes accounts; each change is audited.

    Args:
        settings: of this machine.
        actor: who does it, for the audit trail.

    Every change raises `ConfigurationError` when the policy has faults: it says who is told.

    Raises:
        UnavailableError: when the database cannot be used.
    """

    def __init__(self, settings: Settings, actor: str) -> None:
        # The store makes the file, so that it has its mode.
        self._trail = AuditTrail(open_database(settings.database_url))
        from schoolgate.portal.application import open_accounts  # noqa: PLC0415 - Django is dear to load

        open_accounts(settings)
        from schoolgate.portal.accounts import register  # noqa: PLC0415 - after Django's settings

        self._register = register
        self._settings = settings
        self._url = settings.portal.public_url
        self._actor = actor

    def add(self, email: str, name: str, roles: Sequence[Role]) -> str:
        """Make an account; give the link on which its owner chooses a password.

        Raises:
            RefusedError: when there is one of that address, or it is none.
        """
        person = self._register.add(
            self._trail, email, name, roles, self._actor, now(), roles_of(self._settings)
        )
        return self._url + self._register.password_link(person)

    def link(self, email: str) -> str:
        """Give a link on which somebody chooses a password anew.

        Raises:
            RefusedError: when there is no such account.
        """
        return self._url + self._register.new_link(self._trail, email, self._actor, now())

    def slips(self, email: str, roles: Sequence[Role] = (), *, active: bool = True) -> list[str]:
        """Give a sentence for each thing that whoever changes an account so may not mean.

        Raises:
            RefusedError: when there is no such account.
        """
        person = self._register.find(email)
        return self._register.slips(person, roles, self._actor, active=active)

    def set_roles(self, email: str, roles: Sequence[Role]) -> None:
        """Give somebody these roles and no others.

        Raises:
            RefusedError: when there is no such account.
        """
        self._register.set_roles(
            self._trail, email, roles, self._actor, now(), roles_of(self._settings)
        )

    def set_active(self, email: str, *, active: bool) -> None:
        """Close an account, which ends its sessions at once, or open it again.

        Raises:
            RefusedError: when there is no such account.
        """
        self._register.set_active(
            self._trail, email, self._actor, now(), active=active, duties=roles_of(self._settings)
        )

    def members(self, policy: Policy, people: People) -> dict[str, tuple[str, Membership]]:
        """Give whom an account makes known: address → sign-in name and groups.

        Raises:
            UnavailableError: when the database fails.
        """
        return self._register.members_once(policy, people)

    def __iter__(self) -> Iterator[Account]:
        """Give all, by name."""
        for person in self._register.everybody():
            yield Account(
                person.email,
                person.name,
                tuple(person.roles),
                person.is_active,
                person.has_usable_password(),
            )
