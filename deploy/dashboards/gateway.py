"""Gateway: is it filtering, how much, how fast, how full, what fails; for the technician."""

from deploy.dashboards.board import HERE, Board, Kind, Panel, Query
from deploy.dashboards.surroundings import SURROUNDINGS


def _rate(by: str, counter: str) -> str:
    return f"sum by ({by}) (rate({counter}{{{HERE}}}[$__rate_interval]))"


def _risen(by: str, counter: str, within: str = "$__rate_interval") -> str:
    return f"sum by ({by}) (increase({counter}{{{HERE}}}[{within}]))"


def _quantile(share: float, metric: str) -> str:
    within = f"sum by (instance, le) (rate({metric}_bucket{{{HERE}}}[$__rate_interval]))"
    return f"histogram_quantile({share}, {within})"


FILTERING = (
    Panel(
        "Workers not serving",
        "One that ended or hung is replaced within 2 seconds; clients of one that is missing get no answer.",
        [Query(f"sum by (instance) (1 - schoolgate_worker_up{{{HERE}}})", "{{instance}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
        height=4,
    ),
    Panel(
        "Parts not serving",
        "Portal, jobs and tunnels. Filtering goes on without them.",
        [Query(f"sum by (instance) (1 - schoolgate_service_up{{{HERE}}})", "{{instance}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
        height=4,
    ),
    Panel(
        "Faults of the filter",
        "Bugs, in the time shown. What each was about was blocked.",
        [
            Query(
                _risen("instance", "schoolgate_filter_errors_total", "$__range"),
                "{{instance}}",
            )
        ],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
        height=4,
    ),
    Panel(
        "Lines of the journal lost",
        "In the time shown; the disk was full or too slow.",
        [
            Query(
                _risen("instance", "schoolgate_journal_dropped_total", "$__range"),
                "{{instance}}",
            )
        ],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
        height=4,
    ),
    Panel(
        "The CA ends in",
        "After that no site that is read opens on any device (schoolgate ca renew).",
        [
            Query(
                f"min by (instance) (schoolgate_ca_expiry_seconds{{{HERE}}}) - time()",
                "{{instance}}",
            )
        ],
        "s",
        Kind.NUMBER,
        bad=30 * 86_400,
        falls=True,
        width=4,
        height=4,
    ),
    Panel(
        "Policy in force",
        "Its version on the worker that is behind; it grows with each change of policy or lists.",
        [Query(f"min by (instance) (schoolgate_policy_version{{{HERE}}})", "{{instance}}")],
        "none",
        Kind.NUMBER,
        width=4,
        height=4,
    ),
)
TRAFFIC = (
    Panel(
        "Requests",
        "Decisions a second, by verdict.",
        [Query(_rate("verdict", "schoolgate_requests_total"), "{{verdict}}")],
        "reqps",
        Kind.STACK,
    ),
    Panel(
        "TLS connections",
        "A second, by what was decided of them: read, passed unread, or refused.",
        [Query(_rate("tls", "schoolgate_connections_total"), "{{tls}}")],
        "cps",
        Kind.STACK,
    ),
    Panel(
        "Bytes",
        "Of bodies and tunnels that have ended, a second.",
        [Query(_rate("direction", "schoolgate_bytes_total"), "{{direction}}")],
        "Bps",
    ),
)
LATENCY = (
    Panel(
        "Time to decide",
        "The slower half and the slowest hundredth of decisions. Microseconds are usual.",
        [
            Query(_quantile(0.5, "schoolgate_decision_seconds"), "{{instance}} p50"),
            Query(_quantile(0.99, "schoolgate_decision_seconds"), "{{instance}} p99"),
        ],
        "s",
        bad=0.005,
        width=6,
    ),
    Panel(
        "Time of requests",
        "From the request to the end of the answer; mostly the site's own.",
        [
            Query(_quantile(0.5, "schoolgate_request_seconds"), "{{instance}} p50"),
            Query(_quantile(0.95, "schoolgate_request_seconds"), "{{instance}} p95"),
        ],
        "s",
        width=6,
    ),
    Panel(
        "How late the workers are",
        "The slowest hundredth of what was due. At 1.2 seconds a worker is taken for hung and replaced.",
        [Query(_quantile(0.99, "schoolgate_worker_late_seconds"), "{{instance}} p99")],
        "s",
        bad=0.25,
        width=6,
    ),
    Panel(
        "From a decision to an open site",
        "How long what was approved took to the workers. 2 seconds are promised.",
        [Query(f"schoolgate:grant_propagation_seconds:p95_1d{{{HERE}}}", "{{instance}} p95")],
        "s",
        bad=2,
        width=6,
    ),
)
SATURATION = (
    Panel(
        "Processors",
        "Processors that each process keeps busy; one worker cannot use more than one.",
        [Query(_rate("instance, process", "schoolgate_process_cpu_seconds_total"), "{{process}}")],
        "percentunit",
        bad=0.9,
        width=6,
    ),
    Panel(
        "Memory",
        "In RAM, by process; what processes share counts for each.",
        [Query(f"schoolgate_process_resident_bytes{{{HERE}}}", "{{process}}")],
        "bytes",
        bad=2e9,
        width=6,
    ),
    Panel(
        "Open files",
        "Files and sockets of each process, as a share of what it may open.",
        [
            Query(
                f"schoolgate_process_open_fds{{{HERE}}} / ignoring (process) group_left "
                f"schoolgate_process_max_fds{{{HERE}}}",
                "{{process}}",
            )
        ],
        "percentunit",
        bad=0.8,
        width=6,
    ),
    Panel(
        "Clients and connections",
        "Addresses with an open connection, and how many connections they have.",
        [
            Query(f"sum by (instance) (schoolgate_worker_clients{{{HERE}}})", "clients"),
            Query(f"sum by (instance) (schoolgate_connections_open{{{HERE}}})", "connections"),
        ],
        "short",
        width=6,
    ),
)
ERRORS = (
    Panel(
        "Workers replaced",
        "Those that had ended or hung. Once is an accident, often is a fault.",
        [
            Query(
                _risen("instance, worker", "schoolgate_worker_restarts_total"), "worker {{worker}}"
            )
        ],
        "short",
        bad=1,
        width=6,
    ),
    Panel(
        "Faults",
        "Of the filter, the database, changed files, and the sources that say who is where.",
        [
            Query(f"sum by (instance) (increase({metric}{{{HERE}}}[$__rate_interval]))", name)
            for metric, name in (
                ("schoolgate_filter_errors_total", "filter"),
                ("schoolgate_store_errors_total", "database"),
                ("schoolgate_reload_errors_total", "files"),
                ("schoolgate_identity_faults_total", "who is where"),
            )
        ],
        "short",
        bad=1,
        width=6,
    ),
    Panel(
        "Answers of the portal",
        "A second, by kind; 5xx are faults.",
        [Query(_rate("status", "schoolgate_portal_requests_total"), "{{status}}")],
        "reqps",
        width=6,
    ),
    Panel(
        "Journal and mail that wait",
        "Lines to be written, and mails to be sent.",
        [
            Query(f"sum by (instance) (schoolgate_journal_waiting{{{HERE}}})", "lines"),
            Query(f"sum by (instance) (schoolgate_mail_waiting{{{HERE}}})", "mails"),
        ],
        "short",
        width=6,
    ),
)
JOURNAL = (
    Panel(
        "Days not closed",
        "Before yesterday, with lines that are not in their table: what is due of them is not deleted.",
        [Query(f"max by (instance) (schoolgate_journal_unclosed{{{HERE}}})", "{{instance}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
    ),
    Panel(
        "Receivers not taking",
        "Of those to whom the journal is taken; what they did not take waits. Empty where none is named.",
        [Query(f"sum by (instance) (1 - schoolgate_shipping_up{{{HERE}}})", "{{instance}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
    ),
    Panel(
        "Lines never sent",
        "In the time shown: refused for what they are, torn, or deleted before. The journal had them.",
        [Query(_risen("to", "schoolgate_shipping_dropped_total", "$__range"), "{{to}}")],
        "locale",
        Kind.NUMBER,
        bad=1,
        width=4,
    ),
    Panel(
        "Size of the journal",
        "On the disk: lines as they are written, tables of closed days, and what they count to.",
        [Query(f"sum by (form) (schoolgate_journal_bytes{{{HERE}}})", "{{form}}")],
        "bytes",
        Kind.STACK,
        width=12,
    ),
    Panel(
        "Lines sent",
        "A second, by receiver; one that is sent again counts again.",
        [Query(_rate("to", "schoolgate_shipping_lines_total"), "{{to}}")],
        "cps",
        width=12,
    ),
    Panel(
        "Still to be sent",
        "Of the journal, by receiver. It grows while one is away or too slow.",
        [Query(f"max by (to) (schoolgate_shipping_behind_bytes{{{HERE}}})", "{{to}}")],
        "bytes",
        bad=100e6,
        width=12,
    ),
)

GATEWAY = Board(
    "schoolgate-gateway",
    "Schoolgate: Gateway",
    "Is the gateway filtering, how much, how fast, how full, and what fails. For the technician.",
    (
        ("Is it filtering?", FILTERING),
        ("Traffic", TRAFFIC),
        ("Latency", LATENCY),
        ("Saturation", SATURATION),
        ("Errors", ERRORS),
        ("The journal, here and elsewhere", JOURNAL),
        ("Trust, pair, tunnels and programs", SURROUNDINGS),
    ),
)
