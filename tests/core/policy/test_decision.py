"""A decision says what happens, why, and under which clause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.policy import Decision, Reason, Verdict, strictest
from schoolgate.core.policy.decision import BAD_URL, FILTER_ERROR, PRIVATE_DESTINATION


@pytest.mark.parametrize(
    ("verdict", "word", "severity", "passes"),
    [
        (Verdict.ALLOW, "allow", 0, True),
        (Verdict.MONITOR, "monitor", 1, True),
        (Verdict.WARN, "warn", 2, False),
        (Verdict.LIMIT, "limit", 3, False),
        (Verdict.BLOCK, "block", 4, False),
    ],
)
def test_verdicts_go_from_the_mildest_to_the_strictest_and_two_of_them_pass(
    verdict: Verdict, word: str, severity: int, passes: bool
) -> None:
    assert (verdict, verdict.severity, verdict.passes) == (word, severity, passes)


_MILDEST_FIRST = ["allow", "monitor", "warn", "limit", "block"]


def test_there_are_five_verdicts() -> None:
    assert [str(verdict) for verdict in Verdict] == _MILDEST_FIRST


def decision(verdict: Verdict, rule: str) -> Decision:
    return Decision(verdict, Reason.CATEGORY, "C-8", rule)


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=6))
def test_the_strictest_is_the_first_of_those_with_the_strictest_verdict(
    verdicts: list[Verdict],
) -> None:
    decisions = [decision(verdict, f"r{number}") for number, verdict in enumerate(verdicts)]
    ranks = [_MILDEST_FIRST.index(verdict) for verdict in verdicts]
    assert strictest(decisions) is decisions[ranks.index(max(ranks))]
    assert strictest(iter(decisions)) is strictest(decisions)


@pytest.mark.parametrize(
    ("made", "reason", "clause"),
    [
        (BAD_URL, "bad_url", "gateway-bad-url"),
        (PRIVATE_DESTINATION, "private_destination", "gateway-private-destination"),
        (FILTER_ERROR, "error", "gateway-error"),
    ],
)
def test_what_the_gateway_decides_for_its_own_safety_blocks_under_a_clause_of_its_own(
    made: Decision, reason: str, clause: str
) -> None:
    assert (made.verdict, made.reason, made.clause) == (Verdict.BLOCK, reason, clause)
    assert made.note.endswith(".")
    assert (made.category, made.categories, made.grant) == (None, (), None)


def test_a_decision_cannot_be_changed_because_everybody_shares_it() -> None:
    with pytest.raises(AttributeError):
        setattr(BAD_URL, "verdict", Verdict.ALLOW)  # noqa: B010  a plain assignment is a type error
