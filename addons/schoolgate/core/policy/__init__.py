"""The policy decision point: a school's rules as values, and the engine that carries them out."""

from schoolgate.core.approvals import Roles
from schoolgate.core.policy.cases import Case, Given
from schoolgate.core.policy.dead_rules import dead_rules
from schoolgate.core.policy.decision import (
    Decision,
    Reason,
    Verdict,
    strictest,
    with_obligations_of,
)
from schoolgate.core.policy.engine import PolicyEngine, Question
from schoolgate.core.policy.explanation import Step, explain
from schoolgate.core.policy.inheritance import extend
from schoolgate.core.policy.inspection import (
    HostDecision,
    Inspection,
    InspectionMode,
    Need,
    Never,
    TlsAction,
)
from schoolgate.core.policy.model import (
    NO_PERIOD,
    Circumstances,
    Clause,
    Declaration,
    Enforcement,
    Group,
    LessonAllowance,
    Lock,
    MinimumAge,
    Policy,
    Review,
    Rule,
    UntilSigned,
    with_groups_around,
)
from schoolgate.core.policy.obligations import Obligation, Service, Writing
from schoolgate.core.policy.request import WebRequest

__all__ = [
    "NO_PERIOD",
    "Case",
    "Circumstances",
    "Clause",
    "Decision",
    "Declaration",
    "Enforcement",
    "Given",
    "Group",
    "HostDecision",
    "Inspection",
    "InspectionMode",
    "LessonAllowance",
    "Lock",
    "MinimumAge",
    "Need",
    "Never",
    "Obligation",
    "Policy",
    "PolicyEngine",
    "Question",
    "Reason",
    "Review",
    "Roles",
    "Rule",
    "Service",
    "Step",
    "TlsAction",
    "UntilSigned",
    "Verdict",
    "WebRequest",
    "Writing",
    "dead_rules",
    "explain",
    "extend",
    "strictest",
    "with_groups_around",
    "with_obligations_of",
]
