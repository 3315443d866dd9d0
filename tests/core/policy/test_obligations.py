"""Services are used in the mode that the policy says, by those whom it says it for."""

from dataclasses import replace

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Circumstances,
    Inspection,
    InspectionMode,
    NamesOnly,
    Never,
    Obligation,
    Rule,
    Service,
    TlsAction,
    Verdict,
    Writing,
    explain,
    extend,
    with_obligations_of,
)
from schoolgate.core.policy.rows import LOCAL_PASS
from tests.core.policy.example import (
    NOON,
    PUPIL,
    TEACHER,
    ask,
    engine,
    grant,
    hosts,
    listed,
    policy,
)

SEARCH = Service("search", "Search", hosts("search.example/find"))
VIDEOS = Service("videos", "Videos", hosts("videos.example"))
BY_NAME = Service("by-name", "By name", hosts("named.example"))


def obliged(
    service: Service, mode: str, *groups: str, locked: bool = False, **more: object
) -> Obligation:
    return Obligation(
        f"{service.id}-{mode}", "C-1", service, mode, Writing(query=(("safe", mode),)),
        frozenset(groups), is_locked=locked, **more,  # type: ignore[arg-type]
    )  # fmt: skip


STRICT = obliged(VIDEOS, "strict", "pupils")
MODERATE = obliged(VIDEOS, "moderate")
SAFE = obliged(SEARCH, "strict")
DNS = Obligation("by-name", "C-1", BY_NAME, "strict", Writing(dns="safe.named.example"))
ALL = (STRICT, MODERATE, SAFE, DNS)


@pytest.mark.parametrize(
    ("client", "url", "want"),
    [
        (PUPIL, "https://videos.example/", ["videos:strict"]),
        (PUPIL, "https://www.videos.example/watch", ["videos:strict"]),
        (TEACHER, "https://videos.example/", ["videos:moderate"]),
        (PUPIL, "https://search.example/find?q=a", ["search:strict"]),
        (PUPIL, "https://search.example/", []),
        (PUPIL, "https://videos.example.org/", []),
    ],
)
def test_the_first_mode_that_concerns_somebody_is_theirs(
    client: Client, url: str, want: list[str]
) -> None:
    decision = engine(obligations=ALL).decide(ask(url, client), NOON)
    assert [each.name for each in decision.obligations] == want


@pytest.mark.parametrize(
    ("host", "want", "needs"),
    [
        # A part of it is enough, whatever else is on it.
        ("search.example", TlsAction.DECRYPT, ("search:strict",)),
        ("videos.example", TlsAction.DECRYPT, ("videos:strict",)),
        # Asked for by its name alone.
        ("named.example", TlsAction.PASS, ()),
        ("other.example", TlsAction.PASS, ()),
    ],
)
def test_what_must_be_written_into_requests_has_the_site_read(
    host: str, want: TlsAction, needs: tuple[str, ...]
) -> None:
    inspection = Inspection(InspectionMode.NEEDED)
    answer = engine(obligations=ALL, inspection=inspection).decide_host(host, PUPIL, NOON)
    assert (answer.action, answer.needs) == (want, needs)


def test_what_was_opened_by_hand_has_its_mode_too() -> None:
    closed = Rule("closed", "C-1", Verdict.BLOCK, hosts=hosts("videos.example"))
    overlay = Overlay(1, (grant("videos.example"),))
    own = engine(rules=(closed,), obligations=ALL, overlay=overlay)
    decision = own.decide(ask("https://videos.example/"), NOON)
    assert decision.verdict is Verdict.ALLOW
    assert [each.name for each in decision.obligations] == ["videos:strict"]


def test_kinds_of_device_that_cannot_be_read_are_left_out() -> None:
    school = obliged(VIDEOS, "school", except_devices=frozenset({"chromebook"}))
    of = policy(obligations=(school,)).obligations_of
    assert of(Circumstances(frozenset({"staff"}), device="chromebook")) == ()
    assert of(Circumstances(frozenset({"staff"}), device="laptop")) == (school,)


@pytest.mark.parametrize(("locked", "want"), [(True, "strict"), (False, "moderate")])
def test_a_mode_that_a_policy_above_has_locked_no_school_changes(locked: bool, want: str) -> None:
    above = policy(obligations=(obliged(VIDEOS, "strict", locked=locked),))
    own = policy(obligations=(MODERATE,))
    (found,) = extend(own, above).obligations_of(Circumstances(frozenset({"pupils"})))
    assert found.mode == want


def test_a_service_that_is_asked_for_by_name_is_led_to_the_other_name() -> None:
    assert policy(obligations=ALL).aliases == {"named.example": "safe.named.example"}


def test_a_request_that_can_be_read_in_two_ways_obliges_to_what_either_does() -> None:
    own = engine(obligations=ALL)
    plain, videos = (
        own.decide(ask(f"https://{host}/"), NOON) for host in ("other.example", "videos.example")
    )
    assert with_obligations_of(plain, [plain, videos]).obligations == (STRICT,)
    assert with_obligations_of(plain, [plain, plain]) is plain


@pytest.mark.parametrize(
    ("device", "network", "host", "want"),
    [
        ("", "", "videos.example", []),
        ("chromebook", "", "videos.example", ["videos:strict"]),
        ("", "byod", "videos.example", ["videos:strict"]),
        ("", "", "private.videos.example", ["videos:strict"]),
        # By its name it is led to the safe one, read or not.
        ("chromebook", "byod", "named.example", []),
        ("chromebook", "byod", "other.example", []),
    ],
)
def test_a_mode_that_is_lost_is_said(device: str, network: str, host: str, want: list[str]) -> None:
    strict = obliged(VIDEOS, "strict", "pupils", except_devices=frozenset({"chromebook"}))
    inspection = Inspection(
        InspectionMode.NEEDED,
        never=(Never("C-P", hosts=hosts("private.videos.example")),),
        names_only=(NamesOnly("C-N", networks=frozenset({"byod"})),),
    )
    built = engine(obligations=(strict, DNS), inspection=inspection)
    request = ask(f"https://{host}/", replace(PUPIL, device_kind=device, network=network))
    assert [each.name for each in built.unmet(request, NOON)] == want
    (*_, last) = explain(built, request, NOON)
    assert ("is not asked for its mode" in last.answer) == bool(want)
    assert last.answer.count("is asked for its mode") == (host != "other.example" and not want)


@pytest.mark.parametrize(
    ("device", "host", "want"),
    [
        # Where people sign in is read, though its kind of site never is.
        ("", "sign-in.mail.example", TlsAction.DECRYPT),
        ("", "mail.example", TlsAction.PASS),
        # A device that cannot be read loses the mode there, and nothing else.
        ("chromebook", "sign-in.mail.example", TlsAction.PASS),
        # Nor is it read for a device on which somebody has found that a program breaks.
        ("", "sign-in.pinned.mail.example", TlsAction.PASS),
    ],
)
def test_where_people_sign_in_is_read_for_the_mode(device: str, host: str, want: TlsAction) -> None:
    mail = Service(
        "mail",
        "Mail",
        hosts("mail.example"),
        sign_in=hosts("sign-in.mail.example", "sign-in.pinned.mail.example"),
    )
    built = engine(
        local=[listed("sign-in.pinned.mail.example", LOCAL_PASS, "pass.txt")],
        obligations=(obliged(mail, "school", except_devices=frozenset({"chromebook"})),),
        inspection=Inspection(
            InspectionMode.NEEDED, never=(Never("C-P", hosts=hosts("mail.example")),)
        ),
    )
    client = replace(PUPIL, device_kind=device)
    assert built.decide_host(host, client, NOON).action is want
    unmet = built.unmet(ask(f"https://{host}/", client), NOON)
    assert bool(unmet) == (want is TlsAction.PASS)
