"""Answers who is at an address; knows core and, each module for itself, one source of the answer.

The values and the order of precedence are in `core.identity`. Whatever fails here claims nothing,
and nobody knowing anything is the strictest group. `ldap.LdapDirectory` is imported by whoever
wants it: its library takes longer to load than all the rest.
"""

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.identity.announced import (
    MAX_ANNOUNCEMENT_BYTES,
    Announcers,
    NoAnnouncementError,
    read_announcement,
)
from schoolgate.identity.answers import Answer, Outcome, placed
from schoolgate.identity.credentials import (
    Challenge,
    Password,
    Ticket,
    challenge,
    may_send_password,
    parse_credentials,
)
from schoolgate.identity.directory import Directory, Hardware, Known
from schoolgate.identity.facts import Lease, Neighbour, Session
from schoolgate.identity.forwarded import ForwardedBy
from schoolgate.identity.kerberos import KerberosAcceptor
from schoolgate.identity.live import LiveDirectory
from schoolgate.identity.proxy_authentication import Proved, ProxyAuthentication, SignedIn
from schoolgate.identity.radius import AccountingListener
from schoolgate.identity.session_file import read_sessions, write_sessions
from schoolgate.identity.signin import BindingStore, SignIns

__all__ = [
    "MAX_ANNOUNCEMENT_BYTES",
    "AccountingListener",
    "Announcers",
    "Answer",
    "Binding",
    "BindingState",
    "BindingStore",
    "Challenge",
    "Directory",
    "ForwardedBy",
    "Hardware",
    "KerberosAcceptor",
    "Known",
    "Lease",
    "LiveDirectory",
    "Neighbour",
    "NoAnnouncementError",
    "Outcome",
    "Password",
    "Proved",
    "ProxyAuthentication",
    "Session",
    "SignIns",
    "SignedIn",
    "Ticket",
    "challenge",
    "may_send_password",
    "parse_credentials",
    "placed",
    "read_announcement",
    "read_sessions",
    "write_sessions",
]
