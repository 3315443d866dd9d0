"""The linter names every curated entry that would block too much or is in a wrong form."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.lists import lint_catalogue, remarks_on
from tests.school import category_text


def write(directory: Path, id_: str, domains: list[str], **keys: Any) -> None:
    (directory / f"{id_}.yaml").write_text(category_text(id_, id_.capitalize(), domains, **keys))


def lint(directory: Path, blocked: Collection[str] = ("games",)) -> list[Fault]:
    return lint_catalogue([directory], blocked)


def test_entries_in_order_have_no_fault(tmp_path: Path) -> None:
    write(tmp_path, "games", ["chess.example", "games.example/free", "10.0.0.5", "pages.co.uk"])
    write(tmp_path, "advice", ["help.example"], protected=True)
    assert lint(tmp_path) == []


@pytest.mark.parametrize(
    ("domains", "want"),
    [
        (["a.example", "b.example", "a.example"], ["'a.example' is listed twice"]),
        (["a.example", "A.example."],
         ["'A.example.' is listed twice",
          "'A.example.' is not in its plain form (write 'a.example')"]),
        (["münchen.example"],
         ["'münchen.example' is not in its plain form (write 'xn--mnchen-3ya.example')"]),
        (["a.example/B/"], ["'a.example/B/' is not in its plain form (write 'a.example/b')"]),
        (["a.example/"], ["'a.example/' is not in its plain form (write 'a.example')"]),
        (["www.a.example"],
         ["'www.a.example' begins with www. (the name without it covers both)"]),
        (["www.a.example/b"],
         ["'www.a.example/b' begins with www. (the name without it covers both)"]),
        (["com"], ["'com' is a bare label: it would cover a whole country or word"]),
        (["localhost"], ["'localhost' is a bare label: it would cover a whole country or word"]),
        (["co.uk"], ["'co.uk' is a public suffix: it would cover everybody below it"]),
        (["github.io"], ["'github.io' is a public suffix: it would cover everybody below it"]),
        (["*.co.uk"], ["'co.uk' is a public suffix: it would cover everybody below it"]),
        (["=github.io", "=www.a.example", "*.www.a.example", "*.a.example"], []),
        (["*.com"], ["'*.com' is a bare label: it would cover a whole country or word"]),
        (["=A.example"], ["'=A.example' is not in its plain form (write '=a.example')"]),
        (["=a.example", "*.a.example", "=a.example"], ["'=a.example' is listed twice"]),
        (["*.cdn.example"], ["'cdn.example' carries everybody's content (see shared-hosts.txt)"]),
        (["github.io/x"], []),
        (["me.github.io", "a.co.uk"], []),
        (["cdn.example"], ["'cdn.example' carries everybody's content (see shared-hosts.txt)"]),
        (["cdn.example/games"], []),
        (["my.cdn.example"], []),
        (["script.example"],
         ["'script.example' carries everybody's content (see shared-hosts.txt)"]),
    ],
)  # fmt: skip
def test_an_entry_that_covers_too_much_or_is_written_wrongly_is_named(
    tmp_path: Path, domains: list[str], want: list[str]
) -> None:
    write(tmp_path, "games", domains)
    (tmp_path / "shared-hosts.txt").write_text("# shared\ncdn.example\n\nscript.example  # fonts\n")
    prefix = f"{tmp_path / 'games.yaml'}:"
    found = [str(fault).removeprefix(prefix).partition(": ") for fault in lint(tmp_path)]
    assert [message for _, _, message in found] == want
    assert all(int(line) > 0 for line, _, _ in found)


@pytest.mark.parametrize("domain", ["uk", "github.io", "co.uk"])
def test_a_category_of_public_suffixes_may_name_them(tmp_path: Path, domain: str) -> None:
    write(tmp_path, "hosting", [domain], public_suffixes=True)
    assert lint(tmp_path) == []


def test_a_protected_category_may_name_what_everybody_shares(tmp_path: Path) -> None:
    write(tmp_path, "advice", ["cdn.example"], protected=True)
    (tmp_path / "shared-hosts.txt").write_text("cdn.example\n")
    assert lint(tmp_path) == []


@pytest.mark.parametrize(
    ("blocked", "protected", "want"),
    [
        ("help.example", "help.example", True),
        ("example.org", "help.example.org", True),
        ("example.org/games", "example.org/games/help", True),
        ("help.example.org", "example.org", False),
        ("example.org/games", "example.org", False),
        ("example.org/games", "example.org/gameshelp", False),
        ("nothelp.example", "help.example", False),
        ("=help.example", "help.example", True),
        ("*.help.example", "a.help.example", True),
        ("*.help.example", "*.help.example", True),
        ("help.example", "*.help.example", True),
        ("=help.example", "*.help.example", False),
        ("*.help.example", "help.example", True),
        ("*.help.example", "=help.example", False),
        ("=help.example", "a.help.example", False),
    ],
)
def test_a_blocked_entry_must_not_cover_a_site_that_is_never_to_be_blocked(
    tmp_path: Path, blocked: str, protected: str, want: bool
) -> None:
    write(tmp_path, "games", ["chess.example", blocked])
    write(tmp_path, "advice", [protected], protected=True)
    faults = lint(tmp_path)
    message = f"'{blocked}' covers '{protected}', which is never to be blocked"
    assert [fault.message for fault in faults] == ([message] if want else [])
    assert {Path(fault.file).name for fault in faults} == ({"games.yaml"} if want else set())


def test_what_the_policy_does_not_block_may_lie_beside_a_protected_site(tmp_path: Path) -> None:
    write(tmp_path, "games", ["help.example"])
    write(tmp_path, "advice", ["help.example"], protected=True)
    assert lint(tmp_path, blocked=["news"]) == []
    assert len(lint(tmp_path, blocked=["games"])) == 1


def test_the_same_site_in_two_categories_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path, "games", ["a.example"])
    write(tmp_path, "news", ["a.example"])
    assert lint(tmp_path) == []


def test_faults_stand_in_the_line_of_their_entry(tmp_path: Path) -> None:
    write(tmp_path, "games", ["a.example", "www.b.example", "c.example"])
    [fault] = lint(tmp_path)
    lines = (tmp_path / "games.yaml").read_text().splitlines()
    assert lines[fault.line - 1] == "- www.b.example"


def test_files_that_cannot_be_read_are_no_matter_of_style(tmp_path: Path) -> None:
    (tmp_path / "games.yaml").write_text("id: [")
    with pytest.raises(ConfigurationError, match="is not valid YAML"):
        lint(tmp_path)


def test_of_two_entries_for_one_host_only_the_one_that_covers_is_named(tmp_path: Path) -> None:
    write(tmp_path, "games", ["=example.org", "*.example.org"])
    write(tmp_path, "advice", ["help.example.org"], protected=True)
    [fault] = lint(tmp_path)
    assert fault.message.startswith("'*.example.org' covers 'help.example.org'")


@pytest.mark.parametrize(
    ("written", "blocks", "refused", "said"),
    [
        ("games.example", True, "", ""),
        ("com", False, "bare label", ""),
        ("github.io", True, "public suffix", ""),
        ("*.co.uk", True, "public suffix", ""),
        ("=github.io", True, "", ""),
        ("www.a.example", True, "", "begins with www."),
        ("cdn.example", False, "", "carries everybody's content"),
        ("help.example", True, "", "never to be blocked by mistake"),
        ("example/x", True, "bare label", ""),
        ("help.example", False, "", ""),
    ],
)
def test_a_single_entry_is_judged_alike(
    tmp_path: Path, written: str, blocks: bool, refused: str, said: str
) -> None:
    write(tmp_path, "advice", ["line.help.example"], protected=True)
    (tmp_path / "shared-hosts.txt").write_text("cdn.example\n")
    entry = ListEntry.parse(written, "local-block", "local")
    found = remarks_on([tmp_path], entry, blocks=blocks)
    assert (bool(found.refused), bool(found.said)) == (bool(refused), bool(said))
    assert refused in "".join(found.refused)
    assert said in "".join(found.said)
