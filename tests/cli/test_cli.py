"""The command line: what each command says, and the exit code with which it ends."""

import json
import os
import re
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rich_click as click
from click.testing import CliRunner

from schoolgate import authority
from schoolgate.authority.store import CERTIFICATE, KEY_AND_CERTIFICATE
from schoolgate.cli.app import cli
from tests import gateway
from tests.cli.ended import DONE, NO, OUT_OF_REACH, WRONG, Ended, Here, lines, refused, run
from tests.school import POLICY, School, category_text

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = [
    "url", "host", "verdict", "reason", "clause", "category", "categories", "entry", "feed",
    "grant", "group", "period", "tls", "obligations", "contents", "rule", "policy", "at",
]  # fmt: skip


# -- check and explain ----------------------------------------------------------------------------


def answers(ended: Ended) -> list[dict[str, object]]:
    """Give the objects that `check --json` printed, one a line."""
    assert (ended.returncode, ended.stderr) == (DONE, ""), ended
    return [json.loads(line) for line in ended.stdout.split("\n")[:-1]]


def test_check_in_json_has_exactly_the_keys_of_the_contract(school: School) -> None:
    ended = run(school, "check", "--json", "--at", "2026-11-23T12:00", "www.bet.example", "a b")
    found, garbage = answers(ended)
    assert list(found) == KEYS
    assert found == {
        "url": "www.bet.example",
        "host": "www.bet.example",
        "verdict": "block",
        "reason": "category",
        "clause": "C-1",
        "category": "gambling",
        "categories": ["gambling"],
        "entry": "bet.example",
        "feed": "curated",
        "grant": None,
        "group": "pupils",
        "period": None,
        "tls": "refuse",
        "obligations": [],
        "contents": [],
        "rule": "no-play",
        "policy": "hill",
        "at": "2026-11-23T12:00:00+00:00",
    }
    assert list(garbage) == [*KEYS, "error"]
    assert (garbage["verdict"], garbage["reason"]) == ("block", "bad_url")
    assert "is not a URL" in str(garbage["error"])


def test_a_batch_is_answered_line_by_line_in_order_whatever_stands_in_it(school: School) -> None:
    asked = [
        "bet.example", "", "https://", "  chess.example  ", "a b", "\x00", "x" * 100_000, "∞", "%",
        "https://[::1", "{}", "javascript:alert(1)", "help.example/é?q=\u2028", "http://10.0.0.1/",
    ]  # fmt: skip
    found = answers(run(school, "check", "--json", "--batch", "-", stdin="\n".join(asked)))
    assert [answer["url"] for answer in found] == [line.strip() for line in asked if line]
    verdicts = {str(answer["url"]): answer["reason"] for answer in found}
    assert verdicts["bet.example"] == verdicts["chess.example"] == "category"
    assert verdicts["https://"] == verdicts["a b"] == "bad_url"


def test_bytes_that_are_no_text_are_answered_too(school: School, tmp_path: Path) -> None:
    batch = tmp_path / "urls"
    batch.write_bytes(b"bet.example\n\xff\xfe\xc3\x28\nchess.example\n")
    found = answers(run(school, "check", "--json", "--batch", str(batch)))
    assert [answer["reason"] for answer in found][::2] == ["category", "category"]
    assert len(found) == 3


def test_an_argument_that_is_no_text_is_answered_in_json_that_can_be_read(school: School) -> None:
    [found] = answers(run(school, "check", "--json", os.fsdecode(b"b\xe9t.example")))
    assert found["reason"] in ("bad_url", "default")


def test_named_urls_come_before_those_of_the_batch(school: School) -> None:
    ended = run(school, "check", "--json", "a.example", "--batch", "-", stdin="b.example\n")
    assert [answer["url"] for answer in answers(ended)] == ["a.example", "b.example"]


def test_check_exits_0_whatever_the_verdict_and_prints_the_default_group(school: School) -> None:
    found = lines(run(school, "check", "bet.example", "help.example", "a b"))
    assert [line.split()[:2] for line in found[1:4]] == [
        ["block", "C-1"], ["allow", "C-3"], ["block", "gateway-bad-url"],
    ]  # fmt: skip
    assert found[-1] == "(policy hill, group pupils)"


@pytest.mark.parametrize(
    ("options", "want"),
    [
        ([], ("block", "pupils")),
        (["--group", "staff"], ("monitor", "staff")),
        (["--user", "abc", "--client", "10.0.0.7", "--device", "d", "--network", "n"],
         ("block", "pupils")),
    ],
)  # fmt: skip
def test_who_asks_is_an_option(options: Sequence[str], want: tuple[str, str], here: Here) -> None:
    [found] = answers(here("check", "--json", "bet.example", *options))
    assert (found["verdict"], found["group"]) == want


@pytest.mark.parametrize("command", ["check", "explain"])
def test_asking_makes_no_files(school: School, command: str, here: Here) -> None:
    assert here(command, "bet.example").returncode == DONE
    assert not school.state.exists()


def test_explain_gives_numbered_steps_in_plain_english(school: School) -> None:
    found = lines(run(school, "explain", "www.bet.example"))
    assert found[:2] == [
        "  0. What is the page?",
        "     www.bet.example is listed under: Gambling (entry bet.example, list curated).",
    ]
    assert found[-3] == "→ 8. Does a rule of the policy match?"
    assert found[-2] == (
        "     Block under C-1, “No games” (rule no-play). The entry bet.example of the list curated matched. "
        "Not in lessons."
    )
    assert found[-1].startswith("TLS to www.bet.example: refuse. ")


@pytest.mark.parametrize("command", ["check", "explain"])
@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("www.bet.example/page",
         "TLS to www.bet.example: refuse. It is blocked by its name under C-1, with all that is on it."),
        ("play.example", "TLS to play.example: decrypt. It must be read because of parts of it"),
        ("mail.example", "TLS to mail.example: pass. It is never decrypted, under C-5."),
        ("nothing.example", "TLS to nothing.example: decrypt. It must be read because of media (C-4)."),
    ],
)  # fmt: skip
def test_what_happens_to_the_connection_is_said_with_its_reason(
    school: School, command: str, url: str, want: str
) -> None:
    text = """\
inspection:
  never:
    - {clause: C-5, hosts: [mail.example]}
  needs:
    - {id: media, clause: C-4}
"""
    school.policy.write_text(school.policy.read_text() + text)
    assert any(want in line for line in lines(run(school, command, url)))


def test_explain_of_what_is_no_url_is_refused_in_a_sentence(here: Here) -> None:
    refused(here("explain", "a b"), NO, "is not a URL")


# -- wrong use ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        (["check"], "Name at least one URL, or a file with --batch"),
        (["check", "--group", "pupil", "a.example"], "has no group 'pupil'; it has: pupils, staff"),
        (["check", "--client", "10.0.0", "a.example"], "'10.0.0' is not an IP address"),
        (["check", "--at", "noon", "a.example"], "'noon' is not a time such as 2026-11-23T10:30"),
        (["check", "--batch", "/nowhere/urls"], "No such file or directory"),
        (["check", "--jsn", "a.example"], "No such option"),
        (["chekc"], "No such command"),
        (["explain"], "Missing argument"),
        (["grants", "add", "a.example"], "Missing option"),
        (["grants", "add", "a.example", "--until", "2h", "--reason", "r", "--decided-by", "me"],
         "'me' is not one of"),
        (["grants", "add", "a.example", "--until", "soon", "--reason", "r", "--decided-by", "slt"],
         "'soon' is not a time"),
        (["grants", "revoke", "first"], "is not a valid integer"),
        (["suspend", "everyone", "--until", "2h"], "Missing option"),
        (["ca", "export"], "Missing argument"),
        (["run", "--nonsense"], "No such option"),
    ],
)  # fmt: skip
def test_wrong_use_ends_with_2_and_says_what_was_wrong(
    school: School, arguments: Sequence[str], want: str, here: Here
) -> None:
    ended = here(*arguments)
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    # The message stands in a box that breaks its lines.
    assert want in re.sub(r"[\s│]+", " ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert not school.state.exists()


# -- wrong configuration --------------------------------------------------------------------------

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


# -- the policy -----------------------------------------------------------------------------------


def test_policy_check_lists_every_clause_and_what_is_not_enforced(school: School) -> None:
    found = [re.sub(r" {2,}", " | ", line) for line in lines(run(school, "policy", "check"))]
    assert "C-4 | not yet enforced | Declaration | The register." in found
    assert "C-5 | partly | Reports | A page." in found
    assert "C-1 | enforced | No games" in found
    assert found[-1].endswith(
        "hill.yaml: no faults. Clauses: 3 enforced, 1 partly, 1 not yet enforced."
    )


# -- grants and suspensions -----------------------------------------------------------------------


def add(school: School, site: str, *more: str, until: str = "2h") -> Ended:
    options = ["--until", until, "--decided-by", "slt", "--reason", "the fair", *more]
    return run(school, "grants", "add", site, *options)


def test_a_grant_opens_a_site_until_it_is_revoked(school: School) -> None:
    assert lines(run(school, "grants", "list")) == ["There are no grants."]
    [said] = lines(add(school, "https://www.bet.example/now"))
    assert said.startswith("Grant 1: www.bet.example/now is open for everyone until ")
    asked = ("check", "--json", "www.bet.example/now/1", "www.bet.example")
    opened, beside = answers(run(school, *asked))
    assert (opened["verdict"], opened["reason"], opened["grant"]) == ("allow", "grant", 1)
    assert (beside["verdict"], beside["grant"]) == ("block", None)
    listed = lines(run(school, "grants", "list"))[1]
    assert listed.split()[:3] == ["1", "www.bet.example/now", "everyone"]
    assert listed.endswith("the fair")
    assert lines(run(school, "grants", "revoke", "1")) == ["Grant 1 is revoked."]
    assert answers(run(school, *asked))[0]["verdict"] == "block"
    assert lines(run(school, "grants", "list")) == ["There are no grants."]
    assert lines(run(school, "grants", "list", "--all"))[1].startswith("1 ")
    refused(run(school, "grants", "revoke", "1"), NO, "grant 1 was revoked already")


@pytest.mark.parametrize(
    ("site", "more", "until", "want"),
    [
        ("co.uk", [], "2h", "co.uk is no single site: everybody's sites are below it"),
        ("locked.example", [], "2h", "locked.example is locked: nobody here can open it"),
        ("a.example", ["--for", "group:pupil"], "2h", "there is no group 'pupil'; there are: pupils, staff"),
        ("a.example", [], "2020-01-01T00:00", "must lie after the start"),
        ("a.example", ["--reason", " "], "2h", "give a reason: it is what people are shown later"),
    ],
)  # fmt: skip
def test_a_grant_that_cannot_be_is_refused_in_a_sentence(
    school: School, site: str, more: Sequence[str], until: str, want: str
) -> None:
    refused(add(school, site, *more, until=until), NO, re.escape(want))


def test_a_grant_that_never_was_cannot_be_revoked(school: School) -> None:
    refused(run(school, "grants", "revoke", "7"), NO, "there is no grant 7")


def test_access_is_withdrawn_until_it_is_given_back(school: School) -> None:
    ended = run(school, "suspend", "10.0.0.7", "--until", "1d", "--reason", "See the office")
    assert lines(ended)[0].startswith("Access is withdrawn from client:10.0.0.7 until ")
    asked = ("check", "--json", "a.example", "--client", "10.0.0.7")
    [stopped] = answers(run(school, *asked))
    assert (stopped["verdict"], stopped["reason"], stopped["clause"]) == (
        "block", "suspended", "C-3",
    )  # fmt: skip
    assert lines(run(school, "unsuspend", "10.0.0.7")) == ["client:10.0.0.7 has access again."]
    assert answers(run(school, *asked))[0]["verdict"] == "monitor"
    refused(run(school, "unsuspend", "10.0.0.7"), NO, "client:10.0.0.7 is not suspended")


# -- the CA ---------------------------------------------------------------------------------------


@pytest.fixture
def with_ca(school: School) -> School:
    """A school whose CA was made by a first run."""
    authority.ensure(school.state / "ca", "Hill School", NOON)
    return school


def test_ca_show_gives_what_a_device_shows(with_ca: School, here: Here) -> None:
    info = authority.describe(with_ca.state / "ca")
    shown = dict(re.split(r" {2,}|(?<=valid from) +", line) for line in lines(here("ca", "show")))
    assert shown == {
        "subject": info.subject,
        "SHA-256": info.sha256,
        "valid from": "2026-11-21",
        "valid until": "2036-11-20",
        "file": str(with_ca.state / "ca" / CERTIFICATE),
    }


def test_ca_export_writes_the_certificate_without_its_key(
    with_ca: School, tmp_path: Path, here: Here
) -> None:
    file = tmp_path / "school.crt"
    assert lines(here("ca", "export", str(file))) == [
        f"The certificate is in {file}; it holds no secret."
    ]
    assert file.read_bytes() == (with_ca.state / "ca" / CERTIFICATE).read_bytes()
    assert b"PRIVATE" not in file.read_bytes()


def test_ca_export_to_where_nothing_can_be_written_ends_with_3(with_ca: School, here: Here) -> None:
    ended = here("ca", "export", str(with_ca.config / "school.crt"))
    refused(ended, OUT_OF_REACH, r"school\.crt cannot be written: Not a directory")


@pytest.mark.parametrize("arguments", [["ca", "show"], ["ca", "export", "school.crt"]])
def test_before_the_first_run_there_is_no_ca(arguments: Sequence[str], here: Here) -> None:
    refused(here(*arguments), OUT_OF_REACH, "There is no CA in .* yet")


# -- what is out of reach -------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def free_port() -> str:
    return f"127.0.0.1:{gateway.free_port()}"


def left_in_session(leader: int) -> list[str]:
    """Give the processes that are left of a session, by the session number in /proc."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            left.append(stat.parent.name)
    return left


@pytest.mark.parametrize(
    ("busy", "want"),
    [
        ("proxy", "The proxy cannot listen on {}: .*set proxy.listen to another address"),
        ("metrics", "The metrics cannot be served on {}: .*set metrics.listen to another address"),
    ],
)
def test_a_port_in_use_ends_with_3_and_leaves_nothing_half_started(
    school: School, taken: str, busy: str, want: str
) -> None:
    other = "metrics" if busy == "proxy" else "proxy"
    free = free_port()
    school.write_config(**{busy: {"listen": taken}, other: {"listen": free}})
    process = subprocess.Popen(
        [*gateway.COMMAND, "run", "--config", str(school.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, err = process.communicate(timeout=60)
    ended = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert gateway.eventually(lambda: left_in_session(process.pid) == [])
    host, port = free.split(":")
    with socket.create_server((host, int(port))):
        pass  # free again
    refused(ended, OUT_OF_REACH, want.format(re.escape(taken)))


def _damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _open_to_all(file: Path) -> None:
    file.chmod(0o644)


def _unreadable(file: Path) -> None:
    file.unlink()
    file.mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (_damage, "is damaged: .* Restore it from a backup"),
        (_open_to_all, r"can be read by others \(mode 0644\)\. Run 'chmod 600' on it"),
        (_unreadable, "cannot be read: Is a directory"),
    ],
    ids=["damaged", "readable by others", "unreadable"],
)
def test_a_ca_that_cannot_be_trusted_ends_with_3(
    with_ca: School, here: Here, spoil: Callable[[Path], None], want: str
) -> None:
    spoil(with_ca.state / "ca" / KEY_AND_CERTIFICATE)
    for command in (["run"], ["ca", "show"]):
        refused(here(*command), OUT_OF_REACH, want)
    # The index of the lists is no part of what runs.
    assert {path.name for path in with_ca.state.iterdir()} == {"ca", "lists"}


def test_a_state_directory_that_cannot_be_made_ends_with_3(school: School) -> None:
    ended = run(school, "run", "--state", str(school.config / "state"))
    refused(ended, OUT_OF_REACH, r"The state directory .* cannot be made: Not a directory")


def test_a_journal_that_cannot_be_written_ends_with_3(school: School) -> None:
    school.write_config(journal={"dir": str(school.policy / "journal")})
    ended = run(school, "run")
    refused(ended, OUT_OF_REACH, r"The journal cannot be written to .*: Not a directory")


@pytest.mark.parametrize(
    "command", [["run"], ["check", "a.example"], ["grants", "list"]], ids=" ".join
)  # fmt: skip
def test_a_corrupt_database_ends_with_3_and_is_left_as_it_is(
    school: School, command: Sequence[str]
) -> None:
    school.state.mkdir()
    database = school.state / "schoolgate.db"
    database.write_bytes(b"this is no database" * 500)
    refused(run(school, *command), OUT_OF_REACH, r"the database .* cannot be used \(.*\): ")
    assert database.read_bytes() == b"this is no database" * 500


def test_a_ca_for_origins_that_is_not_there_ends_with_3(school: School) -> None:
    school.write_config(proxy={"listen": "127.0.0.1:0", "upstream_ca": "nowhere.pem"})
    ended = run(school, "run")
    refused(ended, OUT_OF_REACH, r"The CA file .*nowhere\.pem of proxy\.upstream_ca cannot be read")


# -- run and doctor -------------------------------------------------------------------------------


def test_run_prints_where_everything_is_and_doctor_finds_that_it_filters(school: School) -> None:
    proxy, metrics = free_port(), free_port()
    school.write_config(
        state_dir=str(school.state),
        proxy={"listen": proxy, "workers": 2},
        metrics={"listen": metrics},
    )
    with gateway.running(school.config) as own:
        assert own.lines == [
            f"proxy    http://{proxy}",
            "no portal: portal.enabled is false",
            f"metrics  http://{metrics}/metrics",
            f"health   http://{metrics}/healthz",
            f"CA       {school.state / 'ca' / CERTIFICATE}",
            f"journal  {school.state / 'journal'}",
            "clauses not enforced yet: 1 (schoolgate policy check)",
            "schoolgate is filtering (policy hill, 5 domains, 2 workers)",
        ]
        found = lines(run(school, "doctor"))
        second = run(school, "run")
    # Of a machine whose clock nobody sets, or whose disk is small, it is noted; so is a missing licence.
    about = [line for line in found if not re.match(r"\w+ +(clock|disk|locked lists)", line)]
    assert [line.split()[0] for line in about] == ["ok"] * (len(found) - 3)
    assert any("feeds: no lists of others are fetched" in line for line in found)
    assert any("blocked categories: a site of each is refused (gambling" in line for line in found)
    assert any(" workers: 2 of 2 serve" in line for line in found)
    refused(second, OUT_OF_REACH, "cannot")


def test_doctor_exits_1_and_names_every_fault_when_nothing_runs(school: School) -> None:
    school.write_config(proxy={"listen": free_port()}, metrics={"listen": free_port()})
    school.policy.write_text("id: [")
    ended = run(school, "doctor")
    assert (ended.returncode, ended.stderr) == (NO, "")
    said = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
    marks = [mark for mark, what in said if what not in ("clock:", "disk")]
    assert marks == ["ok", "FAULT", "FAULT", "ok", "FAULT", "FAULT", "FAULT", "FAULT"]
    for words in ("hill.yaml:1: is not valid YAML", "There is no CA", "nothing answers on"):
        assert words in ended.stdout


def test_doctor_shows_a_broken_audit_trail(school: School) -> None:
    assert run(school, "suspend", "10.0.0.7", "--until", "1d", "--reason", "x").returncode == DONE
    with closing(sqlite3.connect(school.state / "schoolgate.db")) as database:
        database.execute("DROP TRIGGER audit_refuses_update")
        database.execute("UPDATE audit SET action = 'suspension.lifted'")
        database.commit()
    ended = run(school, "doctor")
    assert ended.returncode == NO
    assert re.search(r"FAULT +audit trail: entry 1 was changed", ended.stdout)


# -- help and pipes -------------------------------------------------------------------------------


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of every command that is no group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


EVERY = list(commands(cli))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_the_help_of_each_command_has_an_example(path: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, [*path, "--help"], env={"COLUMNS": "120"})
    assert ended.exit_code == DONE
    after_usage = ended.output.partition("Usage:")[2].partition("\n")[2]
    assert f"schoolgate {' '.join(path)}" in after_usage


def test_the_help_says_what_the_exit_codes_mean() -> None:
    output = CliRunner().invoke(cli, ["-h"], env={"COLUMNS": "120"}).output
    for words in ("0 done", "1 the answer is no", "2 wrong use or configuration", "3 something"):
        assert words in output


def test_the_version_is_shown() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output.startswith("schoolgate, version 0.")


@pytest.mark.parametrize(
    "command",
    [["check", "--json", "a.example"], ["check", "a.example"], ["explain", "a.example"], ["--help"]],
    ids=" ".join,
)  # fmt: skip
def test_output_that_nobody_reads_to_its_end_is_no_fault(
    school: School, command: Sequence[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    config = [] if command == ["--help"] else ["--config", str(school.config)]
    try:
        ended = subprocess.run(
            [*gateway.COMMAND, *command, *config],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (DONE, "")
