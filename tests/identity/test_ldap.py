"""A directory that does not answer: nobody is let in, and nobody waits."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import LdapSettings, NestedGroups
from schoolgate.identity.answers import Answer, Outcome, refused, unavailable
from schoolgate.identity.background import Background, BusyError
from schoolgate.identity.ldap import LdapDirectory
from schoolgate.identity.ldap_client import LdapClient, _filled, _name
from tests.gateway import eventually
from tests.system import slapd


@pytest.fixture
def settings(tmp_path: Path) -> LdapSettings:
    slapd.certificates(tmp_path, "localhost")
    secret = tmp_path / "secret"
    secret.write_text("service-password")
    secret.chmod(0o600)
    return LdapSettings(
        servers=(),
        ca_file=tmp_path / "ca.pem",
        bind_dn="cn=search",
        bind_password_file=secret,
        base_dn="dc=school",
        timeout_seconds=1,
        deadline_seconds=2,
    )


def with_server(settings: LdapSettings, url: str) -> LdapSettings:
    return replace(settings, servers=(url,))


@contextmanager
def server(answer: bytes = b"") -> Iterator[tuple[int, list[bytes]]]:
    """Take connections and keep what comes; answer the first bytes, and else be silent."""
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connections = []
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                break
            connections.append(connection)
            connection.settimeout(5)
            try:
                heard.append(connection.recv(4096))
                if answer:
                    connection.sendall(answer)
                    heard.append(connection.recv(4096))
            except OSError:
                pass
        for connection in connections:
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], heard
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def check(settings: LdapSettings) -> tuple[Answer, int]:
    """Give the answer, and how often the loop turned meanwhile."""

    async def ask() -> tuple[Answer, int]:
        directory = LdapDirectory(settings)
        turns = 0

        async def turning() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        meanwhile = asyncio.create_task(turning())
        answer = await directory.check("ann", "the secret")
        meanwhile.cancel()
        directory.close()
        return answer, turns

    return asyncio.run(ask())


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_silent_server_ends_in_time_and_lets_nobody_in(
    settings: LdapSettings, scheme: str
) -> None:
    with server() as (port, heard):
        silent = with_server(settings, f"{scheme}://localhost:{port}")
        # Never more than a few, if the loop waited; a machine that stands still leaves it few, too.
        assert eventually(lambda: turned_often(silent))
    assert all(b"secret" not in part and b"password" not in part for part in heard)


def turned_often(settings: LdapSettings) -> bool:
    """See that nobody is let in, and tell whether the loop went on meanwhile."""
    answer, turns = check(settings)
    assert answer.outcome is Outcome.UNAVAILABLE
    return turns > 100


# An extended response, "protocolError": a server without StartTLS.
NO_TLS = bytes.fromhex("300c02010178070a010204000400")


def test_nothing_is_said_in_clear_to_a_server_without_tls(settings: LdapSettings) -> None:
    with server(NO_TLS) as (port, heard):
        answer, _ = check(with_server(settings, f"ldap://localhost:{port}"))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert b"1.3.6.1.4.1.1466.20037" in heard[0]  # StartTLS was asked for
    assert all(b"secret" not in part and b"password" not in part for part in heard)


@pytest.mark.parametrize(
    "answer",
    [
        "4a58b791df6af1d8cd",
        "300c0201017807e601020400c200",
        "300c02010178070a017504880400",
        "3080",
        "30848fffffff",
        "00" * 40,
        "485454502f312e3120343030",
    ],
)
def test_an_answer_that_is_none_lets_nobody_in(settings: LdapSettings, answer: str) -> None:
    with server(bytes.fromhex(answer)) as (port, _):
        found, _ = check(with_server(settings, f"ldap://localhost:{port}"))
    assert found.outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("missing", ["ca.pem", "secret"])
def test_what_is_missing_is_told_at_once(settings: LdapSettings, missing: str) -> None:
    settings.ca_file.with_name(missing).unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        LdapClient(settings)


@pytest.mark.parametrize(
    ("template", "value", "want"),
    [
        ("(uid={user})", "ann", "(uid=ann)"),
        ("(uid={user})", "*", "(uid=\\2a)"),
        ("(uid={user})", "a)(b\\\x00", "(uid=a\\29\\28b\\5c\\00)"),
        ("(uid={user})", "{dn}", "(uid={dn})"),
        ("(|(uid={user})(mail={user}))", "a", "(|(uid=a)(mail=a))"),
    ],
)
def test_a_name_is_a_value_of_the_filter_and_nothing_else(
    template: str, value: str, want: str
) -> None:
    assert _filled(template, {"user": value, "dn": "dn"}) == want


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Staff,OU=Groups,DC=school", "cn=staff, ou=groups, dc=school"),
        ("Staff", "cn=staff"),
    ],
)
def test_a_group_has_one_name(one: str, other: str) -> None:
    assert _name(one) == _name(other)


def test_active_directory_is_asked_once_for_groups_within_groups(
    settings: LdapSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    client = LdapClient(replace(settings, nested=NestedGroups.CHAIN))

    def search(_connection: object, _base: str, question: str) -> list[object]:
        asked.append(question)
        return []

    monkeypatch.setattr(client, "_search", search)
    client._groups_of(None, "CN=Smith\\, Ann (a*),DC=school", "ann")  # type: ignore[arg-type]
    assert asked == ["(member:1.2.840.113556.1.4.1941:=CN=Smith\\5c, Ann \\28a\\2a\\29,DC=school)"]


def test_what_is_being_asked_already_is_asked_once(
    settings: LdapSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def authenticate(_self: LdapClient, _server: str, user: str, password: str) -> None:
        asked.append((user, password))

    monkeypatch.setattr(LdapClient, "authenticate", authenticate)

    async def ask() -> list[Answer]:
        directory = LdapDirectory(with_server(settings, "ldaps://localhost"))
        tried = [("ann", "old")] * 6 + [("ann", "older")]
        answers = await asyncio.gather(*(directory.check(*pair) for pair in tried))
        answers.append(await directory.check("Ann", "old"))
        directory.close()
        return answers

    assert {answer.outcome for answer in asyncio.run(ask())} == {Outcome.REFUSED}
    assert sorted(asked) == [("ann", "old"), ("ann", "older")]


def test_when_too_many_wait_the_next_is_told_so() -> None:
    async def ask() -> list[BaseException | None]:
        background = Background("test", 1, 60)
        going_on = threading.Event()
        waiting = [asyncio.create_task(background.call(going_on.wait)) for _ in range(64)]
        await asyncio.sleep(0)
        results: list[BaseException | None] = []
        results += await asyncio.gather(background.call(lambda: None), return_exceptions=True)
        going_on.set()
        await asyncio.gather(*waiting)
        results += await asyncio.gather(background.call(lambda: None), return_exceptions=True)
        background.close()
        return results

    first, second = asyncio.run(ask())
    assert isinstance(first, BusyError)
    assert second is None


def test_when_it_closes_whoever_waits_or_comes_is_told_so() -> None:
    async def ask() -> list[BaseException | bool]:
        background = Background("test", 1, 60)
        going_on = threading.Event()
        running = asyncio.create_task(background.call(going_on.wait))
        queued = asyncio.create_task(background.call(going_on.wait))
        await asyncio.sleep(0)
        background.close()
        results = await asyncio.gather(
            queued, background.call(going_on.wait), return_exceptions=True
        )
        going_on.set()
        return [*results, await running]

    queued, late, running = asyncio.run(ask())
    assert isinstance(queued, BusyError)
    assert isinstance(late, BusyError)
    assert running is True


def test_only_an_accepted_answer_is_a_claim() -> None:
    accepted = Answer(Outcome.ACCEPTED, "ann", "staff", frozenset({"4b"}))
    claim = accepted.claim("password", 5.0)
    assert claim is not None
    assert (claim.user, claim.group, claim.also, claim.until) == (
        "ann",
        "staff",
        frozenset({"4b"}),
        5.0,
    )
    for other in (refused("no"), unavailable("down"), Answer(Outcome.ACCEPTED)):
        assert other.claim("password", 5.0) is None
