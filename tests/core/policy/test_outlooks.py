"""What rules about parts and methods of a host mean for a connection to it."""

from typing import Any

import pytest

from schoolgate.core.policy import Inspection, InspectionMode, Never, Rule, TlsAction, Verdict
from tests.core.policy.example import NOON, PUPIL, engine, hosts

NEEDED = Inspection(InspectionMode.NEEDED)


@pytest.mark.parametrize(
    ("section", "conditions", "want"),
    [
        ("locked", {"methods": frozenset({"POST"})}, TlsAction.DECRYPT),
        ("locked", {"hosts": hosts("x.example/a")}, TlsAction.DECRYPT),
        # What is no lock does not have correspondence read.
        ("rules", {"methods": frozenset({"POST"})}, TlsAction.PASS),
        ("rules", {"hosts": hosts("x.example/a")}, TlsAction.PASS),
    ],
)
def test_what_nobody_may_lift_is_carried_out_on_a_host_that_is_never_read_otherwise(
    section: str, conditions: dict[str, Any], want: TlsAction
) -> None:
    never = Never("C-N", hosts=hosts("x.example"))
    mail = Rule("mail", "C-8", Verdict.BLOCK, **conditions)
    sections: dict[str, Any] = {section: (mail,)}
    built = engine(inspection=Inspection(InspectionMode.NEEDED, (never,)), **sections)
    assert built.decide_host("x.example", PUPIL, NOON).action is want


def test_a_method_that_is_decided_otherwise_has_a_host_read() -> None:
    posts = Rule("posts", "C-8", Verdict.BLOCK, methods=frozenset({"POST"}))
    answer = engine(rules=(posts,), inspection=NEEDED).decide_host("x.example", PUPIL, NOON)
    assert (answer.action, answer.needs) == (TlsAction.DECRYPT, ("methods",))
