"""What a request looks like is closed where no rule says otherwise, for each person."""

import pytest

from schoolgate.core.approvals import Overlay, Role
from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import Reason, Rule, Shape, TlsAction, Verdict, WebRequest
from schoolgate.core.policy.shapes import shapes_of_host
from schoolgate.core.urls import parse_url
from tests.core.policy.example import NOON, PUPIL, TEACHER, ask, engine, grant, hosts, listed

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("example.com", ()),
        ("1.example", ()),
        ("example.c0m1", ()),
        ("", ()),
        (PUBLIC, (Shape.ADDRESS,)),
        ("[2606:4700:4700::1111]", (Shape.ADDRESS,)),
        # Whether these may be reached is for whoever keeps the network.
        ("10.0.0.1", ()),
        ("127.0.0.1", ()),
        ("[::1]", ()),
        ("[::ffff:10.0.0.1]", ()),
        ("[64:ff9b::5db8:d70e]", (Shape.ADDRESS,)),
    ],
)
def test_a_public_address_is_a_shape_of_its_own(host: str, want: tuple[Shape, ...]) -> None:
    assert shapes_of_host(host) == want


@pytest.mark.parametrize(
    "written",
    [
        PUBLIC,
        f"{PUBLIC}.",
        "0x5db8d70e",
        "1572394766",
        "93.184.55054",
        "93.12113678",
        "0135.0270.0327.016",
        "0x5d.0270.215.0xe",
        "%39" + PUBLIC[1:],
        "\uff19\uff13.184.215.14",
        "93\u3002184\u3002215\u300214",
        "[::ffff:93.184.215.14]",
        "[64:ff9b::5db8:d70e]",
        "[2606:4700:4700::1111]",
    ],
)
def test_an_address_is_closed_however_it_is_written(written: str) -> None:
    decision = engine().decide(ask(f"http://{written}/"), NOON)
    assert (decision.verdict, decision.reason) == (Verdict.BLOCK, Reason.CIRCUMVENTION)
    assert (decision.shape, decision.clause) == (Shape.ADDRESS, "gateway-address")


@pytest.mark.parametrize(
    "written", ["[fe80::1%25eth0]", "[2606:4700:4700::1111%25eth0]", "93.184.215.256", "1.2.3.4.5"]
)
def test_what_only_looks_like_an_address_is_no_url(written: str) -> None:
    with pytest.raises(BadAddressError):
        ask(f"http://{written}/")


@pytest.mark.parametrize("shape", Shape)
def test_each_shape_is_closed_and_the_page_says_why(shape: Shape) -> None:
    built = engine()
    request = WebRequest(parse_url("https://example.com/"), PUPIL, shapes=(shape,))
    decision = built.decide(request, NOON)
    assert (decision.verdict, decision.shape) == (Verdict.BLOCK, shape)
    assert decision.note
    assert built.decide_host("example.com", PUPIL, NOON, (shape,)).action is TlsAction.REFUSE
    assert built.decide_host("example.com", PUPIL, NOON).action is not TlsAction.REFUSE


def test_a_rule_closes_it_under_a_clause_of_the_school() -> None:
    rule = Rule("round", "C-8", Verdict.BLOCK, ("vpn",), shapes=(Shape.DOH, Shape.ADDRESS))
    built = engine([listed("vpn.example", "vpn")], circumvention=(rule,))
    decision = built.decide(ask(f"http://{PUBLIC}/"), NOON)
    assert (decision.clause, decision.rule, decision.shape) == ("C-8", "round", Shape.ADDRESS)
    by_list = built.decide(ask("https://vpn.example/"), NOON)
    assert (by_list.clause, by_list.category, by_list.shape) == ("C-8", "vpn", None)


def test_a_rule_opens_it_for_whom_it_is_about_and_nobody_else() -> None:
    rule = Rule("old", "C-8", Verdict.MONITOR, groups=frozenset({"staff"}), shapes=(Shape.OLD_TLS,))
    built = engine(rules=(rule,))
    shapes = (Shape.OLD_TLS,)
    assert built.decide_host("example.com", TEACHER, NOON, shapes).decision.rule == "old"
    assert built.decide_host("example.com", PUPIL, NOON, shapes).action is TlsAction.REFUSE


def test_no_help_line_and_no_list_of_the_school_opens_a_shape() -> None:
    always = Rule("help", "C-1", Verdict.ALLOW, hosts=hosts("help.example"))
    built = engine(always_reachable=(always,))
    request = WebRequest(parse_url("https://help.example/dns-query"), PUPIL, shapes=(Shape.DOH,))
    assert built.decide(request, NOON).verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("role", "want"), [(Role.HEADTEACHER, Verdict.ALLOW), (Role.TECHNICIAN, Verdict.BLOCK)]
)
def test_the_headteacher_may_open_an_address(role: Role, want: Verdict) -> None:
    built = engine(overlay=Overlay(grants=(grant(PUBLIC, decided_by=role),)))
    assert built.decide(ask(f"http://{PUBLIC}/"), NOON).verdict is want
