"""Requests for access: what waits, for how long, and how it goes; for headteacher and online safety lead."""

from deploy.dashboards.board import HERE, Board, Kind, Panel, Query

_DECIDED = f"schoolgate_access_requests_decided_total{{{HERE}}}"

NOW = (
    Panel(
        "Requests that wait",
        "Submitted waits for a review, reviewed for the decision, returned for an answer.",
        [Query(f"sum by (state) (schoolgate_access_requests_open{{{HERE}}})", "{{state}}")],
        "locale",
        Kind.NUMBER,
        width=6,
        height=5,
    ),
    Panel(
        "The oldest has waited for",
        "By state. After a day those whose turn it is are told again.",
        [
            Query(
                f"max by (state) (schoolgate_access_request_oldest_seconds{{{HERE}}})", "{{state}}"
            )
        ],
        "s",
        Kind.NUMBER,
        bad=86_400,
        width=6,
        height=5,
    ),
    Panel(
        "Median time to decide",
        "From the form to the decision, of those decided within 30 days.",
        [Query(f"schoolgate:access_request_decision_seconds:median30d{{{HERE}}}", "{{instance}}")],
        "s",
        Kind.NUMBER,
        bad=2 * 86_400,
        width=6,
        height=5,
    ),
    Panel(
        "Over-blocking budget left",
        "A site that was blocked and then approved was blocked too much. At 0 the policy needs a look.",
        [Query(f"schoolgate:overblocking_budget:left{{{HERE}}}", "{{instance}}")],
        "percentunit",
        Kind.NUMBER,
        bad=0.25,
        falls=True,
        width=6,
        height=5,
    ),
)
HISTORY = (
    Panel(
        "Waiting",
        "Requests that wait, by state.",
        [Query(f"sum by (state) (schoolgate_access_requests_open{{{HERE}}})", "{{state}}")],
        "short",
        Kind.STACK,
    ),
    Panel(
        "Decided",
        "Within the step shown, by outcome.",
        [Query(f"sum by (outcome) (increase({_DECIDED}[$__rate_interval]))", "{{outcome}}")],
        "short",
        Kind.STACK,
    ),
    Panel(
        "Approved and declined, by category",
        "In the time shown. A category that is mostly approved need not be blocked.",
        [
            Query(
                f"sum by (outcome, category) (increase({_DECIDED}[$__range]))",
                "{{category}} {{outcome}}",
            )
        ],
        "locale",
        Kind.TABLE,
    ),
)
GRANTS = (
    Panel(
        "Open sites",
        "Grants in force or to come.",
        [Query(f"min by (instance) (schoolgate_grants_active{{{HERE}}})", "{{instance}}")],
        "short",
    ),
    Panel(
        "Grants that end soon",
        "Within a day and within a week; whoever asked is told three days before.",
        [Query(f"sum by (within) (schoolgate_grants_ending{{{HERE}}})", "within a {{within}}")],
        "short",
    ),
    Panel(
        "Mail that is late",
        "For how long a mail could have been sent that still waits: nobody is told meanwhile.",
        [Query(f"max by (instance) (schoolgate_mail_late_seconds{{{HERE}}})", "{{instance}}")],
        "s",
        bad=3_600,
    ),
)

REQUESTS = Board(
    "schoolgate-requests",
    "Schoolgate: Requests for access",
    "What waits, how it goes, and what is open. For the headteacher and the online safety lead.",
    (("Now", NOW), ("History", HISTORY), ("What is open", GRANTS)),
    since="now-7d",
)
