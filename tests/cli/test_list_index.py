"""`schoolgate lists`: the index of all lists, what is in it, and what is wrong with the lists."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.ended import DONE, NO, OUT_OF_REACH, WRONG, Ended, Here, lines, refused, run
from tests.school import School, category_text

STATUS_KEYS = [
    "file", "version", "built", "fresh", "domains", "entries", "size_bytes", "native",
    "categories", "feeds", "generation", "generations", "fetched", "locked",
]  # fmt: skip


def supply(school: School, feed: str, category: str, text: str) -> Path:
    """Put a list of others where the index takes it from."""
    path = school.state / "lists" / "feeds" / feed / f"{category}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def index(school: School) -> Path:
    return school.state / "lists" / "sites.index"


def rows(ended: Ended) -> list[list[str]]:
    """Give the words of each line."""
    return [line.split() for line in lines(ended)]


# -- build ----------------------------------------------------------------------------------------


def test_build_says_what_is_in_the_index_and_how_big_it_is(school: School) -> None:
    supply(school, "ut1", "games", "# theirs\na.example\nb.example\nchess.example\n")
    ended = run(school, "lists", "build")
    assert ended.stderr == ""
    found = lines(ended)
    assert [line.split() for line in found[:5]] == [
        ["category", "domains"],
        ["games", "4"],
        ["advice", "1"],
        ["gambling", "1"],
        ["vpn", "1"],
    ]
    assert found[5] == "lists: curated 5, ut1 3"
    number = r"\d+\.\d"
    want = rf"{number} s, {number} MB \({number} bytes a domain\), version [0-9a-f]{{12}}"
    assert re.fullmatch(rf"{re.escape(str(index(school)))}: 7 domains in {want}", found[6])
    assert len(found) == 7


def test_build_builds_even_if_nothing_changed_and_keeps_the_index_before(
    school: School, here: Here
) -> None:
    inodes = []
    for _ in range(2):
        assert here("lists", "build").returncode == DONE
        inodes.append(index(school).stat().st_ino)
    assert inodes[0] != inodes[1]
    assert index(school).with_name("sites.index.previous").stat().st_ino == inodes[0]


@pytest.mark.parametrize(
    ("options", "shown", "last"),
    [
        ([], 20, ["… and 5 more (--all-refused)"]),
        (["--all-refused"], 25, []),
    ],
)
def test_build_names_each_line_that_is_no_entry_with_its_place(
    school: School, here: Here, options: Sequence[str], shown: int, last: list[str]
) -> None:
    good = "".join(f"n{number}.example\n" for number in range(30))
    bad = "".join(f"[b]{number} :x: [c]\n" for number in range(25))
    path = supply(school, "ut1", "games", good + bad)
    ended = here("lists", "build", *options)
    assert ended.returncode == DONE
    said = [line for line in ended.stderr.splitlines() if not line.startswith("WARNING")]
    assert said == [
        *(f"{path}:{31 + n}: left out: '[b]{n} :x: [c]' is not a host name" for n in range(shown)),
        *last,
    ]
    assert "lists: curated 5, ut1 30" in ended.stdout


def test_build_of_a_list_with_a_fault_ends_with_2_and_leaves_the_index(
    school: School, here: Here
) -> None:
    assert here("lists", "build").returncode == DONE
    before = index(school).read_bytes()
    path = supply(school, "ut1", "gamse", "a.example\n")
    ended = here("lists", "build")
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert ended.stderr == (
        f"schoolgate: {path}: there is no category 'gamse'\n1 fault in the configuration.\n"
    )
    assert index(school).read_bytes() == before


def test_build_where_nothing_can_be_kept_ends_with_3(school: School, here: Here) -> None:
    school.state.write_text("a file")
    refused(here("lists", "build"), OUT_OF_REACH, "Nothing can be kept in .*state/lists: ")


# -- status ---------------------------------------------------------------------------------------


def test_status_of_an_index_of_the_lists_as_they_are_exits_0(school: School) -> None:
    run(school, "lists", "build")
    ended = run(school, "lists", "status")
    assert ended.stderr == ""
    found = lines(ended)
    assert found[5] == "lists: curated 5"
    assert found[6].startswith(f"{index(school)}: 5 domains, 0.0 MB (")
    assert re.fullmatch(
        r"version [0-9a-f]{12}, built 20\S+T\S+\+00:00, of the lists as they are", found[7]
    )
    assert re.fullmatch(r"reader: (native|Python .*); checksums: right", found[8])


def test_status_in_json_has_exactly_these_keys(school: School, here: Here) -> None:
    supply(school, "ut1", "games", "a.example\nchess.example\n")
    here("lists", "build")
    [said] = lines(here("lists", "status", "--json"))
    status = json.loads(said)
    assert list(status) == STATUS_KEYS
    assert status | {"version": "", "built": "", "native": True} == {
        "file": str(index(school)),
        "version": "",
        "built": "",
        "fresh": True,
        "domains": 6,
        "entries": 7,
        "size_bytes": index(school).stat().st_size,
        "native": True,
        "categories": {"advice": 1, "gambling": 1, "games": 3, "vpn": 1},
        "feeds": {"curated": 5, "ut1": 2},
        "generation": 0,
        "generations": [],
        "fetched": [],
        "locked": [],
    }


def _curated(school: School) -> None:
    text = category_text("games", "Games", ["chess.example"])
    (school.categories / "games.yaml").write_text(text)


def _supplied(school: School) -> None:
    supply(school, "ut1", "games", "a.example\n")


@pytest.mark.parametrize("change", [_curated, _supplied])
def test_status_of_an_index_that_is_older_than_the_lists_exits_1(
    school: School, here: Here, change: Callable[[School], None]
) -> None:
    here("lists", "build")
    change(school)
    plain, in_json = here("lists", "status"), here("lists", "status", "--json")
    assert (plain.returncode, in_json.returncode) == (NO, NO)
    assert "OLDER than the lists: schoolgate lists build" in plain.stdout
    assert json.loads(in_json.stdout)["fresh"] is False
    here("lists", "build")
    assert here("lists", "status").returncode == DONE


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_status_where_there_is_no_index_exits_1_and_makes_none(
    school: School, here: Here, options: Sequence[str]
) -> None:
    ended = here("lists", "status", *options)
    assert (ended.returncode, ended.stdout) == (NO, "")
    assert ended.stderr == (
        f"{index(school)} does not exist yet: schoolgate lists build makes it.\n"
    )
    assert not school.state.exists()


def test_status_of_a_damaged_index_exits_2_and_says_what_is_wrong(
    school: School, here: Here
) -> None:
    here("lists", "build")
    index(school).chmod(0o644)
    image = index(school).read_bytes()
    index(school).write_bytes(image[:-1])
    ended = here("lists", "status")
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert ended.stderr.startswith(
        f"schoolgate: {index(school)}: has {len(image) - 1} bytes where {len(image)} were written "
        "(schoolgate lists build makes it anew)\n"
    )
    here("lists", "build")
    assert here("lists", "status").returncode == DONE


# -- show -----------------------------------------------------------------------------------------


@pytest.fixture
def listed(school: School) -> School:
    """A school with sites that several lists have."""
    supply(school, "ut1", "games", "chess.example\n=www.chess.example\nchess.example/play\n")
    supply(school, "ut1", "gambling", "*.chess.example\n")
    (school.local / "block.txt").write_text("chess.example/play/now\nshop.example\n")
    (school.local / "allow.txt").write_text("*.shop.example\n")
    return school


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("bet.example", [["bet.example", "gambling", "curated"]]),
        ("http://WWW.Bet.Example.:8080/a?b", [["bet.example", "gambling", "curated"]]),
        ("chess.example",
         [["chess.example", "games", "curated"], ["chess.example", "games", "ut1"]]),
        ("chess.example/playing",
         [["chess.example", "games", "curated"], ["chess.example", "games", "ut1"]]),
        ("www.chess.example",
         [["=www.chess.example", "games", "ut1"], ["*.chess.example", "gambling", "ut1"],
          ["chess.example", "games", "curated"], ["chess.example", "games", "ut1"]]),
        ("chess.example/play/now/1",
         [["chess.example/play/now", "local-block", "local/block.txt"],
          ["chess.example/play", "games", "ut1"],
          ["chess.example", "games", "curated"], ["chess.example", "games", "ut1"]]),
        ("www.shop.example",
         [["*.shop.example", "local-allow", "local/allow.txt"],
          ["shop.example", "local-block", "local/block.txt"]]),
        ("play.example/now", [["play.example/now", "rule:no-play", "policy"]]),
    ],
)  # fmt: skip
def test_show_names_every_entry_of_every_list_that_covers_a_page(
    listed: School, here: Here, address: str, want: list[list[str]]
) -> None:
    header, *found = rows(here("lists", "show", address))
    assert header == ["entry", "category", "list"]
    # Entries of one length have no order among themselves.
    assert sorted(found) == sorted(want)
    assert [row[0].lstrip("=*.") for row in found] == [row[0].lstrip("=*.") for row in want]


def test_show_in_json_gives_one_object_an_entry(listed: School, here: Here) -> None:
    found = [json.loads(line) for line in lines(here("lists", "show", "--json", "a.chess.example"))]
    assert sorted(found, key=str) == [
        {"entry": "*.chess.example", "category": "gambling", "feed": "ut1", "reach": "below"},
        {"entry": "chess.example", "category": "games", "feed": "curated", "reach": "site"},
        {"entry": "chess.example", "category": "games", "feed": "ut1", "reach": "site"},
    ]


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("nothing.example", "nothing.example"),
        ("https://nothing.example/", "nothing.example"),
        ("play.example/nowhere", "play.example/nowhere"),
        ("[fd00::5]", "[fd00::5]"),
        ("nothing.example/[/b]", "nothing.example/[/b]"),
    ],
)
def test_show_of_what_no_list_has_exits_1(
    school: School, here: Here, options: Sequence[str], address: str, named: str
) -> None:
    ended = here("lists", "show", *options, address)
    assert (ended.returncode, ended.stdout) == (NO, "")
    assert ended.stderr == f"No list has {named}.\n"


@pytest.mark.parametrize(
    "entry", ["[fd00::5]", "a.example/[b]/x", "a.example/[/b]", "a.example/:x:"]
)
def test_an_entry_with_brackets_is_shown_as_it_is(school: School, here: Here, entry: str) -> None:
    text = category_text("games", "Games", [entry])
    (school.categories / "games.yaml").write_text(text)
    assert rows(here("lists", "show", entry))[1:] == [[entry, "games", "curated"]]


def test_show_of_what_is_no_address_is_refused_in_a_sentence(here: Here) -> None:
    refused(here("lists", "show", "a b"), NO, "is not a URL")


def test_show_answers_from_the_lists_as_they_are_and_makes_no_files(
    school: School, here: Here
) -> None:
    assert here("lists", "show", "bet.example").returncode == DONE
    assert not school.state.exists()
    here("lists", "build")
    before = index(school).stat()
    supply(school, "ut1", "games", "new.example\n")
    assert rows(here("lists", "show", "new.example"))[1:] == [["new.example", "games", "ut1"]]
    after = index(school).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


# -- lint -----------------------------------------------------------------------------------------


def test_lint_counts_the_entries_when_all_is_well(school: School) -> None:
    assert lines(run(school, "lists", "lint")) == ["5 sites in 4 categories: no faults."]


def test_lint_names_each_fault_and_exits_1(school: School) -> None:
    text = category_text("games", "Games", ["www.chess.example", "co.uk"])
    (school.categories / "games.yaml").write_text(text)
    ended = run(school, "lists", "lint")
    assert (ended.returncode, ended.stderr) == (NO, "2 faults.\n")
    first, second = ended.stdout.splitlines()
    assert re.search(r"games\.yaml:5: 'www\.chess\.example' begins with www\.", first)
    assert re.search(r"games\.yaml:6: 'co\.uk' is a public suffix", second)


def test_lint_on_files_that_cannot_be_read_exits_2(school: School, here: Here) -> None:
    (school.categories / "games.yaml").write_text("id: [")
    assert here("lists", "lint").returncode == WRONG
