"""Trust: all schools beside each other, by the label ``school`` that Prometheus gives each gateway."""

from deploy.dashboards.board import HERE, Board, Kind, Panel, Query, Variable

_HERE = f'{HERE}, school=~"$school"'


def _each(title: str, said: str, expr: str, unit: str, bad: float | None = None) -> Panel:
    return Panel(title, said, [Query(expr, "{{school}}")], unit, Kind.BARS, bad, width=6)


NOW = (
    Panel(
        "Workers not serving",
        "By school; any is a fault.",
        [Query(f"sum by (school) (1 - schoolgate_worker_up{{{_HERE}}})", "{{school}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=12,
        height=4,
    ),
    Panel(
        "Failing self-tests",
        "By school; any is a way past the filter.",
        [Query(f"sum by (school) (1 - schoolgate_selftest_ok{{{_HERE}}})", "{{school}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=12,
        height=4,
    ),
    _each(
        "Oldest request",
        "How long a request for access has waited.",
        f"max by (school) (schoolgate_access_request_oldest_seconds{{{_HERE}}})",
        "s",
        86_400,
    ),
    _each(
        "Oldest feed",
        "Since it was last put in force.",
        f"max by (school) (schoolgate_feed_age_seconds{{{_HERE}}})",
        "s",
        7 * 86_400,
    ),
    _each(
        "Median time to decide",
        "Of requests for access that were decided within 30 days.",
        f"max by (school) (schoolgate:access_request_decision_seconds:median30d{{{_HERE}}})",
        "s",
        2 * 86_400,
    ),
    _each(
        "Over-blocks",
        "Sites that were blocked and then approved within 30 days.",
        f"sum by (school) (schoolgate:overblocks:increase30d{{{_HERE}}})",
        "locale",
        20,
    ),
)
TRAFFIC = (
    Panel(
        "Requests",
        "Decisions a second.",
        [Query(f"sum by (school) (schoolgate:requests:rate5m{{{_HERE}}})", "{{school}}")],
        "reqps",
    ),
    Panel(
        "Share blocked",
        "Of all decisions.",
        [Query(f"max by (school) (schoolgate:blocked:ratio5m{{{_HERE}}})", "{{school}}")],
        "percentunit",
        bad=0.5,
    ),
    Panel(
        "Alerts",
        "Within the step shown; who they are about is known at that school alone.",
        [
            Query(
                f"sum by (school) (increase(schoolgate_alerts_total{{{_HERE}}}[$__rate_interval]))",
                "{{school}}",
            )
        ],
        "short",
    ),
)

TRUST = Board(
    "schoolgate-trust",
    "Schoolgate: Trust",
    "All schools of a trust beside each other; no class and no person.",
    (("Each school now", NOW), ("Each school over time", TRAFFIC)),
    (Variable("school", "School", "schoolgate_policy_version"),),
    since="now-24h",
)
