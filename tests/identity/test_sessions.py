"""The table of sessions, and what a listener answers."""

import ipaddress
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import Membership, People, RadiusSettings, SignInSettings
from schoolgate.core.prefixes import Prefixes
from schoolgate.identity import AccountingListener, Session, read_sessions, write_sessions
from schoolgate.identity import sessions as table
from schoolgate.identity.accounting import Event, Status
from schoolgate.identity.radius import Accountant
from schoolgate.identity.session_file import SessionFile, Written
from schoolgate.identity.sessions import Sessions
from tests.identity.test_accounting import SECRET, START, attribute, datagram, number

MAC, OTHER_MAC = "00:1b:44:11:3a:b7", "00:1b:44:11:3a:b8"
PEOPLE = People(
    people={"ann": Membership("staff", frozenset({"4b"}))},
    sign_in=SignInSettings(domains=("school.example",)),
)
RADIUS = RadiusSettings(
    "127.0.0.1:0",
    (),
    user_names_verified=True,
    classes={"pupil": Membership("pupils")},
    silence_seconds=100,
)


def event(
    status: Status | None = Status.START, session: str = "1", user: str = "ann", mac: str = MAC,
    *addresses: str, nas: str = "ap", classes: tuple[str, ...] = (), delay: int = 0,
) -> Event:  # fmt: skip
    return Event(status, nas, session, user, classes, mac, addresses, (), delay)


def recorded(*events: tuple[float, Event], radius: RadiusSettings = RADIUS) -> list[Session]:
    """Give the sessions after some events, at the time of the last."""
    sessions = Sessions(PEOPLE, radius)
    for at, happened in events:
        assert sessions.record("10.0.0.2", happened, at)
    return sorted(sessions.active(events[-1][0]), key=lambda session: session.id)


def said(*events: tuple[float, Event]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(s.id, s.user, s.addresses) for s in recorded(*events)]


A, B, C6, D6 = "10.9.0.1", "10.9.0.2", "2001:db8::1", "2001:db8::2"
INTERIM, STOP = Status.INTERIM_UPDATE, Status.STOP


@pytest.mark.parametrize(
    ("events", "want"),
    [
        ([(0, event())], [("1", "ann", ())]),
        ([(0, event(Status.START, "1", "ann", MAC, A))], [("1", "ann", (A,))]),
        # an interim update may be the first that is heard, and may say less or more
        ([(0, event(INTERIM, "1", "ann", MAC, A))], [("1", "ann", (A,))]),
        ([(0, event(Status.START, "1", "ann", MAC, A)), (9, event(INTERIM))], [("1", "ann", (A,))]),
        ([(0, event(Status.START, "1", "ann", MAC, A)), (9, event(INTERIM, "1", "ann", MAC, B))],
         [("1", "ann", (B,))]),
        ([(0, event(Status.START, "1", "ann", MAC, A, C6)),
          (9, event(INTERIM, "1", "ann", MAC, D6))], [("1", "ann", (D6, A, C6))]),
        # the end
        ([(0, event()), (9, event(STOP))], []),
        ([(0, event()), (9, event(STOP)), (10, event())], []),  # repeated late
        ([(9, event(STOP)), (10, event(INTERIM))], []),
        ([(0, event()), (9, event(STOP)), (10, event(session="2"))], [("2", "ann", ())]),
        ([(0, event()), (9, event(STOP)), (4000, event())], [("1", "ann", ())]),
        # silence
        ([(0, event()), (100, event(None))], []),
        ([(0, event()), (99, event(INTERIM)), (198, event(None))], [("1", "ann", ())]),
        # what is said later replaces what was said before, where the end was lost
        ([(0, event()), (9, event(session="2", user="bob"))], [("2", "bob", ())]),
        ([(0, event(Status.START, "1", "ann", MAC, A, C6)),
          (9, event(Status.START, "2", "bob", OTHER_MAC, A))],
         [("1", "ann", (C6,)), ("2", "bob", (A,))]),
        # but what was held up on its way does not
        ([(50, event(Status.START, "2", "bob", OTHER_MAC, A)),
          (60, event(Status.START, "1", "ann", MAC, A, delay=30))],
         [("1", "ann", (A,)), ("2", "bob", (A,))]),
        # the whole NAS
        ([(0, event()), (9, event(Status.ACCOUNTING_ON, ""))], []),
        ([(0, event()), (9, event(Status.ACCOUNTING_OFF, ""))], []),
        ([(0, event()), (9, event(Status.ACCOUNTING_ON, "", nas="other"))], [("1", "ann", ())]),
        ([(50, event()), (60, event(Status.ACCOUNTING_ON, "", delay=30))], [("1", "ann", ())]),
        # says nothing
        ([(0, event(Status.START, ""))], []),
        ([(0, event(None))], []),
    ],
)  # fmt: skip
def test_the_table(
    events: list[tuple[float, Event]], want: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert said(*events) == want


@pytest.mark.parametrize(
    ("user", "classes", "verified", "default", "want"),
    [
        ("ann", (), True, "", ("ann", "staff")),
        ("ANN@school.example", (), True, "", ("ann", "staff")),
        ("ann@elsewhere.example", (), True, "", ("ann@elsewhere.example", "")),
        ("ann", ("pupil",), True, "", ("ann", "pupils")),
        ("ann", ("unknown",), True, "", ("ann", "staff")),
        ("bob", (), True, "", ("bob", "")),
        ("bob", (), True, "guests", ("bob", "guests")),
        ("anonymous", (), True, "", ("", "")),
        ("anonymous@school.example", (), True, "", ("", "")),
        ("@school.example", (), True, "", ("", "")),
        ("", (), True, "", ("", "")),
        # the outer identity of EAP is what the device says
        ("ann", (), False, "", ("", "")),
        ("ann", ("pupil",), False, "", ("", "pupils")),
        ("ann", (), False, "guests", ("", "guests")),
    ],
)
def test_who_it_is_and_what_that_gives(
    user: str, classes: tuple[str, ...], verified: bool, default: str, want: tuple[str, str]
) -> None:
    radius = RadiusSettings(
        "", (), user_names_verified=verified, classes=RADIUS.classes, default_group=default
    )
    [session] = recorded((0, event(user=user, classes=classes)), radius=radius)
    assert (session.user, session.group) == want


def test_a_nas_gone_mad_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_SESSIONS", 2)
    sessions = Sessions(PEOPLE, RADIUS)
    for n, want in enumerate([True, True, False]):
        assert sessions.record("10.0.0.2", event(session=str(n), mac=""), 0) is want
    assert sessions.record("10.0.0.2", event(session="1", mac=""), 0)
    assert sessions.record("10.0.0.2", event(session="9", mac=""), 100)  # the others fell silent


# -- what is answered -----------------------------------------------------------------------------


def accountant() -> Accountant:
    clients = Prefixes([(ipaddress.ip_network("10.0.0.0/24"), SECRET)])
    return Accountant(clients, Sessions(PEOPLE, RADIUS))


def test_a_repeated_request_is_answered_alike_and_counted_once() -> None:
    found = accountant()
    first = found.answer(datagram(START), "10.0.0.2", 5, 0)
    assert first is not None
    assert found.answer(datagram(START), "10.0.0.2", 5, 29) == first
    assert (found.heard.accepted, found.heard.repeated) == (1, 1)
    assert found.answer(datagram(START), "10.0.0.2", 5, 30) == first
    assert found.answer(datagram(START), "10.0.0.2", 6, 30) == first
    assert (found.heard.accepted, found.heard.repeated) == (3, 1)


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (datagram(START), "10.0.1.2"),
        (datagram(START, secret=b"other"), "10.0.0.2"),
        (b"", "10.0.0.2"),
    ],
)
def test_strangers_are_not_answered(raw: bytes, sender: str) -> None:
    found = accountant()
    assert found.answer(raw, sender, 5, 0) is None
    assert found.heard.refused == 1


def test_a_nas_is_known_by_its_mapped_address_too() -> None:
    assert accountant().answer(datagram(START), "::ffff:10.0.0.2", 5, 0) is not None


def test_what_could_not_be_kept_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_SESSIONS", 0)
    found = accountant()
    raw = datagram(number(40, 1) + attribute(44, b"1"))
    assert found.answer(raw, "10.0.0.2", 5, 0) is None
    assert found.heard.full == 1


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [(None, 0, "cannot be read"), ("", 0o600, "is empty"), ("secret", 0o644, "read by others"),
     ("x" * 5000, 0o600, "too long")],
)  # fmt: skip
def test_a_secret_must_be_one(tmp_path: Path, content: str | None, mode: int, why: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    radius = RadiusSettings("127.0.0.1:0", ((ipaddress.ip_network("127.0.0.1"), file),))
    with pytest.raises(UnavailableError, match=why):
        AccountingListener(PEOPLE, radius, lambda _: None)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    first = AccountingListener(PEOPLE, RADIUS, lambda _: None)
    first.start()
    taken = RadiusSettings(f"127.0.0.1:{first.port}", ())
    with pytest.raises(UnavailableError, match="cannot listen"):
        AccountingListener(PEOPLE, taken, lambda _: None).start()
    first.stop()


# -- the file -------------------------------------------------------------------------------------

SESSION = Session(
    "nas", "1", "änn", "staff", frozenset({"b", "a"}), MAC, (A, C6),
    (ipaddress.ip_network("2001:db8::/64"),), 1.5, 2.5,
)  # fmt: skip


def test_sessions_are_written_and_read_alike(tmp_path: Path) -> None:
    file = tmp_path / "sessions"
    assert read_sessions(file) == Written(0)
    write_sessions(file, [SESSION], 7)
    assert read_sessions(file) == Written(7, (SESSION,))
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", ["", "{}x", "[1]", '{"at": 7}', '{"at": 7, "sessions": [{}]}', "[" * 100_000]
)
def test_a_file_that_is_none_keeps_the_last_sessions(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sessions"
    followed = SessionFile(file)
    write_sessions(file, [SESSION], 7)
    assert followed.look(7)
    assert not followed.look(7)
    file.write_text(content)
    assert not followed.look(7)
    assert "the last sessions are kept" in followed.fault
    assert (followed.sessions, followed.failing) == ((SESSION,), True)
    write_sessions(file, [], 7)
    assert followed.look(7)
    assert (followed.sessions, followed.fault, followed.failing) == ((), "", False)


def test_a_file_that_nobody_writes_any_more_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sessions"
    followed = SessionFile(file)
    assert not followed.look(7)
    assert (followed.failing, "cannot be read" in followed.fault) == (True, True)
    write_sessions(file, [SESSION], 7)
    assert followed.look(187)
    assert not followed.failing
    assert not followed.look(188)
    assert (followed.failing, "nobody hears RADIUS" in followed.fault) == (True, True)
    assert followed.sessions == (SESSION,)
