"""The policy decision point: a school's rules as values, and the engine that carries them out."""

from schoolgate.core.approvals import Roles
from schoolgate.core.policy.budgets import NO_BUDGET, Budget
from schoolgate.core.policy.carriers import Carrier
from schoolgate.core.policy.cases import Case, Given
from schoolgate.core.policy.contents import Content, ContentRule, ContentRules
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
from schoolgate.core.policy.inside import stricter_inside
from schoolgate.core.policy.inspection import (
    HostDecision,
    Inspection,
    InspectionMode,
    NamesOnly,
    Need,
    Never,
    TlsAction,
)
from schoolgate.core.policy.model import (
    LOCKED_CLAUSE,
    NO_PERIOD,
    AttemptTerms,
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
from schoolgate.core.policy.safeguards import ConcernRoutes, Safeguard, safeguard_for
from schoolgate.core.policy.searches import KeptSearches, Searching
from schoolgate.core.policy.shapes import Shape

__all__ = [
    "LOCKED_CLAUSE",
    "NO_BUDGET",
    "NO_PERIOD",
    "AttemptTerms",
    "Budget",
    "Carrier",
    "Case",
    "Circumstances",
    "Clause",
    "ConcernRoutes",
    "Content",
    "ContentRule",
    "ContentRules",
    "Decision",
    "Declaration",
    "Enforcement",
    "Given",
    "Group",
    "HostDecision",
    "Inspection",
    "InspectionMode",
    "KeptSearches",
    "LessonAllowance",
    "Lock",
    "MinimumAge",
    "NamesOnly",
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
    "Safeguard",
    "Searching",
    "Service",
    "Shape",
    "Step",
    "TlsAction",
    "UntilSigned",
    "Verdict",
    "WebRequest",
    "Writing",
    "dead_rules",
    "explain",
    "extend",
    "safeguard_for",
    "stricter_inside",
    "strictest",
    "with_groups_around",
    "with_obligations_of",
]
