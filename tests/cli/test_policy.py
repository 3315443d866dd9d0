"""`schoolgate policy`: cases, clauses, what changes, and the schema."""

import json
import subprocess
from pathlib import Path

import pytest

from schoolgate.settings import schema_of_policies
from tests.gateway import ROOT, schoolgate

CASES = """\
at: 2026-11-23T10:00
cases:
  - {clause: W-6.3.1-gambling, says: Betting, ask: https://www.bet365.com/, want: WANT}
"""


def run(*arguments: str, config: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return schoolgate(
        "policy", *arguments, "--config", str(config or ROOT / "config/schoolgate.yaml")
    )


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Give settings whose policy stands in a directory of its own."""
    policies = tmp_path / "policies"
    policies.mkdir()
    for name in ("uk-baseline", "wellstead"):
        text = (ROOT / f"config/policies/{name}.yaml").read_text()
        (policies / f"{name}.yaml").write_text(text)
    for name in ("ages.yaml", "services.yaml", "unfolding.yaml"):
        (tmp_path / name).write_text((ROOT / "config" / name).read_text())
    (tmp_path / "schoolgate.yaml").write_text(
        f"lists: {{dirs: ['{ROOT / 'categories'}'], local: local}}\nstate_dir: state\n"
    )
    (tmp_path / "local").mkdir()
    return tmp_path / "schoolgate.yaml"


def test_the_cases_of_all_policies_hold() -> None:
    done = run("cases")
    assert done.returncode == 0, done.stdout
    assert "twiss-green: " in done.stdout
    assert " 0 failed, 0 missing." in done.stdout


@pytest.mark.parametrize(
    ("verdict", "want"),
    [
        ("block", "wellstead: 1 cases, 0 failed, "),
        ("allow", ("✗ wellstead.cases.yaml:3 W-6.3.1-gambling: Betting (https://www.bet365.com/)\n"
         "    wanted allow, got block under W-6.3.1-gambling (rule gambling)\n")),
    ],
)  # fmt: skip
def test_a_case_that_fails_or_is_missing_is_named(own: Path, verdict: str, want: str) -> None:
    (own.parent / "policies/wellstead.cases.yaml").write_text(CASES.replace("WANT", verdict))
    done = run("cases", "wellstead", config=own)
    assert done.returncode == 1
    assert want in done.stdout
    assert "✗ wellstead.cases.yaml W-5.1: has no near miss" in done.stdout


def test_a_policy_without_cases_is_named(own: Path) -> None:
    done = run("cases", "welstead", config=own)
    assert done.returncode == 2
    assert "welstead.cases.yaml: is not there" in done.stderr


def test_a_changed_rule_shows_what_changes_for_whom(own: Path) -> None:
    changed = own.parent / "new" / "wellstead.yaml"
    changed.parent.mkdir()
    text = (own.parent / "policies/wellstead.yaml").read_text()
    changed.write_text(text.replace("categories: [auctions]\n    then: block",
                                    "categories: [auctions]\n    then: warn"))  # fmt: skip
    hosts = own.parent / "hosts.txt"
    hosts.write_text("www.ebay.co.uk\nwww.bbc.co.uk\n")
    done = run("diff", "wellstead", str(changed), "--hosts", str(hosts), config=own)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "4: block under W-6.3.1-auctions → warn under W-6.3.1-auctions"
    assert "    https://www.ebay.co.uk/ (pupils)" in lines
    assert lines[-1] == "8 asked, 4 answered otherwise."


def test_a_journal_is_asked_again(own: Path) -> None:
    journal = own.parent / "2026-11-23.jsonl"
    line = {
        "event": "request.decided", "ts": "2026-11-23T10:00:00.000+00:00", "client": "10.0.0.7",
        "group": "staff", "url": "https://www.bet365.com/", "host": "www.bet365.com",
        "method": "GET", "verdict": "allow", "clause": "W-6.3.1-monitor", "grant": None,
    }  # fmt: skip
    journal.write_text(json.dumps(line) + "\nnothing\n")
    done = run("replay", str(journal), config=own)
    assert done.returncode == 0, done.stderr
    assert "1: allow under W-6.3.1-monitor → block under W-6.3.1-gambling" in done.stdout
    assert "1 asked, 1 answered otherwise.\n1 lines could not be read." in done.stdout


def test_the_schema_for_editors_is_up_to_date() -> None:
    """After a change: schoolgate policy schema > config/policies/policy.schema.json."""
    file = ROOT / "config/policies/policy.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == schema_of_policies()
    assert schoolgate("policy", "schema").stdout == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("audience", "title"),
    [("parents", "What we filter and monitor"), ("pupils", "How the internet works at our school")],
)
def test_what_is_filtered_is_printed_for_people(audience: str, title: str) -> None:
    ended = run("public", "--for", audience)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, line, school, *rest = ended.stdout.splitlines()
    assert (first, line, school) == (title, "=" * len(title), "Wellstead Primary School")
    assert any("Gambling" in told for told in rest)
