"""The answer on a request together with that on what it asks a service to fetch."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from schoolgate.core.policy.decision import Decision, strictest
from schoolgate.core.policy.engine import PolicyEngine
from schoolgate.core.policy.request import WebRequest


def stricter_inside(
    engine: PolicyEngine, decision: Decision, inside: Iterable[WebRequest], now: datetime
) -> tuple[Decision, WebRequest | None]:
    """Give the strictest answer on a request and on what it asks a service to fetch.

    Args:
        engine: the rules.
        decision: on the request itself.
        inside: as `PolicyEngine.inside` gives it.
        now: when, aware.

    Returns:
        The answer, which obliges to what the request itself is obliged to, and what it is about where
        that lies inside.
    """
    stricter: WebRequest | None = None
    strictest_of_all = decision
    for inner in inside:
        answer = engine.decide(inner, now)
        if strictest((strictest_of_all, answer)) is answer is not strictest_of_all:
            strictest_of_all, stricter = answer, inner
    if stricter is None:
        return decision, None
    if strictest_of_all.obligations == decision.obligations:
        return strictest_of_all, stricter
    return replace(strictest_of_all, obligations=decision.obligations), stricter
