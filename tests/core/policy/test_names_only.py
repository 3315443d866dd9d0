"""Who trusts no certificate of the gateway's is settled by name, and told what is lost."""

from dataclasses import replace

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Inspection,
    InspectionMode,
    NamesOnly,
    TlsAction,
)
from tests.core.policy.example import (
    NOON,
    engine,
    grant,
    listed,
)
from tests.core.policy.inspected import MEDIA, RULES

ONLY = (NamesOnly("C-N", networks=frozenset({"byod"})),)
GUEST = Client("10.0.0.9", "pupils", network="byod")


@pytest.mark.parametrize(
    ("host", "want", "says"),
    [
        ("school.example", TlsAction.PASS, "Nothing is decrypted here, under C-N."),
        ("games.example", TlsAction.REFUSE, "It is blocked under C-games"),
        ("cloud.example", TlsAction.REFUSE, "It is open only after a page of ours"),
        # What only reading could carry out is said to be lost.
        ("unknown.example", TlsAction.PASS, "not carried out is media"),
        ("part.example", TlsAction.PASS, "not carried out is paths"),
        ("93.184.215.14", TlsAction.REFUSE, "gateway-address"),
    ],
)
def test_who_trusts_no_certificate_of_ours_is_settled_by_name(
    host: str, want: TlsAction, says: str
) -> None:
    lists = [
        listed("games.example"),
        listed("cloud.example", "cloud"),
        listed("school.example", "school"),
        listed("part.example", "school"),
        listed("part.example/games", "games"),
    ]
    inspection = Inspection(InspectionMode.NEEDED, needs=(MEDIA,), names_only=ONLY)
    built = engine(lists, rules=RULES, inspection=inspection)
    answer = built.decide_host(host, GUEST, NOON)
    assert (answer.action, answer.by_alert) == (want, True)
    assert says in answer.because
    # The same people elsewhere trust the gateway.
    elsewhere = built.decide_host(host, replace(GUEST, network="wired"), NOON)
    assert not elsewhere.by_alert


def test_a_grant_opens_a_site_for_whom_nothing_is_read() -> None:
    inspection = Inspection(InspectionMode.ALL, names_only=ONLY)
    built = engine(
        [listed("games.example")],
        rules=RULES,
        inspection=inspection,
        overlay=Overlay(grants=(grant("games.example"),)),
    )
    assert built.decide_host("games.example", GUEST, NOON).action is TlsAction.PASS
