"""Whoever has not signed the declaration is held, or reminded of it once a day."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Overlay, Signed, acceptance
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Declaration,
    Group,
    Inspection,
    InspectionMode,
    Never,
    PolicyEngine,
    Reason,
    Rule,
    TlsAction,
    UntilSigned,
    Verdict,
    explain,
)
from tests.core.policy.example import NOON, ask, engine, grant, hosts, listed, suspension

ANN = Client("10.0.0.8", "staff", user="ann")
SIGNED = Overlay(1, signed=frozenset({Signed("ann", "2026-09")}))
RULE = "declaration:2026-09"
TOMORROW = NOON + timedelta(days=1)


def school(until: UntilSigned, overlay: Overlay | None = None, **changes: Any) -> PolicyEngine:
    return engine(
        [
            listed("bet.example", "gambling"),
            listed("help.example", "help"),
            listed("mail.example", "mail"),
            listed("vpn.example", "vpn"),
        ],
        overlay=overlay,
        **{
            "groups": {
                "pupils": Group("pupils", "Pupils"),
                "staff": Group("staff", "Staff"),
                "office": Group("office", "Office", within="staff"),
            },
            "declaration": Declaration("C-D", "2026-09", until, frozenset({"staff"})),
            "locked": (Rule("core", "C-1", Verdict.BLOCK, hosts=hosts("core.example")),),
            "always_reachable": (Rule("help", "C-2", Verdict.ALLOW, categories=("help",)),),
            "circumvention": (Rule("vpn", "C-6", Verdict.BLOCK, categories=("vpn",)),),
            "rules": (Rule("bets", "C-8", Verdict.BLOCK, categories=("gambling",)),),
            "inspection": Inspection(
                InspectionMode.NEEDED, never=(Never("C-N", frozenset({"mail"})),)
            ),
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("client", "want"),
    [
        (ANN, True),
        (Client("10.0.0.8", "office", user="ann"), True),
        (Client("10.0.0.8", "pupils", user="ann", also=frozenset({"staff"})), True),
        (Client("10.0.0.8", "pupils", user="ann"), False),
        # Nobody is known by name.
        (Client("10.0.0.8", "staff", device="laptop"), False),
    ],
)
@pytest.mark.parametrize(
    ("until", "verdict"), [(UntilSigned.HOLD, Verdict.BLOCK), (UntilSigned.WARN, Verdict.WARN)]
)
def test_it_concerns_whoever_is_known_by_name_in_its_groups(
    until: UntilSigned, verdict: Verdict, client: Client, want: bool
) -> None:
    decision = school(until).decide(ask(client=client), NOON)
    got = (decision.verdict, decision.reason, decision.clause, decision.rule)
    stopped = (verdict, Reason.DECLARATION, "C-D", RULE)
    assert got == (stopped if want else (Verdict.ALLOW, Reason.DEFAULT, "C-9", "otherwise"))


@pytest.mark.parametrize("until", UntilSigned)
@pytest.mark.parametrize(
    ("signed", "want"),
    [
        ({Signed("ann", "2026-09")}, True),
        ({Signed("ann", "2025-09")}, False),
        ({Signed("bob", "2026-09")}, False),
    ],
)
def test_whoever_signed_the_version_in_force_is_free(
    until: UntilSigned, signed: set[Signed], want: bool
) -> None:
    rules = school(until, Overlay(1, signed=frozenset(signed)))
    assert (rules.decide(ask(client=ANN), NOON).reason is Reason.DEFAULT) is (
        want or until is UntilSigned.OFF
    )


@pytest.mark.parametrize(
    ("host", "hold", "warn"),
    [
        ("core.example", "core", "core"),
        ("help.example", "help", "help"),
        ("mail.example", RULE, "otherwise"),
        ("vpn.example", RULE, "vpn"),
        ("bet.example", RULE, "bets"),
        ("granted.example", RULE, RULE),
        ("example.com", RULE, RULE),
    ],
)
def test_a_hold_closes_what_a_suspension_closes_and_a_warning_opens_nothing(
    host: str, hold: str, warn: str
) -> None:
    overlay = Overlay(1, (grant("granted.example"),))
    for until, want in ((UntilSigned.HOLD, hold), (UntilSigned.WARN, warn)):
        rules = school(until, overlay)
        decision = rules.decide(ask(f"https://{host}/", ANN), NOON)
        assert decision.rule == want
        connection = rules.decide_host(host, ANN, NOON)
        assert connection.decision is decision


@pytest.mark.parametrize(
    ("host", "overlay", "hold", "warn"),
    [
        ("example.com", Overlay(), TlsAction.REFUSE, TlsAction.DECRYPT),
        ("mail.example", Overlay(), TlsAction.REFUSE, TlsAction.PASS),
        ("help.example", Overlay(), TlsAction.PASS, TlsAction.PASS),
        ("bet.example", Overlay(), TlsAction.REFUSE, TlsAction.REFUSE),
        ("example.com", SIGNED, TlsAction.PASS, TlsAction.PASS),
    ],
)
def test_what_a_connection_meets(
    host: str, overlay: Overlay, hold: TlsAction, warn: TlsAction
) -> None:
    for until, want in ((UntilSigned.HOLD, hold), (UntilSigned.WARN, warn)):
        assert school(until, overlay).decide_host(host, ANN, NOON).action is want


@pytest.mark.parametrize(
    ("client", "now", "want"),
    [
        (ANN, NOON, False),
        (ANN, TOMORROW, True),
        (Client("10.0.0.8", "staff", user="bob"), NOON, True),
    ],
)
def test_whoever_has_clicked_through_is_not_reminded_again_that_day(
    client: Client, now: datetime, want: bool
) -> None:
    clicked = Overlay(1, acceptances=frozenset({acceptance(ANN, RULE, NOON)}))
    rules = school(UntilSigned.WARN, clicked)
    assert (rules.decide(ask(client=client), now).reason is Reason.DECLARATION) is want
    # A hold is not lifted by a click.
    assert school(UntilSigned.HOLD, clicked).decide(ask(client=ANN), NOON).rule == RULE


def test_a_suspension_says_more_than_a_declaration() -> None:
    overlay = Overlay(1, suspensions=(suspension("user:ann"),))
    for until in UntilSigned:
        assert school(until, overlay).decide(ask(client=ANN), NOON).reason is Reason.SUSPENDED


@pytest.mark.parametrize(
    ("host", "until", "number"),
    [
        ("example.com", UntilSigned.WARN, 3),
        ("bet.example", UntilSigned.WARN, 8),
        ("bet.example", UntilSigned.HOLD, 3),
        ("example.com", UntilSigned.OFF, 9),
    ],
)
def test_an_explanation_names_the_step(host: str, until: UntilSigned, number: int) -> None:
    steps = explain(school(until), ask(f"https://{host}/", ANN), NOON)
    assert steps[-1].number == number


def test_no_evidence_is_looked_for_in_lists() -> None:
    rules = school(UntilSigned.HOLD)
    page = ask("https://bet.example/", ANN)
    assert rules.evidence(page, rules.decide(page, NOON)) is None
