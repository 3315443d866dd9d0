"""What people decide by hand: requests, grants, suspensions, registers and the chain of the audit trail."""

from schoolgate.core.approvals.acceptances import (
    Acceptance,
    Signature,
    Signed,
    acceptance,
    school_day,
)
from schoolgate.core.approvals.actions import (
    Action,
    Answer,
    Approve,
    AskBack,
    Decline,
    Notify,
    Revoke,
    Suggest,
    Withdraw,
)
from schoolgate.core.approvals.arrangements import Arrangements, Delegation, Standing, delegate
from schoolgate.core.approvals.grants import Grant
from schoolgate.core.approvals.offers import Offer, notifies, offered
from schoolgate.core.approvals.overlay import Overlay, SiteBlock, Supervision, Suspension, first
from schoolgate.core.approvals.precautions import Precaution, PrecautionKind, RequestTerms
from schoolgate.core.approvals.registers import Accident, ReportBlock, ReportState, SiteReport
from schoolgate.core.approvals.requests import (
    AccessRequest,
    Form,
    HeadDecision,
    Notification,
    Review,
    State,
)
from schoolgate.core.approvals.roles import OPENING, USUAL_ROLES, Actor, Role, Roles
from schoolgate.core.approvals.scope import Scope, widenings
from schoolgate.core.approvals.subjects import Subject, SubjectKind
from schoolgate.core.approvals.workflow import (
    Closed,
    Effect,
    Opened,
    Outcome,
    Replaced,
    Told,
    deciding_role,
    renewed,
    step,
    submit,
)

__all__ = [
    "OPENING",
    "USUAL_ROLES",
    "Acceptance",
    "AccessRequest",
    "Accident",
    "Action",
    "Actor",
    "Answer",
    "Approve",
    "Arrangements",
    "AskBack",
    "Closed",
    "Decline",
    "Delegation",
    "Effect",
    "Form",
    "Grant",
    "HeadDecision",
    "Notification",
    "Notify",
    "Offer",
    "Opened",
    "Outcome",
    "Overlay",
    "Precaution",
    "PrecautionKind",
    "Replaced",
    "ReportBlock",
    "ReportState",
    "RequestTerms",
    "Review",
    "Revoke",
    "Role",
    "Roles",
    "Scope",
    "Signature",
    "Signed",
    "SiteBlock",
    "SiteReport",
    "Standing",
    "State",
    "Subject",
    "SubjectKind",
    "Suggest",
    "Supervision",
    "Suspension",
    "Told",
    "Withdraw",
    "acceptance",
    "deciding_role",
    "delegate",
    "first",
    "notifies",
    "offered",
    "renewed",
    "school_day",
    "step",
    "submit",
    "widenings",
]
