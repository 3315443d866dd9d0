"""What a gateway has around the filter: trust, the other of a pair, devices at home, programs it tells."""

from deploy.dashboards.board import HERE, Kind, Panel, Query


def _number(title: str, said: str, expr: str, unit: str = "locale", **bad: float | bool) -> Panel:
    queries = [Query(expr, "{{instance}}")]
    return Panel(title, said, queries, unit, Kind.NUMBER, width=4, height=5, **bad)  # type: ignore[arg-type]


SURROUNDINGS = (
    _number(
        "Bundle in force",
        "Version of the trust's policies and lists; 0 is none, and then the school's policy lacks its base. "
        "Empty without a trust.",
        f"max by (instance) (schoolgate_bundle_version{{{HERE}}})",
        "none",
        bad=1,
        falls=True,
    ),
    _number(
        "The bundle is good for",
        "It stays in force afterwards, an old filter: the centre lets out no newer one, or it is not had.",
        f"min by (instance) (schoolgate_bundle_expiry_seconds{{{HERE}}}) - time()",
        "s",
        bad=7 * 86_400,
        falls=True,
    ),
    _number(
        "Fetches that failed",
        "Of bundles, since the last good one; every quarter of an hour is tried again "
        "(schoolgate bundle status).",
        f"max by (instance) (schoolgate_bundle_failures{{{HERE}}})",
        bad=4,
    ),
    _number(
        "Has the pair's address",
        "Of two gateways exactly one has it. None: the school has no web. Both: they do not hear each "
        "other. Empty without a pair.",
        f"max by (instance) (schoolgate_pair_address_held{{{HERE}}})",
        "bool_yes_no",
    ),
    _number(
        "Requests kept here",
        "For access; they wait on this gateway, as the database is away, and are sent when it is back.",
        f"sum by (instance) (schoolgate_kept_requests{{{HERE}}})",
        bad=1,
    ),
    _number(
        "Devices at home",
        "Whose tunnel is open. Empty where none is served.",
        f"sum by (instance) (schoolgate_tunnels_open{{{HERE}}})",
    ),
    Panel(
        "Refused in tunnels",
        "A second, by what it was: names over TLS and QUIC are usual; others' addresses and floods are not.",
        [
            Query(
                f"sum by (kind) (rate(schoolgate_tunnel_refused_total{{{HERE}}}[$__rate_interval]))",
                "{{kind}}",
            )
        ],
        "cps",
    ),
    Panel(
        "Programs told of alerts",
        "By webhook: what it was told, and what it will never be told of. Empty where none is named.",
        [
            Query(
                "sum by (webhook, result) "
                f"(increase(schoolgate_webhook_deliveries_total{{{HERE}}}[$__rate_interval]))",
                "{{webhook}} {{result}}",
            )
        ],
        "short",
    ),
    Panel(
        "Oldest alert not told",
        "By webhook: a program of the school's that is away knows of nothing; the portal and mail do.",
        [
            Query(
                f"max by (webhook) (schoolgate_webhook_oldest_seconds{{{HERE}}})",
                "{{webhook}}",
            )
        ],
        "s",
        bad=600,
    ),
)
