"""One conversation with an LDAP server or Active Directory: find a person, check, read groups.

`ldap3` speaks the protocol. It is in the lock already, since mitmproxy needs it, and is plain Python;
bonsai and python-ldap are kept better but have no wheels for Linux, so that a school would need a
compiler and OpenLDAP's headers. What it does worst is not left to it: TLS is a context of our own
that trusts one authority and checks the name, referrals are not followed, and each step has a limit.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from ldap3 import NONE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import LdapSettings, Membership, NestedGroups
from schoolgate.identity.secrets import read_secret

_SUCCESS, _SIZE_LIMIT, _INVALID_CREDENTIALS = 0, 4, 49
_IN_CHAIN = "1.2.840.113556.1.4.1941"  # LDAP_MATCHING_RULE_IN_CHAIN, of Active Directory
_DEEPEST = 10
_MOST_GROUPS = 1000
# What the library raises; the last ones when an answer is not what it expects (its decoder trusts it).
_BROKEN = (
    LDAPException,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
)
_NO_ATTRIBUTE = "1.1"  # RFC 4511, 4.5.1.8


class DirectoryError(Exception):
    """The directory could not be asked, or answered with an error; its text says what."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory.

    Attributes:
        name: as the directory spells it.
        membership: their groups.
    """

    name: str
    membership: Membership


@dataclass(frozen=True, slots=True)
class _Entry:
    dn: str
    values: tuple[str, ...]


class _PinnedTls(Tls):
    """TLS that trusts one authority alone and checks the server's name in the handshake."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Take the place of the library's own, which checks the name in a way of its own."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=self._host, do_handshake_on_connect=True
        )


class LdapClient:
    """Asks the servers of a directory; every method waits, so it belongs into a thread."""

    def __init__(self, settings: LdapSettings) -> None:
        """Read the authority and the password of the searching account.

        Raises:
            UnavailableError: when either cannot be read.
        """
        self._settings = settings
        self._password = read_secret(settings.bind_password_file).decode("utf-8", "replace")
        try:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.load_verify_locations(cafile=str(settings.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise UnavailableError(
                f"The authority of the directory, {settings.ca_file}, cannot be read: {error}."
            ) from error
        self._groups = [(_name(name), membership) for name, membership in settings.groups]

    def authenticate(self, server: str, user: str, password: str) -> Person | None:
        """Check a password, and give the person, or None where it is wrong.

        Args:
            server: one of the settings' servers.
            user: sign-in name.
            password: not empty: an empty one would be no check at all (RFC 4513, 5.1.2).

        Raises:
            DirectoryError: when the server cannot be asked or answers with an error.
        """
        if not user or not password:
            return None
        with self._connected(server) as connection:
            found = self._entry(connection, user)
            if found is None or not self._binds(connection, found.dn, password):
                return None
            # Whether a person may read groups is the directory's affair; the searching account may.
            self._bind_to_search(connection)
            return self._person(connection, found, user)

    def person(self, server: str, user: str) -> Person | None:
        """Give a person who signed in in another way, or None where there is none.

        Raises:
            DirectoryError: as `authenticate`.
        """
        with self._connected(server) as connection:
            found = self._entry(connection, user) if user else None
            return None if found is None else self._person(connection, found, user)

    @contextmanager
    def _connected(self, url: str) -> Iterator[Connection]:
        """Open a connection with TLS, signed in as the account that searches."""
        parts = urlsplit(url)
        host, over_tls = parts.hostname or "", parts.scheme == "ldaps"
        seconds = max(1, ceil(self._settings.timeout_seconds))
        try:
            server = Server(
                host,
                port=parts.port or (636 if over_tls else 389),
                use_ssl=over_tls,
                tls=_PinnedTls(self._context, host),
                get_info=NONE,
                connect_timeout=seconds,
            )
            connection = Connection(
                server,
                auto_referrals=False,
                check_names=False,
                receive_timeout=seconds,
            )
            try:
                connection.open(read_server_info=False)
                if not over_tls and not connection.start_tls(read_server_info=False):
                    raise DirectoryError(f"{url} does not begin TLS")
                self._bind_to_search(connection)
                yield connection
            finally:
                with suppress(LDAPException, OSError):
                    connection.unbind()
                # The library leaves it open when connecting or TLS failed.
                if connection.socket is not None:
                    connection.socket.close()
        except _BROKEN as error:
            raise DirectoryError(f"{url}: {error!r}") from error

    def _bind_to_search(self, connection: Connection) -> None:
        if not self._binds(connection, self._settings.bind_dn, self._password):
            raise DirectoryError("the account that searches is refused")

    def _binds(self, connection: Connection, dn: str, password: str) -> bool:
        """Sign in; anything but success and “wrong password” is an error of the directory."""
        if connection.rebind(user=dn, password=password, read_server_info=False):
            return True
        result = connection.result or {}
        if result.get("result") == _INVALID_CREDENTIALS:
            return False
        raise DirectoryError(f"signing in failed: {result.get('description')}")

    def _entry(self, connection: Connection, user: str) -> _Entry | None:
        """Give the one entry that a name stands for; of two, neither is believed."""
        found = self._search(
            connection,
            self._settings.base_dn,
            _filled(self._settings.user_filter, {"user": user}),
            most=1,
            attribute=self._settings.user_attribute,
        )
        return found[0] if len(found) == 1 else None

    def _person(self, connection: Connection, entry: _Entry, user: str) -> Person:
        if not entry.values:
            raise DirectoryError(f"{entry.dn} has no {self._settings.user_attribute}")
        # Of several names always the same one, whichever was typed.
        name = min(entry.values)
        names = {_name(group) for group in self._groups_of(connection, entry.dn, user)}
        names |= {_common_name(name) for name in names}
        fitting = [membership for name, membership in self._groups if name in names]
        primary = next((m.group for m in fitting if m.group), self._settings.default_group)
        also = frozenset[str]().union(*(m.also for m in fitting))
        return Person(name, Membership(primary, also))

    def _groups_of(self, connection: Connection, dn: str, user: str) -> set[str]:
        settings = self._settings
        base = settings.group_base_dn or settings.base_dn
        if settings.nested is NestedGroups.CHAIN:
            question = _filled(f"(member:{_IN_CHAIN}:={{dn}})", {"dn": dn})
            return {group.dn for group in self._search(connection, base, question)}
        found: set[str] = set()
        level = [dn]
        for _ in range(_DEEPEST if settings.nested is NestedGroups.WALK else 1):
            above: list[str] = []
            for member in level:
                question = _filled(settings.group_filter, {"dn": member, "user": user})
                above += (group.dn for group in self._search(connection, base, question))
            level = [group for group in dict.fromkeys(above) if group not in found]
            found.update(level)
            if len(found) > _MOST_GROUPS:
                # Which of them are missing cannot be known, nor what they would have said.
                raise DirectoryError(f"{dn} is in more than {_MOST_GROUPS} groups")
            if not level:
                break
        return found

    def _search(
        self,
        connection: Connection,
        base: str,
        question: str,
        most: int = _MOST_GROUPS,
        attribute: str = _NO_ATTRIBUTE,
    ) -> list[_Entry]:
        """Give the entries that fit, of which one above ``most`` shows that there are more.

        Referrals to other servers are left out.
        """
        connection.search(
            base,
            question,
            search_scope=SUBTREE,
            attributes=[attribute],
            size_limit=most + 1,
            time_limit=max(1, ceil(self._settings.timeout_seconds)),
        )
        result = connection.result or {}
        if result.get("result") not in {_SUCCESS, _SIZE_LIMIT}:
            raise DirectoryError(f"the search failed: {result.get('description')}")
        entries: list[dict[str, Any]] = connection.response or []
        return [
            _Entry(str(entry["dn"]), _values(entry, attribute))
            for entry in entries
            if entry.get("type") == "searchResEntry"
        ]


def _values(entry: dict[str, Any], attribute: str) -> tuple[str, ...]:
    """Give the values of an attribute as text, whatever the server calls it and they are."""
    for name, values in (entry.get("raw_attributes") or {}).items():
        if str(name).lower() == attribute.lower():
            return tuple(value.decode("utf-8", "replace") for value in values)
    return ()


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Put values into a filter, escaped, so that they are values and nothing else (RFC 4515, 3)."""

    def value(found: re.Match[str]) -> str:
        return str(escape_filter_chars(values[found[1]])) if found[1] in values else found[0]

    return re.sub(r"\{(user|dn)\}", value, template)


def _name(dn: str) -> str:
    """Give the name of a group in one form: a DN without regard to case and spaces, or a bare CN."""
    try:
        return ",".join(f"{kind}={value}" for kind, value, _ in parse_dn(dn.casefold(), strip=True))
    except LDAPException:
        return f"cn={dn.strip().casefold()}"


def _common_name(name: str) -> str:
    """Give the first part of a name in its one form."""
    try:
        kind, value, _ = parse_dn(name)[0]
    except (LDAPException, IndexError):
        return name
    return f"{kind}={value}"
