"""Safeguarding: how many alerts of which theme and severity; who they are about is nowhere in the figures."""

from deploy.dashboards.board import HERE, Board, Kind, Panel, Query, Variable

_ALERTS = f'schoolgate_alerts_total{{{HERE}, theme=~"$theme"}}'

SAFEGUARDING = Board(
    "schoolgate-safeguarding",
    "Schoolgate: Safeguarding",
    "How many alerts of which theme and severity. Who they are about is told in the portal, to those whom "
    "it is for.",
    (
        (
            "Alerts",
            (
                Panel(
                    "By severity",
                    "In the time shown. For danger the person in charge was told at once.",
                    [Query(f"sum by (severity) (increase({_ALERTS}[$__range]))", "{{severity}}")],
                    "locale",
                    Kind.NUMBER,
                ),
                Panel(
                    "By theme",
                    "In the time shown.",
                    [Query(f"sum by (theme) (increase({_ALERTS}[$__range]))", "{{theme}}")],
                    "locale",
                    Kind.BARS,
                ),
                Panel(
                    "Open incidents",
                    "By severity; the portal shows whose each is.",
                    [
                        Query(
                            f"sum by (severity) (schoolgate_incidents_open{{{HERE}}})",
                            "{{severity}}",
                        )
                    ],
                    "locale",
                    Kind.NUMBER,
                    bad=1,
                    width=4,
                ),
                Panel(
                    "Requests nobody looked at",
                    "In the time shown, because too many waited: a sign of harm in them is not known of.",
                    [
                        Query(
                            f"sum by (instance) (increase(schoolgate_signs_missed_total{{{HERE}}}"
                            "[$__range]))",
                            "{{instance}}",
                        )
                    ],
                    "locale",
                    Kind.NUMBER,
                    bad=1,
                    width=4,
                ),
                Panel(
                    "Over time",
                    "Alerts within the step shown, by severity.",
                    [
                        Query(
                            f"sum by (severity) (increase({_ALERTS}[$__rate_interval]))",
                            "{{severity}}",
                        )
                    ],
                    "short",
                    Kind.STACK,
                    width=16,
                ),
                Panel(
                    "Attempts to get round the filter",
                    "In the time shown, by way; too many by one person become an alert.",
                    [
                        Query(
                            f"sum by (kind) (increase(schoolgate_circumvention_total{{{HERE}}}"
                            "[$__range]))",
                            "{{kind}}",
                        )
                    ],
                    "locale",
                    Kind.BARS,
                ),
            ),
        ),
    ),
    (Variable("theme", "Theme", "schoolgate_alerts_total"),),
    since="now-7d",
)
