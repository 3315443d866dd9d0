"""A policy that extends another takes over what it does not say itself, and keeps to its locks."""

from pathlib import Path

import pytest

from schoolgate.core.approvals import Precaution, PrecautionKind, RequestTerms, Role
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.policy import Declaration, Group, InspectionMode, Lock, Policy, UntilSigned
from schoolgate.settings import load_policy
from tests.school import CATEGORIES

TRUST = """\
id: trust
school: Vale Trust
document: Acceptable use
contact: trust@vale.example
default_group: pupils
groups: {pupils: Pupils, staff: Staff}
networks: {wired: Wired network}
category_groups:
  play: [games, gambling]
clauses:
  T-1: {title: No games}
  T-2: {title: No advice}
  T-3: {title: Use is watched}
suspension_clause: T-3
local_clause: T-3
grant_clause: T-3
roles: {reviews: [slt], decides: [headteacher], incidents: [dsl]}
rules:
  - {id: closed, clause: T-2, when: {hosts: [closed.example]}, then: block, lock: school}
  - {id: gambling, clause: T-1, when: {categories: [gambling]}, then: block, lock: rules}
  - {id: games, clause: T-1, when: {categories: [games]}, then: block}
default: {id: otherwise, clause: T-3, then: monitor}
inspection:
  mode: needed
  never: [{clause: T-3, categories: [advice]}]
"""

SCHOOL = """\
id: hill
school: Hill School
document: Our own rules
contact: office@hill.example
extends: trust
groups:
  year-4: {title: Year 4, within: pupils}
devices: {tablet: School tablet}
clauses:
  H-1: {title: Games at noon}
rules:
  - id: year-4-games
    clause: H-1
    when: {categories: [play], groups: [year-4], networks: [wired], devices: [tablet], methods: [GET, POST]}
    then: warn
"""


def load(directory: Path, school: str = SCHOOL, trust: str = TRUST) -> Policy:
    (directory / "trust.yaml").write_text(trust)
    file = directory / "hill.yaml"
    file.write_text(school)
    return load_policy(file, CATEGORIES)


def test_what_a_policy_does_not_say_it_takes_over(tmp_path: Path) -> None:
    policy = load(tmp_path)
    assert (policy.id, policy.school, policy.extends) == ("hill", "Hill School", ("trust",))
    assert (policy.default_group, policy.default.id) == ("pupils", "otherwise")
    assert (policy.suspension_clause, policy.local_clause, policy.grant_clause) == ("T-3",) * 3
    assert policy.groups == {
        "pupils": Group("pupils", "Pupils"),
        "staff": Group("staff", "Staff"),
        "year-4": Group("year-4", "Year 4", "pupils"),
    }
    assert set(policy.clauses) == {"T-1", "T-2", "T-3", "H-1"}
    assert (policy.networks, policy.devices) == (
        {"wired": "Wired network"}, {"tablet": "School tablet"},
    )  # fmt: skip
    assert policy.roles is not None
    assert policy.inspection.mode is InspectionMode.NEEDED
    assert [never.clause for never in policy.inspection.never] == ["T-3"]


def test_its_own_rules_stand_between_those_that_are_locked_and_the_others(tmp_path: Path) -> None:
    rules = [(rule.id, rule.lock, rule.level) for rule in load(tmp_path).rules]
    assert rules == [
        ("closed", Lock.SCHOOL, 1),
        ("gambling", Lock.RULES, 1),
        ("year-4-games", Lock.NONE, 0),
        ("games", Lock.NONE, 1),
    ]


def test_a_rule_has_the_conditions_that_its_file_gives(tmp_path: Path) -> None:
    rule = next(rule for rule in load(tmp_path).rules if rule.id == "year-4-games")
    assert rule.categories == ("games", "gambling")
    assert (rule.groups, rule.networks, rule.devices, rule.methods) == (
        frozenset({"year-4"}), frozenset({"wired"}), frozenset({"tablet"}), frozenset({"GET", "POST"}),
    )  # fmt: skip


def test_the_version_changes_with_the_policy_above(tmp_path: Path) -> None:
    before = load(tmp_path).version
    assert load(tmp_path).version == before
    assert load(tmp_path, trust=TRUST.replace("Vale Trust", "Dale Trust")).version != before


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("extends: trust", "extends: trus",
         "hill.yaml:5: there is no policy 'trus' beside it (did you mean 'trust'?)"),
        ("extends: trust", "extends: hill", "hill.yaml:5: the policy extends itself: hill → hill"),
        ("extends: trust\n", "", "hill.yaml:1: the key 'default' is missing"),
        ("year-4: {title: Year 4, within: pupils}", "year-4: Year 4",
         ("hill.yaml:7: the group 'year-4' lies within none of the policy 'trust', whose rules would"
         " not reach it (say 'within:' one of pupils, staff)")),
        ("within: pupils", "within: pupil", "hill.yaml:7: unknown group 'pupil' (did you mean 'pupils'?)"),
        ("year-4: {title: Year 4, within: pupils}",
         "year-4: {title: A, within: year-5}\n  year-5: {title: B, within: year-4}",
         "hill.yaml:7: the group 'year-4' lies within itself"),
        ("groups:\n", "groups:\n  pupils: Children\n",
         ("hill.yaml:7: 'pupils' comes from the policy 'trust' already (give it another name, or leave it"
         " out)")),
        ("  H-1: {title: Games at noon}", "  H-1: {title: Games at noon}\n  T-1: {title: Mine}",
         "hill.yaml:11: 'T-1' comes from the policy 'trust' already"),
        ("id: year-4-games", "id: games", "hill.yaml:12: the policy 'trust' has a rule 'games' already"),
        ("networks: [wired]", "networks: [wifi]", "hill.yaml:14: unknown network 'wifi'"),
        ("devices: [tablet]", "devices: [table]",
         "hill.yaml:14: unknown device 'table' (did you mean 'tablet'?)"),
        ("methods: [GET, POST]", "methods: [get]", "hill.yaml:14: 'get' is no HTTP method (write 'GET')"),
        ("extends: trust", "extends: ../trust", "hill.yaml:5: '../trust' is not the name of a policy"),
        ("extends: trust", "extends: trust\ndefault_group: staff",
         ("hill.yaml:6: strangers are 'pupils' in the policy 'trust' (name that group, or one within it, and"
         " not 'staff')")),
        ("devices:", "category_groups: {mine: []}\ndevices:", "hill.yaml:8: 'mine' holds no category"),
        ("methods: [GET, POST]", "above_age: 9", "hill.yaml:14: no file says from which age"),
        ("methods: [GET, POST]", "methods: [PUT]",
         "hill.yaml:14: whoever goes on after a warning sends a POST (name POST, too)"),
        ("methods: [GET, POST]", "periods: [lessons]", "hill.yaml:14: unknown period 'lessons'"),
        ("categories: [play], groups: [year-4], networks: [wired], devices: [tablet], methods: [GET, POST]",
         "categories: [gambling]",
         ("hill.yaml:12: the rule 'year-4-games' can never decide anything: 'gambling' always decides"
         " before it")),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_line_and_what_was_meant(
    tmp_path: Path, old: str, new: str, want: str
) -> None:
    assert old in SCHOOL
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, SCHOOL.replace(old, new, 1))
    shown = [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]
    assert any(fault.startswith(want) for fault in shown), shown


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("then: block, lock: school", "then: block",
         "trust.yaml:20: the rule 'gambling' is locked and stands below others that are less firm"),
        ("lock: rules", "lock: ruls", "trust.yaml:20: 'rules.1.lock': input should be"),
        ("id: trust", "id: trust\nextends: hill",
         "trust.yaml:2: the policy extends itself: hill → trust → hill"),
    ],
)  # fmt: skip
def test_the_faults_of_the_policy_above_are_named_in_its_own_file(
    tmp_path: Path, old: str, new: str, want: str
) -> None:
    assert old in TRUST
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, trust=TRUST.replace(old, new, 1))
    shown = [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]
    assert any(fault.startswith(want) for fault in shown), shown


def test_a_timetable_has_the_periods_that_rules_above_name(tmp_path: Path) -> None:
    """Else the trust's rule would be switched off by another word for the same time."""
    periods = "timetable:\n  periods:\n    {}: {{title: A, times: {{daily: '09:00-10:00'}}}}\n"
    trust = TRUST.replace(
        "when: {categories: [gambling]}", "when: {categories: [gambling], periods: [lessons]}"
    )
    trust += periods.format("lessons")
    assert load(tmp_path, SCHOOL + periods.format("lessons"), trust).timetable is not None
    with pytest.raises(
        ConfigurationError, match="rules of the policy 'trust' hold in the period 'lessons'"
    ):
        load(tmp_path, SCHOOL + periods.format("lesson"), trust)


@pytest.mark.parametrize(
    ("inspection", "want"),
    [("", "all"), ("inspection: {never: []}\n", "all"), ("inspection: {mode: needed}\n", "needed")],
)
def test_the_mode_of_inspection_is_taken_over(tmp_path: Path, inspection: str, want: str) -> None:
    policy = load(tmp_path, SCHOOL + inspection, TRUST.replace("mode: needed", "mode: all"))
    assert policy.inspection.mode == want


def test_a_school_signs_what_its_trust_asks_for_or_has_a_declaration_of_its_own(
    tmp_path: Path,
) -> None:
    declaration = "declaration: {clause: %s, version: v1, until_signed: %s, groups: [%s]}\n"
    trust = TRUST + declaration % ("T-3", "off", "staff")
    theirs = Declaration("T-3", "v1", UntilSigned.OFF, frozenset({"staff"}))
    assert load(tmp_path, trust=trust).declaration == theirs
    school = SCHOOL + declaration % ("T-3", "hold", "year-4")
    own = Declaration("T-3", "v1", UntilSigned.HOLD, frozenset({"year-4"}))
    assert load(tmp_path, school, trust).declaration == own


REQUESTS = """\
requests:
  usual_days: 7
  precautions:
    - clause: T-1
      needs: notification
      when: {categories: [play], groups: [pupils], networks: [wired]}
      by: [technician]
"""


def test_what_it_says_of_requests_is_taken_over_too(tmp_path: Path) -> None:
    policy = load(tmp_path, trust=TRUST + REQUESTS)
    precaution = Precaution(
        "T-1",
        PrecautionKind.NOTIFICATION,
        frozenset({"games", "gambling"}),
        frozenset({"pupils"}),
        frozenset({"wired"}),
        (Role.TECHNICIAN,),
    )
    assert policy.requests == RequestTerms(7, 400, (precaution,))
    own = load(tmp_path, SCHOOL + "requests: {usual_days: 3}\n", TRUST + REQUESTS)
    assert own.requests == RequestTerms(3, 400, ())


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("clause: T-1\n      needs", "clause: T-9\n      needs", "unknown clause 'T-9'"),
        ("categories: [play]", "categories: [plays]", "unknown category 'plays'"),
        ("groups: [pupils], networks", "groups: [pupil], networks", "unknown group 'pupil'"),
        ("networks: [wired]}", "networks: [wire]}", "unknown network 'wire'"),
        ("      by: [technician]\n", "", "a notification needs 'by'"),
        ("needs: notification", "needs: prayer", "needs"),
    ],
)
def test_a_precaution_that_means_nothing_is_a_fault(
    tmp_path: Path, old: str, new: str, want: str
) -> None:
    assert old in REQUESTS
    with pytest.raises(ConfigurationError, match=want):
        load(tmp_path, trust=TRUST + REQUESTS.replace(old, new))
