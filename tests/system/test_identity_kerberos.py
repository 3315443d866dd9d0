"""Tickets of a real Kerberos realm, which MIT's KDC serves on loopback."""

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import KerberosSettings
from schoolgate.identity.answers import Answer, Outcome
from schoolgate.identity.kerberos import KerberosAcceptor
from tests.system import kdc
from tests.system.kdc import KERBEROS, REALM, SERVICE, SPNEGO, Realm

pytestmark = pytest.mark.long

if importlib.util.find_spec("gssapi") is None:
    _WHY = "the package gssapi is not installed (requirements-kerberos.lock)"
    # In CI a skip is a failure (tests/conftest.py).
    pytest.skip(_WHY, allow_module_level=True)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    directory = tmp_path_factory.mktemp("realm")
    with kdc.running(directory, "ann", "HTTP/other.school.example", "ann/admin") as running:
        yield running


@pytest.fixture
def settings(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> KerberosSettings:
    monkeypatch.setenv("KRB5_CONFIG", realm.environment["KRB5_CONFIG"])
    return KerberosSettings(realm.keytab(SERVICE), SERVICE, REALM)


def accepted(settings: KerberosSettings, cache: Path, *tokens: bytes) -> list[Answer]:
    async def ask() -> list[Answer]:
        acceptor = KerberosAcceptor(settings, ("school.example",), cache)
        try:
            return [await acceptor.accept(token) for token in tokens]
        finally:
            acceptor.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("mechanism", [SPNEGO, KERBEROS])
def test_a_ticket_names_the_person_and_is_answered(
    settings: KerberosSettings, realm: Realm, tmp_path: Path, mechanism: str
) -> None:
    token = realm.token("ann", mechanism=mechanism)
    [answer] = accepted(settings, tmp_path / "rcache", token)
    assert (answer.outcome, answer.user, answer.group) == (Outcome.ACCEPTED, "ann", "")


def test_a_ticket_counts_once_for_all_workers(
    settings: KerberosSettings, realm: Realm, tmp_path: Path
) -> None:
    token = realm.token("ann")
    cache = tmp_path / "rcache"
    first, again = accepted(settings, cache, token, token)
    [elsewhere] = accepted(settings, cache, token)
    assert [a.outcome for a in (first, again, elsewhere)] == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.REFUSED,
    ]
    assert "replay" in again.reason.lower()


def test_a_ticket_for_another_service_is_refused(
    settings: KerberosSettings, realm: Realm, tmp_path: Path
) -> None:
    other = realm.token("ann", "HTTP/other.school.example")
    assert accepted(settings, tmp_path / "rcache", other)[0].outcome is Outcome.REFUSED
    # Even where the keytab holds the other service's key, too.
    both = tmp_path / "both.keytab"
    both.write_bytes(
        realm.keytab(SERVICE).read_bytes()
        + realm.keytab("HTTP/other.school.example").read_bytes()[2:]
    )
    with_both = KerberosSettings(both, SERVICE, REALM)
    assert accepted(with_both, tmp_path / "rcache", other)[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize("user", ["ann/admin", "HTTP/other.school.example"])
def test_a_service_or_an_administrator_is_no_person(
    settings: KerberosSettings, realm: Realm, tmp_path: Path, user: str
) -> None:
    [answer] = accepted(settings, tmp_path / "rcache", realm.token(user))
    assert (answer.outcome, answer.user) == (Outcome.REFUSED, "")
    assert "is no person" in answer.reason


def test_somebody_of_another_realm_is_refused(
    settings: KerberosSettings, realm: Realm, tmp_path: Path
) -> None:
    elsewhere = KerberosSettings(settings.keytab, SERVICE, "OTHER.EXAMPLE")
    [answer] = accepted(elsewhere, tmp_path / "rcache", realm.token("ann"))
    assert (answer.outcome, answer.reason) == (
        Outcome.REFUSED,
        "ann@SCHOOL.EXAMPLE is of another realm",
    )


@pytest.mark.parametrize(
    "token", [b"", b"NTLMSSP\0\1\0\0\0", b"x" * 100, b"\x60\x82\xff\xff", b"x" * 70_000]
)
def test_what_is_no_ticket_is_refused(
    settings: KerberosSettings, tmp_path: Path, token: bytes
) -> None:
    assert accepted(settings, tmp_path / "rcache", token)[0].outcome is Outcome.REFUSED


def test_a_ticket_with_one_bit_changed_is_refused(
    settings: KerberosSettings, realm: Realm, tmp_path: Path
) -> None:
    token = realm.token("ann")
    changed = [token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :] for at in range(-400, -10, 39)]
    answers = accepted(settings, tmp_path / "rcache", *changed)
    assert {answer.outcome for answer in answers} == {Outcome.REFUSED}


def test_a_keytab_without_the_key_is_told_at_once(
    settings: KerberosSettings, tmp_path: Path
) -> None:
    for keytab, service in ((tmp_path / "none", SERVICE), (settings.keytab, "HTTP/third.example")):
        with pytest.raises(UnavailableError, match="cannot serve"):
            KerberosAcceptor(KerberosSettings(keytab, service, REALM), (), tmp_path / "rcache")
