"""Lists of others: `feeds/FEED/CATEGORY.txt`, one entry a line."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lists.kept import Lists, as_another_user, evidence, found


def test_what_others_list_is_found_with_the_list_that_has_it(lists: Lists) -> None:
    lists.supply("one", "games", "chess.example\nb.example\n")
    lists.supply("two", "games", "b.example\n")
    lists.supply("two", "advice", "b.example\n")
    catalogue = lists.make()
    assert evidence(catalogue, "www.chess.example") == {
        ("chess.example", "games", "curated"), ("chess.example", "games", "one"),
    }  # fmt: skip
    assert evidence(catalogue, "b.example") == {
        ("b.example", "games", "one"),
        ("b.example", "games", "two"),
        ("b.example", "advice", "two"),
    }
    assert found(catalogue, "b.example") == ("advice", "games")
    assert catalogue.sites.counts == {"games": 3, "advice": 3}
    assert catalogue.sites.feed_counts == {"curated": 4, "one": 2, "two": 1}
    assert catalogue.sites.names == 5


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a.example", ["a.example"]),
        ("\n\n# a comment\n#another\na.example\n \n\t\n", ["a.example"]),
        ("# a comment\r\na.example\r\n\r\nb.example\r\n", ["a.example", "b.example"]),
        ("  a.example \t\n", ["a.example"]),
        ("A.EXAMPLE\nB.Example.\n", ["a.example", "b.example"]),
        ("münchen.example\nBÜCHER.example\n",
         ["xn--bcher-kva.example", "xn--mnchen-3ya.example"]),
        ("xn--mnchen-3ya.example", ["xn--mnchen-3ya.example"]),
        ("a.example/Games/\nb.example/x/../y\n", ["a.example/games", "b.example/y"]),
        ("=a.example\n*.b.example\n", ["*.b.example", "=a.example"]),
        ("10.0.0.5\n[2001:DB8::1]\n", ["10.0.0.5", "[2001:db8::1]"]),
        ("\ufeffa.example\nb.example\n", ["a.example", "b.example"]),
        ("a.example\na.example\nA.example\n", ["a.example"]),
    ],
)  # fmt: skip
def test_a_line_of_a_list_is_brought_into_the_form_in_which_sites_are_compared(
    lists: Lists, text: str, want: list[str]
) -> None:
    lists.supply("one", "games", text)
    catalogue = lists.make()
    [made] = lists.builds
    assert made.refused == ()
    asked = [line.lstrip("=").replace("*.", "www.").partition("/") for line in want]
    hits = {
        entry.text
        for host, slash, path in asked
        for entry in catalogue.sites.entries(host, slash + path or "/")
        if entry.feed == "one"
    }
    assert sorted(hits) == sorted(want)
    # Beside the four that are curated.
    assert (len(catalogue.sites), catalogue.sites.feed_counts["one"]) == (4 + len(want), len(want))


def test_a_line_that_is_no_entry_is_left_out_and_named_and_the_rest_is_kept(
    lists: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        b"# entries\na.example\n\nhttps://b.example/\nc.example\r\nd e\n\n\xff\xfe.example\n"
        b"f.example:80\ng.example\nh.*.example\ni.example/?q\nj.example\nk.example\nl.example\n"
        b"m.example"
    )
    path = lists.supply("one", "games", text)
    catalogue = lists.make()
    [made] = lists.builds
    assert [(line.source, line.line) for line in made.refused] == [
        (str(path), number) for number in (4, 6, 8, 9, 11, 12)
    ]
    messages = {line.line: line.message for line in made.refused}
    assert messages[4] == (
        "'https://b.example/' has a scheme or a port; write only host or host/path"
    )
    assert messages[6] == "'d e' is not a host name"
    assert catalogue.sites.feed_counts["one"] == 7
    assert found(catalogue, "www.m.example") == ("games",)
    [said] = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert said == (
        f"6 lines of lists are no entries and were left out; the first: {path}:4: {messages[4]}"
    )


ERROR_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><title>502 Bad Gateway</title></head>
<body>

<h1>502 Bad Gateway</h1>
<p>The upstream of this list did not answer.</p>
</body>
</html>
"""


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (ERROR_PAGE, "8 of its 8 lines are no host"),
        (b"\x1f\x8b\x08\x00\x00\xff\xfe\x00\x01", "1 of its 1 lines are no host"),
        ("0.0.0.0 a.example\n0.0.0.0 b.example\nc.example\n", "2 of its 3 lines are no host"),
        ("||a.example^\n||b.example^\nc.example\n", "2 of its 3 lines are no host"),
        ("# a word\n\n" * 9 + "0.0.0.0 a.example\n", "1 of its 1 lines are no host"),
        ("a.example\rb.example\rc.example\r", "1 of its 1 lines are no host"),
        ("a.example\r\nb.example\r\nc.example\r\n".encode("utf-16"), "3 of its 4 lines are no host"),
    ],
    ids=[
        *("an error page", "a packed file", "a hosts file", "rules of a browser's filter"),
        "nothing but comments beside",
        "lines that do not end as lines do",
        "two bytes a letter",
    ],
)  # fmt: skip
def test_a_file_most_of_whose_lines_are_no_entries_is_no_list(
    lists: Lists, text: str | bytes, want: str
) -> None:
    path = lists.supply("one", "games", text)
    lists.supply("two", "games", "a.example\nb c\n")
    assert lists.faults() == [f"{path}: is no list: {want} (remove it)"]
    assert not lists.places.index.exists()


def _unknown_category(lists: Lists) -> tuple[Path, str]:
    return lists.supply("one", "gamse", "a.example\n"), "there is no category 'gamse'"


def _curated(lists: Lists) -> tuple[Path, str]:
    path = lists.supply("curated", "games", "a.example\n")
    return path, "'curated' is the name of schoolgate's own lists"


def _folder(lists: Lists) -> tuple[Path, str]:
    path = lists.state / "feeds/one/games.txt"
    path.mkdir(parents=True)
    return path, "is not a file"


def _pipe(lists: Lists) -> tuple[Path, str]:
    path = lists.supply("one", "games", "")
    path.unlink()
    os.mkfifo(path)
    return path, "is not a file"


def _leads_nowhere(lists: Lists) -> tuple[Path, str]:
    path = lists.supply("one", "games", "")
    path.unlink()
    path.symlink_to("nowhere")
    return path, "is not a file"


def _emptied(lists: Lists) -> tuple[Path, str]:
    return lists.supply("one", "games", ""), "holds nothing (remove it if that is meant)"


def _only_comments(lists: Lists) -> tuple[Path, str]:
    path = lists.supply("one", "games", "# nothing\n\n  # at all\n")
    return path, "holds nothing (remove it if that is meant)"


@pytest.mark.parametrize(
    "supply",
    [_unknown_category, _curated, _folder, _pipe, _leads_nowhere, _emptied, _only_comments],
)
def test_a_list_that_cannot_be_taken_is_a_fault_and_what_was_good_is_kept(
    lists: Lists, supply: Callable[[Lists], tuple[Path, str]]
) -> None:
    lists.make()
    before = lists.identity()
    path, want = supply(lists)
    assert lists.faults() == [f"{path}: {want}"]
    assert lists.identity() == before


@pytest.mark.parametrize(
    ("where", "mode", "named"),
    [
        ("feeds/one/games.txt", 0o000, "feeds/one/games.txt"),
        ("feeds/one", 0o700, "feeds/one"),
        ("feeds", 0o700, "feeds"),
        ("feeds", 0o744, "feeds/one"),
        (".", 0o700, "live"),
    ],
)
def test_what_may_not_be_read_is_a_fault_and_not_empty(
    lists: Lists, tmp_path: Path, where: str, mode: int, named: str
) -> None:
    lists.supply("one", "games", "a.example\n")
    for folder in (tmp_path, lists.state.parent):
        folder.chmod(0o755)
    (lists.state / where).chmod(mode)
    said = as_another_user(
        tmp_path,
        "load_catalogue(ListPlaces([Path('categories')], Path('state/lists')), "
        "datetime.now(UTC), keep=False)",
    ).stdout
    assert said == f"ConfigurationError state/lists/{named}: cannot be read: Permission denied\n"


def test_a_folder_that_has_gone_meanwhile_does_not_take_the_others_with_it(lists: Lists) -> None:
    lists.supply("one", "games", "a.example\n")
    gone = lists.state / "feeds/two"
    gone.symlink_to("nowhere")
    assert lists.faults() == [f"{gone}: cannot be read: No such file or directory"]


def test_the_faults_of_all_lists_of_others_are_named_at_once(lists: Lists) -> None:
    wrong = [_unknown_category(lists), _curated(lists)]
    assert sorted(lists.faults()) == sorted(f"{path}: {want}" for path, want in wrong)


def test_a_file_that_an_editor_left_behind_is_no_list(lists: Lists) -> None:
    lists.supply("one", ".#gamse", "a.example\n")
    assert found(lists.make(), "a.example") == ()


def test_a_line_that_is_longer_than_any_address_is_left_out(lists: Lists) -> None:
    long = "x" * 70_000
    text = f"a.example\nb.example/{long}\n{long}.example\nc.example\nd.example\n"
    lists.supply("one", "games", text)
    catalogue = lists.make()
    [made] = lists.builds
    assert [(line.line, "is too long" in line.message) for line in made.refused] == [
        (2, True), (3, True),
    ]  # fmt: skip
    assert all(len(line.message) < 300 for line in made.refused)
    assert found(catalogue, "c.example") == ("games",)
