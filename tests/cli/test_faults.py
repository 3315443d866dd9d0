"""A configuration with faults is refused with their files and lines, and nothing is started."""

import re
from pathlib import Path

import pytest

from tests import gateway
from tests.cli.ended import WRONG, Here, answers, lines, run
from tests.school import POLICY, School, category_text

MALFORMED = {
    "an unknown key": POLICY.replace("school: Hill", "scool: Hill"),
    "a missing key": POLICY.replace("contact: office@hill.example\n", ""),
    "a wrong type": POLICY.replace("school: Hill School", "school: [Hill]"),
    "an unknown clause": POLICY.replace("clause: C-1", "clause: C-11"),
    "an unknown category": POLICY.replace("[play]", "[plya]"),
    "an unknown group": POLICY.replace("groups: [pupils]", "groups: [pupil]"),
    "two rules of one id": POLICY.replace("- id: no-play", "- id: help"),
    "a key given twice": POLICY.replace("id: hill", "id: hill\nid: hill"),
    "broken YAML": POLICY.replace("[pupils]", "[pupils"),
    "an anchor": POLICY.replace("[pupils]", "&a [pupils]\n      x: *a"),
    "deep nesting": POLICY.replace("[pupils]", "[" * 300 + "]" * 300),
    "a verdict that nothing carries out": POLICY.replace("then: monitor", "then: limit"),
    "a rule without a condition": POLICY.replace("      hosts: [locked.example]\n", "      {}\n"),
    "a default with a condition": POLICY + "  when: {groups: [staff]}\n",
    "a clause without a rule": POLICY.replace("  C-4:", "  C-9:\n    title: x\n  C-4:"),
    "another id": POLICY.replace("id: hill", "id: vale"),
    "no text": "",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_policy_is_refused_with_its_lines_by_every_command(
    school: School, here: Here, kind: str
) -> None:
    assert MALFORMED[kind] != POLICY
    school.policy.write_text(MALFORMED[kind])
    for command in (["policy", "check"], ["check", "a.example"], ["run"]):
        ended = here(*command)
        assert (ended.returncode, ended.stdout) == (WRONG, "")
        assert ended.stderr.startswith(f"schoolgate: {school.policy}:")
        assert re.search(r"hill\.yaml:\d+: ", ended.stderr)
        assert re.search(r"^\d+ faults? in the configuration\.$", ended.stderr, re.MULTILINE)
    assert not school.state.exists()


@pytest.mark.parametrize("content", [b"id: hill\nschool: \xe9\n", None, "directory"])
def test_run_with_a_policy_that_cannot_be_read_starts_nothing(
    school: School, content: bytes | str | None, here: Here
) -> None:
    school.policy.unlink()
    if isinstance(content, bytes):
        school.policy.write_bytes(content)
    elif content:
        school.policy.mkdir()
    ended = here("run")
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert ended.stderr.startswith(f"schoolgate: {school.policy}:")
    assert ended.stderr.endswith("\n1 fault in the configuration.\n")
    assert not school.state.exists()


def test_run_names_the_faults_of_every_file_at_once_and_starts_nothing(school: School) -> None:
    school.policy.write_text(POLICY.replace("clause: C-1", "clause: C-11"))
    (school.local / "block.txt").write_text("fine.example\nhttps://a.example/\n")
    ended = run(school, "run")
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert f"{school.policy}:" in ended.stderr
    assert f"{school.local / 'block.txt'}:2: " in ended.stderr
    assert "3 faults in the configuration." in ended.stderr  # C-1 is without its rule, too
    assert not school.state.exists()


def test_a_fault_of_a_category_hides_none_of_the_policy(school: School, here: Here) -> None:
    school.policy.write_text(POLICY.replace("school: Hill", "scool: Hill"))
    (school.categories / "games.yaml").write_text(category_text("games", "Games", ["a b"]))
    ended = here("policy", "check")
    assert ended.returncode == WRONG
    assert "games.yaml:5: 'a b' is not a host name" in ended.stderr
    assert "unknown key 'scool'" in ended.stderr


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("polcy: hill", r"schoolgate\.yaml:1: unknown key 'polcy' \(did you mean 'policy'\?\)"),
        ("proxy:\n  listen: x", r"schoolgate\.yaml:2: 'proxy\.listen': 'x' is not an address"),
        ("policy: [", r"schoolgate\.yaml:\d: is not valid YAML"),
        ("policy: vale", r"vale\.yaml: cannot be read: No such file or directory"),
    ],
)
def test_wrong_settings_are_refused_with_their_line(
    school: School, text: str, want: str, here: Here
) -> None:
    school.config.write_text(text + "\nlists: {dirs: [categories]}\n")
    ended = here("run")
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert re.search(want, ended.stderr), ended.stderr


def test_settings_that_are_nowhere_are_asked_for(tmp_path: Path) -> None:
    ended = gateway.schoolgate("check", "a.example", "--config", str(tmp_path / "none.yaml"))
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert "none.yaml: cannot be read: No such file or directory" in ended.stderr


def test_a_variable_that_is_misspelt_is_refused(school: School) -> None:
    variables = {"SCHOOLGATE_PROXY_LISTN": "127.0.0.1:0"}
    ended = gateway.schoolgate("run", "--config", str(school.config), env=variables)
    assert ended.returncode == WRONG
    assert "SCHOOLGATE_PROXY_LISTN (did you mean 'SCHOOLGATE_PROXY_LISTEN'?)" in ended.stderr


def test_the_settings_can_be_named_by_the_environment(school: School) -> None:
    variables = {"SCHOOLGATE_CONFIG": str(school.config)}
    ended = gateway.schoolgate("check", "--json", "bet.example", env=variables)
    assert answers(ended)[0]["policy"] == "hill"


def test_policy_check_lists_every_clause_and_what_is_not_enforced(school: School) -> None:
    found = [re.sub(r" {2,}", " | ", line) for line in lines(run(school, "policy", "check"))]
    assert "C-4 | not yet enforced | Declaration | The register." in found
    assert "C-5 | partly | Reports | A page." in found
    assert "C-1 | enforced | No games" in found
    assert found[-1].endswith(
        "hill.yaml: no faults. Clauses: 3 enforced, 1 partly, 1 not yet enforced."
    )
