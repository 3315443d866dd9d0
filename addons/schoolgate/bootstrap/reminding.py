"""What waits is told of again: requests, grants that end, the declaration; and one mail a day for some."""

import logging
from datetime import datetime, timedelta
from importlib.util import find_spec

from schoolgate.bootstrap.accounts import Accounts
from schoolgate.bootstrap.regular_reports import RegularReporting
from schoolgate.bootstrap.rules import load_engine, load_people_of, load_policy_of
from schoolgate.bootstrap.watches import watched_files
from schoolgate.core.approvals import USUAL_ROLES
from schoolgate.core.errors import ConfigurationError
from schoolgate.services.declarations import is_asked
from schoolgate.services.digesting import gather
from schoolgate.services.reload import signature
from schoolgate.services.reminding import remind, remind_of_ends, remind_to_sign
from schoolgate.settings import Settings
from schoolgate.storage import ApprovalStore, DecisionStore, Digests, open_database

logger = logging.getLogger(__name__)

_LOOK_PAUSE = timedelta(hours=1)


class Reminding:
    """Puts reminders and digests into the outbox; called with the time.

    Reminders go to whom the policy names as it stands in its files, or stood while they have faults.

    Args:
        settings: of this machine.

    Raises:
        ConfigurationError: when the policy has faults.
        UnavailableError: when the database cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen = signature(watched_files(settings))
        self._roles = load_engine(settings).policy.roles
        self._database = open_database(settings.database_url)
        self._store, self._digests = ApprovalStore(self._database), Digests(self._database)
        self._reporting = RegularReporting(settings, self._database)
        self._to_sign = _ToSign(settings, self._store, DecisionStore(self._database))

    def __call__(self, at: datetime) -> None:
        """Put in what is due."""
        self._look()
        remind(self._store, self._roles or USUAL_ROLES, at)
        remind_of_ends(self._store, at)
        self._to_sign.remind(at)
        gather(self._digests, self._settings.mail.digest_at, at)
        self._reporting.report(at)

    def close(self) -> None:
        """Give the connections back."""
        self._database.dispose()

    def _look(self) -> None:
        seen = signature(watched_files(self._settings))
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._roles = load_engine(self._settings).policy.roles
        except ConfigurationError as error:
            logger.error("Reminders go to whom they went before.\n%s", error)  # noqa: TRY400


class _ToSign:
    """Reminds who has an account and has not signed the declaration; looks once an hour who that is."""

    def __init__(self, settings: Settings, store: ApprovalStore, decisions: DecisionStore) -> None:
        self._settings = settings
        self._store = store
        self._decisions = decisions
        self._looked: datetime | None = None

    def remind(self, at: datetime) -> None:
        if self._looked is not None and at - self._looked < _LOOK_PAUSE:
            return
        self._looked = at
        try:
            remind_to_sign(self._store, self._missing(), at)
        except ConfigurationError as error:
            logger.error("Nobody is reminded of the declaration: %s", error)  # noqa: TRY400

    def _missing(self) -> list[str]:
        # As it is now: another version is signed again.
        policy = load_policy_of(self._settings)
        # Without Django there are no accounts.
        if policy.declaration is None or not find_spec("django"):
            return []
        accounts = Accounts(self._settings, "system:jobs")
        people = load_people_of(self._settings, policy)
        signed = {
            each.person
            for each in self._decisions.signatures()
            if each.version == policy.declaration.version and each.withdrawn_at is None
        }
        return [
            email
            for email, (name, belongs) in accounts.members(policy, people).items()
            if is_asked(policy, belongs) and name not in signed
        ]
