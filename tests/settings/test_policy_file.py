"""A school's policy file: what it compiles to, and every way in which it can be wrong."""

from pathlib import Path

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.policy import (
    Clause,
    Declaration,
    Enforcement,
    Group,
    Inspection,
    InspectionMode,
    Need,
    Never,
    Policy,
    Rule,
    UntilSigned,
    Verdict,
)
from schoolgate.settings import load_policy
from tests.school import CATEGORIES, POLICY


def load(directory: Path, text: str = POLICY) -> Policy:
    file = directory / "hill.yaml"
    file.write_text(text)
    return load_policy(file, CATEGORIES)


def faults(directory: Path, text: str) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, text)
    return list(caught.value.faults)


def changed(*changes: tuple[str, str]) -> str:
    """Give the policy with some of its text replaced, the first place that fits each."""
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


# -- a policy in order ----------------------------------------------------------------------------


def test_a_policy_is_compiled_from_its_file(tmp_path: Path) -> None:
    policy = load(tmp_path)
    assert (policy.id, policy.school, policy.document, policy.contact) == (
        "hill", "Hill School", "Acceptable use", "office@hill.example",
    )  # fmt: skip
    assert (policy.default_group, policy.groups) == (
        "pupils",
        {"pupils": Group("pupils", "Pupils"), "staff": Group("staff", "Staff")},
    )
    clauses = (policy.suspension_clause, policy.local_clause, policy.grant_clause)
    assert clauses == ("C-3", "C-3", "C-3")
    assert list(policy.clauses) == ["C-1", "C-2", "C-3", "C-4", "C-5"]
    assert policy.clauses["C-5"] == Clause(
        "C-5", "Reports", Enforcement.PARTLY, "the journal", "A page."
    )
    assert policy.clauses["C-1"] == Clause("C-1", "No games", Enforcement.ENFORCED)


def test_a_rule_names_the_categories_of_its_groups_the_hosts_and_the_groups(tmp_path: Path) -> None:
    [rule] = load(tmp_path).rules
    assert rule == Rule(
        "no-play",
        "C-1",
        Verdict.BLOCK,
        categories=("games", "gambling"),
        hosts=(ListEntry("play.example", "/now", "", "policy"),),
        groups=frozenset({"pupils"}),
        note="Not in lessons.",
    )


def test_each_section_of_the_file_is_a_step_of_the_policy(tmp_path: Path) -> None:
    policy = load(tmp_path)
    steps = (policy.locked, policy.always_reachable, policy.circumvention, policy.rules)
    assert [[rule.id for rule in step] for step in steps] == [
        ["core"], ["help"], ["bypass"], ["no-play"],
    ]  # fmt: skip
    assert policy.default == Rule("otherwise", "C-3", Verdict.MONITOR)


def test_a_category_named_twice_counts_once(tmp_path: Path) -> None:
    text = changed(("categories: [play]", "categories: [gambling, play, games]"))
    assert load(tmp_path, text).rules[0].categories == ("gambling", "games")


def test_the_version_changes_with_the_content_alone(tmp_path: Path) -> None:
    first = load(tmp_path).version
    assert load(tmp_path).version == first
    assert load(tmp_path, POLICY + "# a word\n").version != first


@pytest.mark.parametrize("verdict", ["allow", "monitor", "warn", "block"])
def test_a_rule_answers_with_one_of_four_verdicts(tmp_path: Path, verdict: str) -> None:
    text = changed(("then: block\n    note", f"then: {verdict}\n    note"))
    assert load(tmp_path, text).rules[0].verdict == verdict


# -- a policy with a fault ------------------------------------------------------------------------

NO_CONDITION = "the rule 'no-play' has no condition and would decide everything"


@pytest.mark.parametrize(
    ("old", "new", "place", "want"),
    [
        # the form
        ("school: Hill", "scool: Hill", "scool:", "unknown key 'scool' (did you mean 'school'?)"),
        ("  - id: no-play\n", "  - id: no-play\n    wen: 1\n", "wen:",
         "unknown key 'wen' (did you mean 'when'?)"),
        ("      groups: [pupils]", "      grups: [pupils]", "grups:",
         "unknown key 'grups' (did you mean 'groups'?)"),
        ("    title: No games", "    titel: No games", "titel:",
         "unknown key 'titel' (did you mean 'title'?)"),
        ("school: Hill School\n", "", "id: hill", "the key 'school' is missing"),
        ("    clause: C-1\n", "", "- id: no-play", "the key 'clause' is missing"),
        ("    title: No games", "    by: x", "  C-1:", "the key 'title' is missing"),
        ("  then: monitor\n", "", "default:\n", "the key 'then' is missing"),
        ("school: Hill School", "school: [a]", "school:", "'school': input should be a valid string"),
        ("school: Hill School", "school: ''", "school:",
         "'school': string should have at least 1 character"),
        ("school: Hill School", "school:", "school:", "'school': input should be a valid string"),
        ("groups:\n  pupils: Pupils\n  staff: Staff", "groups: [pupils, staff]", "groups: [",
         "'groups': input should be a valid dictionary"),
        ("[play]", "play", "categories: play", "'rules.0.when.categories': input should be a valid tuple"),
        ("enforcement: partly", "enforcement: mostly", "enforcement: mostly",
         "'clauses.C-5.enforcement': input should be 'enforced', 'partly' or 'not_yet'"),
        ("then: block\n    note", "then: limit\n    note", "then: limit",
         "the rule 'no-play' limits 'pupils', who have no budget (name one under 'budgets')"),
        ("then: block\n    note", "then: blok\n    note", "then: blok",
         "'rules.0.then': input should be 'allow', 'monitor', 'warn', 'limit' or 'block'"),
        # the names
        ("id: hill", "id: vale", "id: vale", "the id 'vale' is not the file's name"),
        ("clause: C-1", "clause: C-11", "clause: C-11", "unknown clause 'C-11' (did you mean 'C-1'?)"),
        ("clause: C-1", "clause: zebra", "clause: zebra", "unknown clause 'zebra'"),
        ("suspension_clause: C-3", "suspension_clause: C3", "suspension_clause",
         "unknown clause 'C3' (did you mean 'C-3'?)"),
        ("local_clause: C-3", "local_clause: x", "local_clause", "unknown clause 'x'"),
        ("grant_clause: C-3", "grant_clause: x", "grant_clause", "unknown clause 'x'"),
        ("categories: [play]", "categories: [plya]", "categories: [plya]",
         "unknown category 'plya' (did you mean 'play'?)"),
        ("[games, gambling]", "[gamse, gambling]", "play: [",
         "unknown category 'gamse' (did you mean 'games'?)"),
        ("  play: [games, gambling]", "  play: [games]\n  vpn: [games]", "  vpn: [",
         "'vpn' is a category already"),
        ("groups: [pupils]", "groups: [pupil]", "groups: [pupil]",
         "unknown group 'pupil' (did you mean 'pupils'?)"),
        ("default_group: pupils", "default_group: pupil", "default_group",
         "unknown group 'pupil' (did you mean 'pupils'?)"),
        ("hosts: [play.example/now]", "hosts: [https://play.example]", "hosts: [https",
         "has a scheme or a port; write only host or host/path"),
        ("hosts: [play.example/now]", "hosts: ['play.*.example']", "hosts: ['play",
         "has a wildcard or a query, which are never compared"),
        ("hosts: [play.example/now]", "hosts: ['a b']", "hosts: ['a b", "'a b' is not a host name"),
        # the rules
        ("- id: no-play", "- id: help", "id: help\n    clause: C-1", "the rule id 'help' is used twice"),
        ("id: otherwise", "id: help", "id: help\n  clause", "the rule id 'help' is used twice"),
        ("- id: no-play", "- id: No Play", "id: No Play", "'No Play' is not of the form some-words"),
        ("    when:\n      categories: [play]\n      hosts: [play.example/now]\n      groups: [pupils]\n", "",
         "- id: no-play", NO_CONDITION),
        ("    when:\n      categories: [play]\n      hosts: [play.example/now]\n      groups: [pupils]\n",
         "    when:\n      categories: []\n", "- id: no-play", NO_CONDITION),
        ("  then: monitor", "  when: {groups: [staff]}\n  then: monitor", "when: {",
         "the default has no conditions"),
        ("then: block", "then: warn", "then: warn", "a rule under 'locked' can only block"),
        ("then: allow", "then: monitor", "then: monitor",
         "a rule under 'always_reachable' can only allow"),
        # the clauses
        ("  C-4:", "  C-9:\n    title: Alone\n  C-4:", "C-9:",
         "no rule carries out C-9 (or say 'by' what it is)"),
        ("    missing: The register.\n", "", "C-4:", "C-4 is not enforced in full: say what is 'missing'"),
        ("    missing: A page.\n", "", "C-5:", "C-5 is not enforced in full: say what is 'missing'"),
        ("title: No games", "title: No games\n    missing: All.", "C-1:",
         "C-1 is said to be enforced, yet something is 'missing'"),
        ("    missing: The register.", "    missing: The register.\n    by: x", "C-4:",
         "C-4 is not enforced yet, so nothing carries it out 'by'"),
        # the text
        ("school: Hill School", "id: hill", "id: hill\ndocument", "gives 'id' twice"),
        ("    clause: C-1\n", "    clause: C-1\n    clause: C-4\n", "clause: C-4",
         "gives 'clause' twice"),
        ("groups: [pupils]", "groups: &g [pupils]\n      x: *g", "groups: &g",
         "uses an anchor; write the value out"),
        ("groups: [pupils]", "groups: [pupils", "    then: block\n    note", "is not valid YAML"),
        ("groups: [pupils]", f"groups: {'[' * 60}{']' * 60}", "groups: [[", "is nested too deeply"),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_line_and_what_was_meant(
    tmp_path: Path, old: str, new: str, place: str, want: str
) -> None:
    text = changed((old, new))
    found = faults(tmp_path, text)
    expected = f"{tmp_path / 'hill.yaml'}:{line_of(text, place)}: "
    shown = [str(fault) for fault in found]
    assert any(fault.startswith(expected) and want in fault for fault in shown), shown


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (b"", "hill.yaml:1: holds no keys"),
        (b"# nothing\n", "hill.yaml:1: holds no keys"),
        (b"- id: hill\n", "hill.yaml:1: holds no keys"),
        (b"id: hill\nschool: \xe9\n", "hill.yaml:2: is not UTF-8 text"),
        (None, "hill.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_file_without_a_policy_is_refused(
    tmp_path: Path, content: bytes | None, want: str
) -> None:
    file = tmp_path / "hill.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_policy(file, CATEGORIES)
    assert [str(fault) for fault in caught.value.faults] == [f"{tmp_path}/{want}"]


def test_a_directory_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_policy(tmp_path, CATEGORIES)


def test_every_fault_of_form_is_named_at_once(tmp_path: Path) -> None:
    text = changed(
        ("school: Hill School\n", ""),
        ("    title: No games", "    titel: No games"),
        ("then: block\n    note", "then: limits\n    note"),
        ("contact: office@hill.example", "contact: 5"),
    )
    want = {"id: hill", "contact: 5", "  C-1:", "    titel: No games", "    then: limits"}
    assert {fault.line for fault in faults(tmp_path, text)} == {line_of(text, p) for p in want}


def test_every_fault_of_names_is_named_at_once(tmp_path: Path) -> None:
    text = changed(
        ("id: hill", "id: vale"),
        ("default_group: pupils", "default_group: pupil"),
        ("[games, gambling]", "[gamse, gambling]"),
        ("grant_clause: C-3", "grant_clause: C3"),
        ("clause: C-1", "clause: C-11"),
        ("hosts: [play.example/now]", "hosts: [':']"),
        ("groups: [pupils]", "groups: [pupil]"),
        ("then: allow", "then: warn"),
        ("id: otherwise", "id: help"),
    )
    places = [
        "id: vale", "default_group", "[gamse", "grant_clause", "clause: C-11", "hosts: [':']",
        "groups: [pupil]", "then: warn", "id: help\n  clause", "C-1:\n",
    ]  # fmt: skip
    found = faults(tmp_path, text)
    assert sorted(fault.line for fault in found) == sorted(line_of(text, p) for p in places)


def test_faults_of_form_and_of_names_are_named_at_once(tmp_path: Path) -> None:
    text = changed(("school: Hill", "scool: Hill"), ("clause: C-1", "clause: C-11"))
    lines = {fault.line for fault in faults(tmp_path, text)}
    assert {line_of(text, "scool"), line_of(text, "clause: C-11")} <= lines


def test_a_file_that_would_grow_without_end_is_refused(tmp_path: Path) -> None:
    laughs = ["a0: &a0 [lol, lol, lol, lol, lol]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    found = faults(tmp_path, POLICY + "\n".join(laughs))
    assert {fault.message for fault in found} == {"uses an anchor; write the value out"}


# -- inspection -----------------------------------------------------------------------------------

INSPECTION = """\
inspection:
  never:
    - clause: C-5
      categories: [play, advice]
      hosts: [mail.example]
  needs:
    - id: media
      clause: C-4
      except:
        categories: [advice]
        hosts: [=films.example]
      groups: [pupils]
    - id: programs
      clause: C-4
"""


def test_inspection_is_compiled_with_the_groups_of_categories_spelt_out(tmp_path: Path) -> None:
    assert load(tmp_path, POLICY + INSPECTION).inspection == Inspection(
        InspectionMode.NEEDED,
        never=(
            Never(
                "C-5",
                frozenset({"games", "gambling", "advice"}),
                (ListEntry.parse("mail.example", "", "policy"),),
            ),
        ),
        needs=(
            Need(
                "media",
                "C-4",
                frozenset({"advice"}),
                (ListEntry.parse("=films.example", "", "policy"),),
                frozenset({"pupils"}),
            ),
            Need("programs", "C-4"),
        ),
    )


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", InspectionMode.ALL),
        ("inspection: {}\n", InspectionMode.NEEDED),
        ("inspection: {mode: needed}\n", InspectionMode.NEEDED),
        ("inspection: {mode: all}\n", InspectionMode.ALL),
    ],
)
def test_a_policy_that_says_nothing_of_inspection_has_everything_decrypted(
    tmp_path: Path, text: str, want: InspectionMode
) -> None:
    assert load(tmp_path, POLICY + text).inspection == Inspection(want)


def test_what_is_never_decrypted_carries_out_its_clause_and_a_need_does_not(
    tmp_path: Path,
) -> None:
    clause = "  C-9:\n    title: Letters are private\n"
    text = changed(("  C-4:\n", clause + "  C-4:\n"))
    never = "inspection:\n  never: [{clause: C-9, hosts: [mail.example]}]\n"
    assert load(tmp_path, text + never).clauses["C-9"].enforcement is Enforcement.ENFORCED
    need = "inspection:\n  needs: [{clause: C-9, id: media}]\n"
    assert [fault.message for fault in faults(tmp_path, text + need)] == ["no rule carries out C-9"]


PART = "'mail.example/in' is a part of a site: a connection is decrypted or not as a whole"


@pytest.mark.parametrize(
    ("old", "new", "place", "want"),
    [
        ("inspection:", "inspektion:", "inspektion:",
         "unknown key 'inspektion' (did you mean 'inspection'?)"),
        ("  never:", "  nevr:", "nevr:", "unknown key 'nevr' (did you mean 'never'?)"),
        ("  never:", "  mode: some\n  never:", "mode: some",
         "'inspection.mode': input should be 'needed' or 'all'"),
        ("      categories: [play", "      categorys: [play", "categorys:",
         "unknown key 'categorys' (did you mean 'categories'?)"),
        ("      except:", "      exept:", "exept:", "unknown key 'exept' (did you mean 'except'?)"),
        ("      except:", "      except_:", "except_:", "unknown key 'except_' (did you mean 'except'?)"),
        ("        categories: [advice]", "        categoris: [advice]", "categoris:",
         "unknown key 'categoris' (did you mean 'categories'?)"),
        ("    - clause: C-5\n      categories", "    - categories", "- categories",
         "the key 'clause' is missing"),
        ("    - id: media\n      clause: C-4", "    - clause: C-4", "- clause: C-4\n      except",
         "the key 'id' is missing"),
        ("clause: C-5\n      categories: [play", "clause: C-55\n      categories: [play", "C-55",
         "unknown clause 'C-55' (did you mean 'C-5'?)"),
        ("[play, advice]", "[plya, advice]", "[plya", "unknown category 'plya' (did you mean 'play'?)"),
        ("[advice]\n        hosts", "[advise]\n        hosts", "[advise]",
         "unknown category 'advise' (did you mean 'advice'?)"),
        ("[mail.example]", "['m*.example']", "['m*", "has a wildcard or a query"),
        ("[mail.example]", "[mail.example/in]", "[mail.example/in]",
         PART + " (write 'mail.example')"),
        ("=films.example", "https://films.example", "https://films", "has a scheme or a port"),
        ("      categories: [play, advice]\n      hosts: [mail.example]\n", "", "- clause: C-5",
         "names no site (name categories or hosts)"),
        ("id: media\n      clause: C-4", "id: media\n      clause: C-44", "C-44", "unknown clause 'C-44'"),
        ("id: media", "id: programs", "id: programs\n      clause: C-4\n",
         "the need 'programs' is named twice"),
        ("id: media", "id: Me Dia", "id: Me", "'Me Dia' is not of the form some-words"),
        ("id: media", "id: paths", "id: paths",
         "the need 'paths' follows from the rest of the policy (give it another id)"),
        ("groups: [pupils]\n    - id", "groups: [pupil]\n    - id", "groups: [pupil]\n    - id",
         "unknown group 'pupil' (did you mean 'pupils'?)"),
    ],
)  # fmt: skip
def test_a_fault_of_inspection_names_file_and_line_and_what_was_meant(
    tmp_path: Path, old: str, new: str, place: str, want: str
) -> None:
    assert old in INSPECTION
    text = POLICY + INSPECTION.replace(old, new, 1)
    shown = [str(fault) for fault in faults(tmp_path, text)]
    line = text[: text.rindex(place)].count("\n") + 1
    assert any(f.startswith(f"{tmp_path / 'hill.yaml'}:{line}: ") and want in f for f in shown), (
        shown
    )


def test_faults_of_form_elsewhere_do_not_hide_those_of_inspection(tmp_path: Path) -> None:
    text = changed(("school: Hill", "scool: Hill")) + INSPECTION.replace("[play,", "[plya,")
    assert {line_of(text, "scool"), line_of(text, "[plya")} <= {
        f.line for f in faults(tmp_path, text)
    }


# -- a declaration --------------------------------------------------------------------------------


DECLARATION = """\
declaration:
  clause: C-4
  version: "2026-09"
  until_signed: warn
  groups: [staff]

suspension_clause"""


def with_declaration(*changes: tuple[str, str]) -> str:
    return changed(("suspension_clause", DECLARATION), *changes)


@pytest.mark.parametrize("word", ["off", "'off'", "warn", "hold"])
def test_a_declaration_says_what_happens_until_it_is_signed(tmp_path: Path, word: str) -> None:
    text = with_declaration(("until_signed: warn", f"until_signed: {word}"))
    assert load(tmp_path, text).declaration == Declaration(
        "C-4", "2026-09", UntilSigned(word.strip("'")), frozenset({"staff"})
    )
    assert load(tmp_path).declaration is None


def test_a_declaration_carries_out_its_clause(tmp_path: Path) -> None:
    enforced = ("    enforcement: not_yet\n    missing: The register.\n", "")
    assert "no rule carries out C-4" in str(faults(tmp_path, changed(enforced))[0])
    assert load(tmp_path, with_declaration(enforced)).clauses["C-4"].enforcement == "enforced"


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("clause: C-4\n  version", "clause: C-44\n  version", "unknown clause 'C-44' (did you mean 'C-4'?)"),
        ("groups: [staff]", "groups: [staf]", "unknown group 'staf' (did you mean 'staff'?)"),
        ("groups: [staff]", "groups: []", "'declaration.groups': tuple should have at least 1 item"),
        ("until_signed: warn", "until_signed: true", "'declaration.until_signed': input should be 'off'"),
        ("until_signed: warn", "until_signed: block", "'declaration.until_signed': input should be 'off'"),
        ('"2026-09"', '"2026 09"', "'declaration.version': string should match pattern"),
    ],
)  # fmt: skip
def test_a_fault_of_a_declaration_is_named(tmp_path: Path, old: str, new: str, want: str) -> None:
    [fault] = faults(tmp_path, with_declaration((old, new)))
    assert want in str(fault)


def test_only_those_who_may_open_sites_permit_what_gets_round_the_filter(tmp_path: Path) -> None:
    roles = (
        "roles: {reviews: [slt], decides: [slt], incidents: [dsl], bypass: [%s]}\nsuspension_clause"
    )
    policy = load(tmp_path, changed(("suspension_clause", roles % "deputy")))
    assert policy.bypass == (Role.DEPUTY,)
    assert load(tmp_path).bypass == (Role.HEADTEACHER,)
    [fault] = faults(tmp_path, changed(("suspension_clause", roles % "teacher")))
    assert "'teacher' opens no site for others, and none that gets round the filter" in str(fault)


# -- what a text says -----------------------------------------------------------------------------

TEXTS = """
contents:
  - id: texts
    clause: C-1
    when: {says: [games]}
    then: as_listed
"""


def test_a_rule_on_what_a_text_says(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, POLICY + TEXTS).contents
    assert (rule.says, rule.then, rule.need.id) == (frozenset({"games"}), None, "texts")
    (rule,) = load(tmp_path, POLICY + TEXTS.replace("as_listed", "warn")).contents
    assert rule.then is Verdict.WARN


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{says: [games]}", "{says: [gamez]}", "unknown category 'gamez'"),
        ("{says: [games]}", "{}", "the rule 'texts' looks for nothing"),
        ("{says: [games]}", "{says: [games], is: [live]}", "about texts and about other answers"),
        ("{says: [games]}", "{is: [live]}", "only what a page says can have another answer"),
    ],
)
def test_a_rule_on_texts_can_be_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    (fault, *_) = faults(tmp_path, POLICY + TEXTS.replace(old, new))
    assert message in fault.message
