"""What a locked list names is closed before everything that a school can say."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.approvals import Overlay, Role, Supervision
from schoolgate.core.locked import HashedEntries, HashForm, LockedBy, LockedList, LockedLists
from schoolgate.core.policy import (
    Inspection,
    InspectionMode,
    LessonAllowance,
    Lock,
    NamesOnly,
    Never,
    PolicyEngine,
    Reason,
    Rule,
    TlsAction,
    Verdict,
    explain,
    strictest,
)
from schoolgate.core.policy.decision import FILTER_ERROR
from schoolgate.core.policy.locking import LOCKED_LIST, LOCKED_PART
from tests.core.locked.test_lists import locked
from tests.core.policy.example import (
    ENDS,
    NOON,
    PUPIL,
    STARTS,
    TEACHER,
    ask,
    engine,
    grant,
    hosts,
    listed,
    local_allow,
    local_block,
    suspension,
)

URL = "https://bad.example/a/b?x=1"
LISTS = LockedLists((locked("bad.example/a", "whole.example"),))
NEEDED = Inspection(InspectionMode.NEEDED)
BY_NAME = Inspection(InspectionMode.NEEDED, names_only=(NamesOnly("C-6"),))

# Everything with which a school, or somebody at it, opens a site; each would open this page alone.
OPENINGS = {
    "allow.txt": lambda: engine(local=[local_allow("bad.example"), local_allow("bad.example/a/b")]),
    "a grant of the headteacher": lambda: engine(
        overlay=Overlay(1, (grant("bad.example", decided_by=Role.HEADTEACHER),))
    ),
    "a grant of exactly this page": lambda: engine(
        overlay=Overlay(1, (grant("bad.example/a/b", decided_by=Role.HEADTEACHER, page="/a/b?x=1"),))
    ),
    "a grant by whom the policy lets lift circumvention": lambda: engine(
        [listed("bad.example", "vpn")],
        circumvention=(Rule("bypass", "C-2", Verdict.BLOCK, ("vpn",)),),
        overlay=Overlay(1, (grant("bad.example", decided_by=Role.HEADTEACHER),)),
    ),
    "a lesson": lambda: engine(
        [listed("bad.example")],
        rules=(Rule("games", "C-8", Verdict.BLOCK, ("games",)),),
        lessons=LessonAllowance("C-9", frozenset({"games"}), 5, 60),
        overlay=Overlay(1, (grant("bad.example", decided_by=Role.TEACHER),)),
    ),
    "a rule of the policy": lambda: engine(
        rules=(Rule("all", "C-9", Verdict.ALLOW, hosts=hosts("bad.example")),)
    ),
    "a rule that the policy above locks": lambda: engine(
        rules=(
            Rule("all", "C-9", Verdict.ALLOW, hosts=hosts("bad.example"), lock=Lock.SCHOOL, level=1),
        ),
        extends=("above",),
    ),
    "always reachable": lambda: engine(
        always_reachable=(Rule("help", "C-1", Verdict.ALLOW, hosts=hosts("bad.example")),)
    ),
    "a warning that was clicked": lambda: engine(
        rules=(Rule("care", "C-9", Verdict.WARN, hosts=hosts("bad.example")),)
    ),
    "a suspension, which has a page of its own": lambda: engine(
        overlay=Overlay(1, suspensions=(suspension(),))
    ),
    "a supervision": lambda: engine(
        overlay=Overlay(1, suspensions=(suspension(),), supervisions=(_supervision(),))
    ),
    "pass.txt": lambda: engine(local=[listed("bad.example", "local-pass", "pass.txt")]),
}  # fmt: skip


def _supervision() -> Supervision:
    return Supervision(1, suspension().subject, STARTS, ENDS, "watched")


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("client", [PUPIL, TEACHER], ids=["pupil", "teacher"])
def test_nothing_lifts_an_entry(opening: str, client: object) -> None:
    rules = OPENINGS[opening]().with_locked(LISTS)
    decision = rules.decide(ask(URL, client), NOON)  # type: ignore[arg-type]
    assert (decision.verdict, decision.reason, decision.rule) == (
        Verdict.BLOCK, Reason.LOCKED, LOCKED_LIST,
    )  # fmt: skip
    assert decision.locked_by == LISTS.lists[0].by
    assert not rules.opens_in_lessons(ask(URL), NOON)
    # Neither does what is said of the entry by name.
    assert rules.evidence(ask(URL), decision) is None


@pytest.mark.parametrize("opening", OPENINGS)
def test_what_is_opened_beside_an_entry_stays_open(opening: str) -> None:
    without = OPENINGS[opening]()
    beside = ask("https://bad.example/other")
    assert without.with_locked(LISTS).decide(beside, NOON) == without.decide(beside, NOON)


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_host_with_a_locked_part_is_never_carried_unread(opening: str) -> None:
    changed = OPENINGS[opening]().policy
    without = PolicyEngine(
        replace(changed, inspection=NEEDED),
        OPENINGS[opening]().catalogue,
        OPENINGS[opening]().local,
        OPENINGS[opening]().overlay,
    )
    answer = without.with_locked(LISTS).decide_host("bad.example", PUPIL, NOON)
    assert answer.action is not TlsAction.PASS


def test_the_order_of_the_lists_of_a_school() -> None:
    """A locked list, then a grant, then block.txt, then allow.txt, then the policy."""
    lines = [local_block("bad.example/a"), local_allow("bad.example")]
    rule = Rule("r", "C-8", Verdict.BLOCK, hosts=hosts("bad.example"))
    steps = {
        "locked": engine(local=lines, overlay=Overlay(1, (grant("bad.example"),))).with_locked(LISTS),
        "grant": engine(local=lines, overlay=Overlay(1, (grant("bad.example"),))),
        "local_block": engine(local=lines),
        "local_allow": engine(local=lines[1:], rules=(rule,)),
        "host": engine(rules=(rule,)),
    }  # fmt: skip
    assert {name: rules.decide(ask(URL), NOON).reason.value for name, rules in steps.items()} == {
        name: name for name in steps
    }


@pytest.mark.parametrize(
    ("inspection", "host", "want"),
    [
        (NEEDED, "whole.example", TlsAction.REFUSE),
        (NEEDED, "www.whole.example", TlsAction.REFUSE),
        (NEEDED, "bad.example", TlsAction.DECRYPT),
        (NEEDED, "other.example", TlsAction.PASS),
        # A promise not to read gives way where a part is locked, and where nothing is it holds.
        (Inspection(InspectionMode.NEEDED, (Never("C-6", hosts=hosts("bad.example")),)), "bad.example",
         TlsAction.DECRYPT),
        # Who trusts no certificate of ours is not let near the part.
        (BY_NAME, "bad.example", TlsAction.REFUSE),
        (BY_NAME, "whole.example", TlsAction.REFUSE),
        (BY_NAME, "other.example", TlsAction.PASS),
    ],
)  # fmt: skip
def test_a_host_is_settled_by_its_name(inspection: Inspection, host: str, want: TlsAction) -> None:
    answer = engine(inspection=inspection).with_locked(LISTS).decide_host(host, PUPIL, NOON)
    assert answer.action is want
    if inspection.names_only and want is TlsAction.REFUSE:
        assert answer.by_alert
        # To come near a part is no attempt to see it.
        rule = LOCKED_LIST if host == "whole.example" else LOCKED_PART
        assert (answer.decision.rule, answer.decision.verdict) == (rule, Verdict.BLOCK)


@pytest.mark.parametrize(
    ("never", "knows_hosts", "want"),
    [
        ((), False, TlsAction.DECRYPT),
        ((), True, TlsAction.PASS),
        ((Never("C-6", hosts=hosts("other.example")),), False, TlsAction.PASS),
    ],
)
def test_a_list_of_hashes_without_hosts_has_every_host_read_but_those_that_never_are(
    never: tuple[Never, ...], knows_hosts: bool, want: TlsAction
) -> None:
    form = HashForm()
    hashed = HashedEntries(
        form, [form.digest("bad.example/a")], [form.digest("bad.example")] if knows_hosts else None
    )
    lists = LockedLists((LockedList(LockedBy("h", "1", NOON, "00"), "", hashed),))
    rules = engine(inspection=Inspection(InspectionMode.NEEDED, never)).with_locked(lists)
    answer = rules.decide_host("other.example", PUPIL, NOON)
    assert answer.action is want
    assert ("locked-lists" in answer.needs) is (want is TlsAction.DECRYPT)


def test_other_lists_are_in_force_at_once_and_all_else_stays() -> None:
    first = engine(overlay=Overlay(3, (grant("bad.example"),)), inspection=NEEDED)
    first.decide_host("bad.example", PUPIL, NOON)
    second = first.with_locked(LISTS)
    assert second.with_locked(LISTS) is second
    assert second.overlay is first.overlay
    assert (second.decide(ask(URL), NOON).reason, first.decide(ask(URL), NOON).reason) == (
        Reason.LOCKED, Reason.GRANT,
    )  # fmt: skip
    assert second.decide_host("bad.example", PUPIL, NOON).action is TlsAction.DECRYPT
    third = second.with_locked(LockedLists())
    assert third.decide(ask(URL), NOON).reason is Reason.GRANT
    assert third.decide_host("bad.example", PUPIL, NOON).action is TlsAction.PASS
    # Another overlay or other lists of the school's own leave them as they are.
    assert second.with_overlay(Overlay(4)).decide(ask(URL), NOON).reason is Reason.LOCKED
    assert (
        second.with_local([local_allow("bad.example")]).decide(ask(URL), NOON).reason
        is Reason.LOCKED
    )


def test_the_school_names_the_clause() -> None:
    named = engine(locked_clause="C-8").with_locked(LISTS)
    assert named.decide(ask(URL), NOON).clause == "C-8"
    assert engine().with_locked(LISTS).decide(ask(URL), NOON).clause == "gateway-locked"


def test_of_equal_answers_that_of_a_locked_list_is_kept() -> None:
    """Else what another reading was closed for would write the address down."""
    decision = engine().with_locked(LISTS).decide(ask(URL), NOON)
    assert strictest([FILTER_ERROR, decision]) is decision
    assert strictest([decision, FILTER_ERROR]) is decision


def test_an_explanation_names_the_list_and_not_the_entry() -> None:
    rules = engine().with_locked(LISTS)
    *_, last = explain(rules, ask("https://bad.example/a/deep/in"), NOON)
    assert (last.number, last.decided) == (1, True)
    assert "The locked list iwf names it (version v1, SHA-256 abababababab…)" in last.answer
    assert "bad.example/a" not in last.answer


SITES = st.sampled_from(["bad.example", "www.bad.example", "whole.example", "good.example"])
ENTRIES = st.sampled_from(
    ["bad.example", "bad.example/a", "whole.example", "good.example/b", "example"]
)


@given(
    st.lists(ENTRIES, max_size=3),
    st.lists(ENTRIES, max_size=2),
    st.lists(ENTRIES, max_size=2),
    SITES,
    st.sampled_from(["/", "/a", "/b/c"]),
)
def test_local_lists_put_alone_decide_as_those_the_engine_was_made_with(
    blocks: list[str], allows: list[str], before: list[str], host: str, path: str
) -> None:
    local = [*map(local_block, blocks), *map(local_allow, allows)]
    entries = [listed("bad.example"), listed("good.example/b")]
    rule = Rule("games", "C-8", Verdict.BLOCK, ("games",))
    made = engine(entries, local, rules=(rule,), inspection=NEEDED)
    put = engine(entries, [local_block(text) for text in before], rules=(rule,), inspection=NEEDED)
    request = ask(f"https://{host}{path}")
    put.decide(request, NOON)
    put.decide_host(host, PUPIL, NOON)
    put = put.with_local(local)
    assert put.decide(request, NOON) == made.decide(request, NOON)
    assert put.decide_host(host, PUPIL, NOON) == made.decide_host(host, PUPIL, NOON)
    assert put.listed(host, path) == made.listed(host, path)
