"""Asking a running gateway whether it filters, and saying what is wrong when it does not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate import authority
from schoolgate.core.locked import HashedEntries, HashForm, LockedLists
from schoolgate.services.probing import (
    Examination,
    Finding,
    authorities,
    lists,
    locked_lists,
    mail,
    running,
    workers,
)
from schoolgate.settings import Settings
from schoolgate.settings.machine import (
    CaSettings,
    MailSettings,
    MetricsSettings,
    ProxySettings,
)
from schoolgate.storage import OutboxState, Waiting
from tests import gateway
from tests.core.locked.test_lists import locked

REFUSAL = b"HTTP/1.1 403 Forbidden\r\nX-Schoolgate-Clause: C-1\r\nContent-Length: 0\r\n\r\n"
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
SICK = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nwrong\n"


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Answer everybody who connects with the same bytes, and give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20)


def unused() -> str:
    return f"127.0.0.1:{gateway.free_port()}"


def ask(proxy: str, metrics: str, state: Path) -> dict[str, Finding]:
    settings = Settings(
        state_dir=state,
        proxy=ProxySettings(listen=proxy),
        metrics=MetricsSettings(listen=metrics),
    )
    return {finding.what: finding for finding in running(settings)}


def test_a_running_gateway_is_found_to_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolgate.services.probing.TIMEOUT_SECONDS", gateway.PATIENCE_SECONDS)
    config = gateway.write_config(tmp_path)
    with gateway.running(config) as own:
        proxy, metrics = (own.address(name).split("/")[2] for name in ("proxy", "metrics"))
        found = ask(proxy, metrics, own.state)
    refused = "a request that must be refused was refused (gateway-private-destination)"
    assert list(found.values()) == [
        Finding("health", True, "ok"),
        Finding("filtering over HTTP", True, refused),
        Finding("filtering over HTTPS", True, refused),
    ]


def test_where_nothing_runs_each_finding_says_so_and_how_to_start(tmp_path: Path) -> None:
    authority.ensure(tmp_path / "ca", "Hill School", datetime(2026, 11, 23, tzinfo=UTC))
    proxy, metrics = unused(), unused()
    found = ask(proxy, metrics, tmp_path)
    assert [finding.ok for finding in found.values()] == [False] * 3
    for what, address in (
        ("health", metrics), ("filtering over HTTP", proxy), ("filtering over HTTPS", proxy),
    ):  # fmt: skip
        said = found[what].said
        assert said.startswith(f"nothing answers on {address} (")
        assert said.endswith("start it with 'schoolgate run'")


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        (WELL, Finding("health", True, "ok")),
        (SICK, Finding("health", False, "wrong")),
    ],
)
def test_health_is_what_the_gateway_says_of_itself(
    tmp_path: Path, answer: bytes, want: Finding
) -> None:
    with answering(answer) as metrics:
        assert ask(unused(), metrics, tmp_path)["health"] == want


def test_what_speaks_no_http_is_not_healthy(tmp_path: Path) -> None:
    with answering(b"220 mail.example ESMTP\r\n") as metrics:
        assert ask(unused(), metrics, tmp_path)["health"].ok is False


@pytest.mark.parametrize(
    ("answer", "ok", "said"),
    [
        (REFUSAL, True, "a request that must be refused was refused (C-1)"),
        (WELL, False, "{} answered 200 and is not schoolgate"),
        (REFUSAL.replace(b"X-Schoolgate-Clause", b"X-Other"), False,
         "{} answered 403 and is not schoolgate"),
        (REFUSAL.replace(b"403", b"200"), False, "{} answered 200 and is not schoolgate"),
        (b"220 mail.example ESMTP\r\n", False, "{} does not answer as a web proxy: "),
    ],
)  # fmt: skip
def test_only_a_refusal_with_a_clause_counts_as_filtering(
    tmp_path: Path, answer: bytes, ok: bool, said: str
) -> None:
    with answering(answer) as proxy:
        found = ask(proxy, unused(), tmp_path)["filtering over HTTP"]
    assert found.ok is ok
    assert found.said.startswith(said.format(proxy))


def test_without_a_ca_https_cannot_be_asked_about(tmp_path: Path) -> None:
    found = ask(unused(), unused(), tmp_path)["filtering over HTTPS"]
    assert found.ok is False
    assert found.said.startswith("There is no CA in ")


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOST = Waiting(7, "role:headteacher", "A site is asked for", "request:3", NOON, 1)


@pytest.mark.parametrize(
    ("host", "state", "want"),
    [
        ("", OutboxState(0, None, "", ()), [(False, "no mail server is set, 0 mails waiting")]),
        (
            "",
            OutboxState(2, NOON, "", ()),
            [(True, "2 mails wait and no mail server is set: set mail.host in gate.yaml")],
        ),
        ("mx", OutboxState(0, None, "", ()), [(False, "mx:587, 0 mails waiting")]),
        ("mx", OutboxState(1, NOON, "", ()), [(False, "mx:587, 1 mail waiting")]),
        (
            "mx",
            OutboxState(1, NOON, "450 later", ()),
            [(True, "mx:587, 1 mail waiting; the last that failed: 450 later")],
        ),
        (
            "mx",
            OutboxState(1, NOON - timedelta(hours=1), "450 later", ()),
            [(True, "1 mail waits and nobody sends: start 'schoolgate run' or 'schoolgate jobs'")],
        ),
        (
            "mx",
            OutboxState(0, None, "", ((LOST, "550 nobody"),)),
            [
                (False, "mx:587, 0 mails waiting"),
                (
                    True,
                    "not sent to role:headteacher, 'A site is asked for' (request:3): 550 nobody",
                ),
            ],
        ),
    ],
)
def test_how_mail_is_and_what_to_do(
    host: str, state: OutboxState, want: list[tuple[bool, str]]
) -> None:
    settings = Settings(file=Path("gate.yaml"), mail=MailSettings(host=host))
    findings = list(mail(settings, state, NOON))
    assert [(one.is_note, one.said) for one in findings] == want
    assert all(one.ok and one.what == "mail" for one in findings)


FIGURES = """\
# HELP schoolgate_worker_up 1 while a worker serves.
schoolgate_worker_up{worker="1"} 1.0
schoolgate_worker_up{worker="2"} SECOND
schoolgate_worker_restarts_total{worker="1"} 0.0
schoolgate_worker_restarts_total{worker="2"} 3.0
schoolgate_policy_version 7.0
"""


@pytest.mark.parametrize(
    ("second", "ok", "said"), [("1.0", True, "2 of 2"), ("0.0", False, "1 of 2")]
)
def test_the_workers_are_known_by_the_metrics(second: str, ok: bool, said: str) -> None:
    text = FIGURES.replace("SECOND", second).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
    with answering(answer) as address:
        first, version = workers(Settings(metrics=MetricsSettings(listen=address)))
    assert first == Finding("workers", ok, f"{said} serve; replaced 3 times since the start")
    assert version == Finding("version on every worker", True, "7")


@pytest.mark.parametrize(
    ("answer", "want"),
    [(WELL, "0 of 0 serve"), (b"nonsense\r\n\r\n", "is not schoolgate's"), (b"", "Remote")],
)
def test_what_has_no_metrics_is_a_fault(answer: bytes, want: str) -> None:
    with answering(answer) as address:
        [found] = workers(Settings(metrics=MetricsSettings(listen=address)))
    assert not found.ok
    assert want in found.said


def test_a_look_ends_in_time_and_the_next_waits_for_what_goes_on() -> None:
    goes_on = threading.Event()

    def slow() -> Iterator[Finding]:
        yield Finding("first", True, "")
        goes_on.wait(60)
        yield Finding("second", True, "")

    def broken() -> Iterator[Finding]:
        raise ZeroDivisionError

    made = Examination({"slow": slow, "broken": broken}, 0.2)
    found = made.findings()
    assert [(one.what, one.ok) for one in found] == [
        ("first", True), ("slow", False), ("this look", False),
    ]  # fmt: skip
    assert "not finished within 0.2 seconds" in found[1].said
    assert "has not ended yet" in made.findings()[0].said
    goes_on.set()
    assert gateway.eventually(lambda: "has not ended yet" not in made.findings()[0].said)
    assert [one.what for one in made.findings()][:2] == ["first", "second"]


def test_a_proxy_that_wants_people_to_sign_in_is_no_fault(tmp_path: Path) -> None:
    asks = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with answering(asks) as proxy:
        found = ask(proxy, unused(), tmp_path)["filtering over HTTP"]
    assert found.ok
    assert found.is_note
    assert "must sign in" in found.said


@pytest.mark.parametrize(
    ("built", "note", "said"),
    [
        (None, False, "1,200 domains"),
        ("2026-11-22T12:00:00+00:00", False, "1,200 domains, put together 1 day ago"),
        ("2026-11-01T12:00:00+00:00", True, "1,200 domains, put together 22 days ago"),
    ],
)
def test_old_lists_are_noted(built: str | None, note: bool, said: str) -> None:
    assert lists(built, 1200, NOON) == Finding("lists", True, said, is_note=note)


@pytest.mark.parametrize(
    ("days", "renewed", "ok", "note", "words"),
    [
        pytest.param(0, False, True, False, "3650 days left", id="new"),
        pytest.param(3590, False, True, True, "60 days left; make the next one", id="soon"),
        pytest.param(3590, True, True, True, "once every device has the next one", id="next"),
        pytest.param(3651, False, False, True, "has ended", id="ended"),
        pytest.param(-3, False, False, False, "is the clock right?", id="before it began"),
    ],
)
def test_the_end_of_the_ca_is_told_in_time(
    tmp_path: Path, days: int, renewed: bool, ok: bool, note: bool, words: str
) -> None:
    directory = tmp_path / "ca"
    authority.ensure(directory, "Hill School", NOON)
    if renewed:
        authority.renew(directory, NOON)
    found = list(authorities(Settings(state_dir=tmp_path), NOON + timedelta(days=days)))
    assert (found[0].ok, found[0].is_note) == (ok, note)
    assert words in found[0].said
    assert [finding.what for finding in found] == ["CA", *(["next CA"] if renewed else [])]


def test_the_days_are_a_setting_and_a_damaged_next_one_is_noted(tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    authority.ensure(directory, "Hill School", NOON)
    (directory / "next-ca.pem").write_text("nothing")
    (directory / "next-ca.pem").chmod(0o600)
    settings = Settings(state_dir=tmp_path, ca=CaSettings(warn_days=3650))
    first, second = authorities(settings, NOON)
    assert first.is_note
    assert second.ok
    assert "The one that signs goes on" in second.said


def test_the_state_of_each_locked_list_is_said() -> None:
    at = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    [none] = locked_lists(LockedLists(), at)
    assert (none.ok, none.is_note) == (True, True)
    fresh, old = (
        locked("bad.example"),
        locked("bad.example", name="police", date=at - timedelta(days=9)),
    )
    found = {each.what: each for each in locked_lists(LockedLists((fresh, old)), at)}
    assert found["locked list iwf"] == Finding(
        "locked list iwf",
        True,
        "1 entries, version v1 of 2026-11-23 12:00, 0 days old, SHA-256 abababababab…",
    )
    assert not found["locked list police"].ok
    assert found["locked list police"].said.startswith("it is of 2026-11-14: 9 days old; 1 entries")


def test_that_every_host_is_read_for_a_list_is_said() -> None:
    at = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    hashed = replace(locked("bad.example"), entries=HashedEntries(HashForm(), [b"0" * 32]))
    _, note = locked_lists(LockedLists((hashed,)), at)
    assert (note.is_note, "every host is read" in note.said) == (True, True)
