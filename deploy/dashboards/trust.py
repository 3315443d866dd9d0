"""Trust: all schools beside each other, by the label ``school`` that Prometheus gives each gateway."""

from deploy.dashboards.board import CENTRE, HERE, Board, Kind, Panel, Query, Variable

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
BUNDLES = (
    _each(
        "Bundle in force",
        "Version of the trust's policies and lists; a school that stays behind fetches nothing. 0 is none.",
        f"min by (school) (schoolgate_bundle_version{{{_HERE}}})",
        "none",
    ),
    _each(
        "Age of the bundle",
        "Since it was let out at the centre.",
        f"max by (school) (schoolgate_bundle_age_seconds{{{_HERE}}})",
        "s",
        90 * 86_400,
    ),
    _each(
        "Fetches that failed",
        "Of bundles, since the last good one; every quarter of an hour is tried again.",
        f"max by (school) (schoolgate_bundle_failures{{{_HERE}}})",
        "locale",
        4,
    ),
    _each(
        "Journal still to be sent",
        "To the leaf beside the gateway, or another receiver: what is slowest.",
        f"max by (school) (schoolgate_shipping_behind_bytes{{{_HERE}}})",
        "bytes",
        100e6,
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

CENTRES_OWN = (
    Panel(
        "Gateways of the trust",
        "Enrolled, revoked by central IT, or with a certificate that ended without being renewed.",
        [Query(f"sum by (state) (schoolgate_centre_gateways{{{CENTRE}}})", "{{state}}")],
        "locale",
        Kind.NUMBER,
        width=8,
        height=5,
    ),
    Panel(
        "What is served is believed for",
        "Without a daily 'schoolgate trust bundle refresh' it falls; at 0 no gateway takes anything new.",
        [Query(f"min(schoolgate_centre_metadata_expiry_seconds{{{CENTRE}}}) - time()", "bundles")],
        "s",
        Kind.NUMBER,
        bad=4 * 86_400,
        falls=True,
        width=8,
        height=5,
    ),
    Panel(
        "Of journals, never came",
        "Later lines came and these did not: a leaf forgot them. The gateway's own journal has them.",
        [Query(f"sum(schoolgate_gathered_missing_bytes{{{CENTRE}}})", "bytes")],
        "bytes",
        Kind.NUMBER,
        bad=1,
        width=8,
        height=5,
    ),
    Panel(
        "Lines written into tables",
        "A second, by school, once each.",
        [
            Query(
                f"sum by (school) (rate(schoolgate_gathered_events_total{{{CENTRE}}}[$__rate_interval]))",
                "{{school}}",
            )
        ],
        "cps",
        Kind.STACK,
    ),
    Panel(
        "Messages not yet read",
        "In the stream of the centre. It falls while the consumer catches up, and grows while it is away.",
        [Query(f"max(schoolgate_gathered_waiting_messages{{{CENTRE}}})", "messages")],
        "short",
        bad=10_000,
    ),
    Panel(
        "Since the last line",
        "By gateway, since the consumer started. Nights are quiet; one alone that is old is cut off.",
        [
            Query(
                "time() - max by (school, gateway) "
                f"(schoolgate_gathered_last_timestamp_seconds{{{CENTRE}}})",
                "{{school}}/{{gateway}}",
            )
        ],
        "s",
        Kind.BARS,
        bad=86_400,
    ),
)

TRUST = Board(
    "schoolgate-trust",
    "Schoolgate: Trust",
    "All schools of a trust beside each other; no class and no person.",
    (
        ("Each school now", NOW),
        ("What the trust gives and gets", BUNDLES),
        ("Each school over time", TRAFFIC),
        ("The centre", CENTRES_OWN),
    ),
    (Variable("school", "School", "schoolgate_policy_version"),),
    since="now-24h",
)
