"""Passwords and groups against the real slapd."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.core.people import LdapSettings, Membership, NestedGroups
from schoolgate.identity.answers import Answer, Outcome
from schoolgate.identity.ldap import LdapDirectory
from tests.gateway import free_port
from tests.system import slapd
from tests.system.slapd import BASE, SEARCH_DN, SEARCH_PASSWORD, Slapd

pytestmark = pytest.mark.long

ANN, BOB, EVE, DEPUTY = (password for name, _, password in slapd.PEOPLE if name not in {"twin"})
STAFF = Membership("staff")
PUPILS = Membership("pupils")
CLASS_4B = Membership("", frozenset({"class-4b"}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd.running(tmp_path_factory.mktemp("slapd")) as running:
        yield running


@pytest.fixture
def settings(server: Slapd, tmp_path: Path) -> LdapSettings:
    secret = tmp_path / "secret"
    secret.write_text(SEARCH_PASSWORD + "\n")
    secret.chmod(0o600)
    return LdapSettings(
        servers=(f"ldaps://localhost:{server.tls_port}",),
        ca_file=server.ca_file,
        bind_dn=SEARCH_DN,
        bind_password_file=secret,
        base_dn=BASE,
        groups=(
            (f"CN=Staff, ou=Groups,{BASE}", STAFF),
            ("Teachers", STAFF),
            (f"cn=pupils,ou=groups,{BASE}", PUPILS),
            ("class 4b", CLASS_4B),
        ),
        group_base_dn=f"ou=groups,{BASE}",
        timeout_seconds=slapd.PATIENCE["timeout_seconds"],
        deadline_seconds=slapd.PATIENCE["deadline_seconds"],
    )


def asked(settings: LdapSettings, question: Callable[[LdapDirectory], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        directory = LdapDirectory(settings, domains=("school.example", "SCHOOL"))
        try:
            return await question(directory)
        finally:
            directory.close()

    return asyncio.run(ask())


def check(settings: LdapSettings, user: str, password: str) -> Answer:
    return asked(settings, lambda directory: directory.check(user, password))


@pytest.mark.parametrize(
    ("user", "password", "group", "also"),
    [
        ("ann", ANN, "staff", {"class-4b"}),
        ("ANN", ANN, "staff", {"class-4b"}),
        ("SCHOOL\\ann", ANN, "staff", {"class-4b"}),
        ("ann@school.example", ANN, "staff", {"class-4b"}),
        ("bob", BOB, "pupils", {"class-4b"}),
        ("eve", EVE, "", set()),
        ("o'neil (deputy)*", DEPUTY, "", set()),
    ],
)
@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_right_password_names_the_person_and_their_groups(
    settings: LdapSettings, server: Slapd, scheme: str, user: str, password: str, group: str,
    also: set[str],
) -> None:  # fmt: skip
    port = server.tls_port if scheme == "ldaps" else server.plain_port
    settings = replace(settings, servers=(f"{scheme}://localhost:{port}",))
    name = user.lower().removeprefix("school\\").removesuffix("@school.example")
    assert check(settings, user, password) == Answer(Outcome.ACCEPTED, name, group, frozenset(also))


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", BOB),
        ("ann", ""),  # would be an anonymous sign-in, which succeeds
        ("ann", ANN + "x"),
        ("ann@other.example", ANN),
        ("nobody", ANN),
        ("twin", "twin's password"),  # two entries: neither
        ("*", ANN),
        ("a*", ANN),
        ("ann)(uid=*", ANN),
        ("ann)(|(uid=*", ANN),
        ("ann\\2a", ANN),
        ("ann\x00", ANN),
        (f"uid=ann,ou=people,{BASE}", ANN),
        ("", ANN),
        ("x" * 300, ANN),
        ("ann", "x" * 2000),
        ("o'neil (deputy)\\2a", DEPUTY),
    ],
)
def test_whatever_else_is_refused(settings: LdapSettings, user: str, password: str) -> None:
    answer = check(settings, user, password)
    assert (answer.outcome, answer.user, answer.group) == (Outcome.REFUSED, "", "")


@pytest.mark.parametrize("spelt", ["\uff21nn", "a\u0300nn", "Ann  ", "ann@school.example"])
def test_whatever_spelling_the_directory_takes_it_is_the_same_person(
    settings: LdapSettings, spelt: str
) -> None:
    answer = check(settings, spelt, ANN)
    assert answer.user == "ann" or answer.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "user", ["ann.teacher@post.example", "ann@post.example", "ANN@post.example"]
)
def test_a_person_who_signs_in_by_an_address_has_one_name(
    settings: LdapSettings, user: str
) -> None:
    by_mail = replace(settings, user_filter="(mail={user})")
    assert check(by_mail, user, ANN).user == "ann"
    named_by_mail = replace(by_mail, user_attribute="mail")
    assert check(named_by_mail, user, ANN).user == "ann.teacher@post.example"
    nameless = replace(by_mail, user_attribute="title")
    assert check(nameless, user, ANN).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    ("nested", "groups", "want"),
    [
        (NestedGroups.NONE, ((f"cn=Staff,ou=groups,{BASE}", STAFF),), ""),
        (NestedGroups.WALK, ((f"cn=Staff,ou=groups,{BASE}", STAFF),), "staff"),
        (NestedGroups.WALK, (("office", STAFF),), "staff"),  # through the ring
        # slapd does not know Active Directory's rule: it finds nothing, and nothing is opened
        (NestedGroups.CHAIN, (("Teachers", STAFF),), ""),
    ],
)
def test_groups_within_groups(
    settings: LdapSettings, nested: NestedGroups, groups: tuple[tuple[str, Membership], ...],
    want: str,
) -> None:  # fmt: skip
    answer = check(replace(settings, nested=nested, groups=groups), "ann", ANN)
    assert (answer.outcome, answer.group) == (Outcome.ACCEPTED, want)


def test_the_first_group_that_fits_is_the_primary_one(settings: LdapSettings) -> None:
    groups = (("Class 4B", PUPILS), ("Teachers", STAFF))
    assert check(replace(settings, groups=groups), "ann", ANN).group == "pupils"
    assert check(replace(settings, groups=groups[::-1]), "ann", ANN).group == "staff"
    none = replace(settings, groups=(), default_group="pupils")
    assert check(none, "ann", ANN).group == "pupils"


def test_a_group_of_the_same_name_elsewhere_is_not_meant(settings: LdapSettings) -> None:
    groups = ((f"cn=Staff,ou=groups,{BASE}", STAFF),)
    wide = replace(settings, group_base_dn="", groups=groups)
    assert check(wide, "bob", BOB).group == ""


def test_groups_are_read_without_a_password(settings: LdapSettings) -> None:
    found = asked(settings, lambda directory: directory.groups("ann@SCHOOL.example"))
    assert found == Answer(Outcome.ACCEPTED, "ann", "staff", frozenset({"class-4b"}))
    assert asked(settings, lambda directory: directory.groups("*")).outcome is Outcome.REFUSED
    assert asked(settings, lambda directory: directory.groups("")).outcome is Outcome.REFUSED


# -- nobody is let in because the directory cannot be asked ----------------------------------------


def test_a_server_with_another_authority_is_not_believed(
    settings: LdapSettings, server: Slapd, tmp_path: Path
) -> None:
    slapd.certificates(tmp_path, "localhost")
    foreign = replace(settings, ca_file=tmp_path / "ca.pem")
    for url in (f"ldaps://localhost:{server.tls_port}", f"ldap://localhost:{server.plain_port}"):
        answer = check(replace(foreign, servers=(url,)), "ann", ANN)
        assert answer.outcome is Outcome.UNAVAILABLE
        assert "CERTIFICATE_VERIFY_FAILED" in answer.reason


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_server_with_another_name_is_not_believed(
    settings: LdapSettings, server: Slapd, scheme: str
) -> None:
    port = server.tls_port if scheme == "ldaps" else server.plain_port
    settings = replace(settings, servers=(f"{scheme}://127.0.0.1:{port}",))
    answer = check(settings, "ann", ANN)
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "IP address mismatch" in answer.reason


def test_a_wrong_password_of_the_searching_account_lets_nobody_in(
    settings: LdapSettings, tmp_path: Path
) -> None:
    settings.bind_password_file.write_text("wrong")
    assert check(settings, "ann", ANN).outcome is Outcome.UNAVAILABLE


def test_a_search_that_fails_lets_nobody_in(settings: LdapSettings) -> None:
    elsewhere = replace(settings, base_dn="dc=elsewhere")
    assert check(elsewhere, "ann", ANN).outcome is Outcome.UNAVAILABLE
    broken = replace(settings, group_filter="(member={dn}")
    assert check(broken, "ann", ANN).outcome is Outcome.UNAVAILABLE


def test_the_next_server_answers_when_the_first_does_not(settings: LdapSettings) -> None:
    dead = f"ldaps://localhost:{free_port()}"
    assert check(replace(settings, servers=(dead, *settings.servers)), "ann", ANN).accepted
    assert check(replace(settings, servers=(dead,)), "ann", ANN).outcome is Outcome.UNAVAILABLE


def test_a_right_password_is_remembered_and_another_is_not(
    settings: LdapSettings, tmp_path: Path
) -> None:
    with slapd.running(tmp_path) as own:
        own_settings = replace(
            settings, servers=(f"ldaps://localhost:{own.tls_port}",), ca_file=own.ca_file
        )

        async def ask() -> list[Outcome]:
            directory = LdapDirectory(own_settings)
            answers = [await directory.check("ann", ANN)]
            own.stop()
            answers += [await directory.check("ann", ANN), await directory.check("ann", "other")]
            directory.forget("ANN")
            answers.append(await directory.check("ann", ANN))
            directory.close()
            return [answer.outcome for answer in answers]

        assert asyncio.run(ask()) == [
            Outcome.ACCEPTED,
            Outcome.ACCEPTED,
            Outcome.UNAVAILABLE,
            Outcome.UNAVAILABLE,
        ]


def test_many_sign_in_at_once_while_the_loop_goes_on(settings: LdapSettings) -> None:
    async def ask() -> tuple[list[Answer], int]:
        directory = LdapDirectory(settings)
        turns = 0

        async def turning() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        meanwhile = asyncio.create_task(turning())
        people = [("ann", ANN), ("bob", BOB), ("eve", "wrong")] * 4
        answers = await asyncio.gather(*(directory.check(u, p) for u, p in people))
        meanwhile.cancel()
        directory.close()
        return answers, turns

    answers, turns = asyncio.run(ask())
    assert [a.user for a in answers] == ["ann", "bob", ""] * 4
    assert turns > 100
