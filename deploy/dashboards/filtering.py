"""Filtering: what is decided, for which groups and when, and on which lists; for the online safety lead."""

from deploy.dashboards.board import HERE, Board, Kind, Panel, Query, Variable

_CHOSEN = f'{HERE}, group=~"$group", category=~"$category"'


def _rate(labels: str, more: str = "") -> str:
    return (
        f"sum by ({labels}) (rate(schoolgate_requests_total{{{_CHOSEN}{more}}}[$__rate_interval]))"
    )


def _in_range(labels: str, more: str = "") -> str:
    return f"sum by ({labels}) (increase(schoolgate_requests_total{{{_CHOSEN}{more}}}[$__range]))"


VERDICTS = (
    Panel(
        "Verdicts",
        "Decisions a second, of the groups and categories chosen above.",
        [Query(_rate("verdict"), "{{verdict}}")],
        "reqps",
        Kind.STACK,
    ),
    Panel(
        "Share blocked",
        "Of all decisions. A sudden rise is a list that blocks too much, or a program that tries again.",
        [Query(f"schoolgate:blocked:ratio5m{{{HERE}}}", "{{instance}}")],
        "percentunit",
        bad=0.5,
    ),
    Panel(
        "Share uncategorised",
        "Of all decisions within an hour: sites that no list knows.",
        [Query(f"schoolgate:uncategorised:ratio1h{{{HERE}}}", "{{instance}}")],
        "percentunit",
    ),
    Panel(
        "Blocked, by group",
        "A second.",
        [Query(_rate("group", ', verdict="block"'), "{{group}}")],
        "reqps",
        Kind.STACK,
    ),
    Panel(
        "Blocked, by period",
        "A second, by the period of the timetable; none is outside all of them.",
        [
            Query(
                "label_replace("
                + _rate("period", ', verdict="block"')
                + ', "period", "none", "period", "")',
                "{{period}}",
            )
        ],
        "reqps",
        Kind.STACK,
    ),
    Panel(
        "Blocked, by category",
        "A second; the ten categories that are blocked most.",
        [Query(f"topk(10, {_rate('category', ', verdict="block"')})", "{{category}}")],
        "reqps",
    ),
)
TOP = (
    Panel(
        "Most blocked categories",
        "How often, in the time shown.",
        [Query(f"topk(10, {_in_range('category', ', verdict="block"')})", "{{category}}")],
        "locale",
        Kind.BARS,
    ),
    Panel(
        "Most asked categories",
        "How often, in the time shown, whatever was decided.",
        [Query(f"topk(10, {_in_range('category')})", "{{category}}")],
        "locale",
        Kind.BARS,
    ),
    Panel(
        "Groups and verdicts",
        "How often, in the time shown.",
        [Query(_in_range("group, verdict"), "{{group}} {{verdict}}")],
        "locale",
        Kind.TABLE,
    ),
)
CONTENTS = (
    Panel(
        "Texts that say what they are",
        "Pages that no list knows whose words say a category, within the step shown, by what was decided.",
        [
            Query(
                f"sum by (category, verdict) (increase(schoolgate_texts_judged_total{{{HERE}}}"
                "[$__rate_interval]))",
                "{{category}} {{verdict}}",
            )
        ],
        "short",
        Kind.STACK,
        width=12,
    ),
    Panel(
        "Answers stopped for what they are",
        "Live streams, long clips, downloads and texts within the step shown, by clause of the policy.",
        [
            Query(
                f"sum by (clause) (increase(schoolgate_contents_stopped_total{{{HERE}}}"
                "[$__rate_interval]))",
                "{{clause}}",
            )
        ],
        "short",
        Kind.STACK,
        width=12,
    ),
)
ROUND = (
    Panel(
        "Circumvention",
        "Attempts to get round the filter within the step shown, by way. All were stopped.",
        [
            Query(
                f"sum by (kind) (increase(schoolgate_circumvention_total{{{HERE}}}"
                "[$__rate_interval]))",
                "{{kind}}",
            )
        ],
        "short",
        Kind.STACK,
        width=12,
    ),
    Panel(
        "Self-test",
        "1 where what must be blocked is blocked, by check; the lowest of all groups.",
        [Query(f"min by (instance, check) (schoolgate_selftest_ok{{{HERE}}})", "{{check}}")],
        "bool_yes_no",
        bad=1,
        falls=True,
        width=6,
    ),
    Panel(
        "Self-test, by group",
        "Checks that fail, for each group: nobody may rely on the filter for a group that has any.",
        [Query(f"sum by (instance, group) (1 - schoolgate_selftest_ok{{{HERE}}})", "{{group}}")],
        "short",
        bad=1,
        width=6,
    ),
    Panel(
        "Age of the self-test",
        "Since it last ended a round; it begins one each minute.",
        [
            Query(
                f"time() - max by (instance) (schoolgate_selftest_time_seconds{{{HERE}}})",
                "{{instance}}",
            )
        ],
        "s",
        bad=240,
        width=12,
    ),
    Panel(
        "Streaming",
        "Time of films and music within the step shown, by group and by whether they ran or were stopped.",
        [
            Query(
                "sum by (group, outcome) (increase(schoolgate_stream_seconds_total"
                f"{{{HERE}}}[$__rate_interval]))",
                "{{group}} {{outcome}}",
            )
        ],
        "s",
        width=12,
    ),
)
LISTS = (
    Panel(
        "Entries in force",
        "Sites of each category, on the worker that has the fewest.",
        [Query(f"topk(10, max by (category) (schoolgate_list_domains{{{HERE}}}))", "{{category}}")],
        "locale",
        Kind.BARS,
    ),
    Panel(
        "Age of feeds",
        "Since each was last fetched and put in force. A week is too old.",
        [Query(f"max by (feed) (schoolgate_feed_age_seconds{{{HERE}}})", "{{feed}}")],
        "s",
        bad=7 * 86_400,
    ),
    Panel(
        "Held feeds",
        "Lists of each of which a new version differs so much that somebody must look at it.",
        [Query(f"max by (feed) (schoolgate_feed_held{{{HERE}}})", "{{feed}}")],
        "locale",
        Kind.TABLE,
        bad=1,
    ),
    Panel(
        "Size of feeds",
        "Entries of each.",
        [Query(f"max by (feed) (schoolgate_feed_domains{{{HERE}}})", "{{feed}}")],
        "locale",
        Kind.BARS,
    ),
    Panel(
        "Last fetch of feeds",
        "1 where all of a feed could be had the last time.",
        [Query(f"min by (feed) (schoolgate_feed_last_result{{{HERE}}})", "{{feed}}")],
        "bool_yes_no",
        Kind.TABLE,
        bad=1,
        falls=True,
    ),
    Panel(
        "Locked lists",
        "1 where a list that nobody may switch off is in force.",
        [Query(f"min by (list) (schoolgate_locked_list_ok{{{HERE}}})", "{{list}}")],
        "bool_yes_no",
        Kind.TABLE,
        bad=1,
        falls=True,
    ),
)

FILTERING = Board(
    "schoolgate-filtering",
    "Schoolgate: Filtering",
    "What is decided, for which groups and when, and on which lists. For the online safety lead; "
    "it knows groups, and no person.",
    (
        ("Verdicts", VERDICTS),
        ("Categories", TOP),
        ("What answers are", CONTENTS),
        ("Ways round, and whether it works", ROUND),
        ("Lists", LISTS),
    ),
    (
        Variable("group", "Group", "schoolgate_requests_total"),
        Variable("category", "Category", "schoolgate_requests_total"),
    ),
)
