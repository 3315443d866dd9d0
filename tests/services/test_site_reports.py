"""A reported site is blocked by who may, accidents are told, and nothing else is opened or closed by it."""

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import (
    ReportState,
)
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError
from schoolgate.core.policy import Reason, Verdict
from schoolgate.services.approvals import Approvals
from schoolgate.storage import DecisionStore
from tests.core.policy.example import ask
from tests.services.requested import (
    HEAD,
    LEAD,
    NINE,
    OTHER_TEACHER,
    TEACHER,
    mails,
    school,
)


def test_a_reported_site_is_blocked_at_once_by_the_lead_and_once(
    service: Approvals, database: Engine
) -> None:
    report = service.report_site("https://new.example/a", "It is vile.", TEACHER, NINE)
    with pytest.raises(RefusedError, match="blocked by the online safety lead"):
        service.handle_report(report.id, ReportState.BLOCKED, "Vile.", TEACHER, NINE)
    service.handle_report(report.id, ReportState.BLOCKED, "Vile.", LEAD, NINE)
    with pytest.raises(RefusedError, match="handled already: blocked"):
        service.handle_report(report.id, ReportState.DISMISSED, "Not vile.", LEAD, NINE)
    store = DecisionStore(database)
    rules = school().with_overlay(store.overlay(NINE))
    decision = rules.decide(ask("https://www.new.example/b"), NINE)
    assert (decision.verdict, decision.reason, decision.rule) == (
        Verdict.BLOCK, Reason.LOCAL_BLOCK, "site-block",
    )  # fmt: skip
    assert rules.decide_host("new.example", Client("10.0.0.7", "pupils"), NINE).decision is decision
    [block] = store.overlay(NINE).blocks
    with pytest.raises(RefusedError, match="give a reason"):
        service.unblock(block.id, " ", LEAD, NINE)
    assert [one.lifted_at for one in service.blocks(LEAD)] == [None]
    service.unblock(block.id, "Another site.", LEAD, NINE)
    [lifted] = service.blocks(LEAD)
    assert (lifted.report, lifted.lifted_at, lifted.lifted_because) == (
        report.id, NINE, "Another site.",
    )  # fmt: skip
    assert service.blocks(TEACHER) == [lifted]
    assert service.blocks(OTHER_TEACHER) == []
    assert store.overlay(NINE).blocks == ()
    assert service.reports(OTHER_TEACHER) == []
    assert [r.state for r in service.reports(LEAD)] == [ReportState.BLOCKED]


def test_a_help_line_is_not_blocked_by_one_step(service: Approvals, database: Engine) -> None:
    report = service.report_site("https://help.example", "I do not like it.", TEACHER, NINE)
    with pytest.raises(RefusedError, match=r"always reachable by the policy \(C-2\)"):
        service.handle_report(report.id, ReportState.BLOCKED, "Why not.", LEAD, NINE)
    assert DecisionStore(database).overlay(NINE).blocks == ()
    service.handle_report(report.id, ReportState.DISMISSED, "It helps.", LEAD, NINE)


def test_an_accident_is_recorded_and_told_to_who_must_know(
    service: Approvals, database: Engine
) -> None:
    made = service.record_accident("https://games.example/x", "", "client:10.0.0.7", NINE)
    assert service.accidents(NINE, HEAD) == [made]
    assert mails(database) == [("role:dsl", "Somebody came upon a blocked site by accident")]
    with pytest.raises(RefusedError, match="who receives incidents"):
        service.accidents(NINE, TEACHER)
