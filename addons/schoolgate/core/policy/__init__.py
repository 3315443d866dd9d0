"""The policy decision point: a school's rules as values, and the engine that carries them out."""

from schoolgate.core.policy.decision import Decision, Reason, Verdict, strictest
from schoolgate.core.policy.engine import PolicyEngine, Step
from schoolgate.core.policy.inspection import (
    HostDecision,
    Inspection,
    InspectionMode,
    Need,
    Never,
    TlsAction,
)
from schoolgate.core.policy.model import Clause, Enforcement, Policy, Rule
from schoolgate.core.policy.request import WebRequest

__all__ = [
    "Clause",
    "Decision",
    "Enforcement",
    "HostDecision",
    "Inspection",
    "InspectionMode",
    "Need",
    "Never",
    "Policy",
    "PolicyEngine",
    "Reason",
    "Rule",
    "Step",
    "TlsAction",
    "Verdict",
    "WebRequest",
    "strictest",
]
