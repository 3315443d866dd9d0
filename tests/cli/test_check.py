"""`schoolgate check` and `explain`: what would happen to a site, and why, in words and in JSON."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.ended import DONE, NO, Here, answers, lines, refused, run
from tests.school import School

KEYS = [
    "url", "host", "verdict", "reason", "clause", "category", "categories", "entry", "feed",
    "grant", "group", "period", "tls", "obligations", "contents", "rule", "policy", "at",
]  # fmt: skip


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
