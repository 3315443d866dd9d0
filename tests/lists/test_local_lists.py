"""The school's own lists: one host or host/path a line."""

from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import ConfigurationError, RefusedError
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK, LOCAL_PASS
from schoolgate.lists import (
    BLOCK,
    load_local_lists,
    pass_unread,
    read_local_file,
    replacing,
    why_not_writable,
    with_line,
    without_line,
)
from tests.lists.kept import as_another_user


def write(directory: Path, **lists: str) -> Path:
    for name, text in lists.items():
        (directory / f"{name}.txt").write_text(text)
    return directory


def test_each_list_says_what_the_school_opens_or_closes(tmp_path: Path) -> None:
    write(tmp_path, allow="a.example\n", block="b.example\n")
    assert load_local_lists(tmp_path) == (
        ListEntry("b.example", "/", LOCAL_BLOCK, "local/block.txt"),
        ListEntry("a.example", "/", LOCAL_ALLOW, "local/allow.txt"),
    )


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", []),
        ("\n\n  \n", []),
        ("# nothing\n", []),
        ("a.example", ["a.example"]),
        ("a.example\r\nb.example\r\n", ["a.example", "b.example"]),
        ("  a.example  # the fair, until May\n", ["a.example"]),
        ("A.EXAMPLE.\nb.example/Page/\n", ["a.example", "b.example/page"]),
        ("10.0.0.5\n[2001:db8::1]\n", ["10.0.0.5", "[2001:db8::1]"]),
        ("\ufeffa.example", ["a.example"]),
        ("münchen.example", ["xn--mnchen-3ya.example"]),
        ("=a.example\n*.b.example\n", ["=a.example", "*.b.example"]),
    ],
)
def test_a_line_is_a_site_and_what_follows_a_hash_a_comment(
    tmp_path: Path, text: str, want: list[str]
) -> None:
    write(tmp_path, allow=text)
    assert [entry.text for entry in load_local_lists(tmp_path)] == want


def test_lists_that_are_not_there_are_empty(tmp_path: Path) -> None:
    assert load_local_lists(tmp_path) == ()


def test_a_directory_that_is_not_there_is_a_fault_and_no_empty_list(tmp_path: Path) -> None:
    """The school's own blocks must not vanish unnoticed."""
    with pytest.raises(ConfigurationError, match="nowhere: is not a directory"):
        load_local_lists(tmp_path / "nowhere")


def test_every_line_that_is_no_site_is_named_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        block="fine.example\nhttps://a.example/\n",
        allow="# comment\na b\n\nb.*.example\nc.example/?q\nd.example:80\n",
    )
    with pytest.raises(ConfigurationError) as caught:
        load_local_lists(tmp_path)
    found = [(Path(f.file).name, f.line) for f in caught.value.faults]
    assert found == [*(("allow.txt", line) for line in (2, 4, 5, 6)), ("block.txt", 2)]
    assert {f.hint for f in caught.value.faults} == {"write only host or host/path"}


def test_a_list_that_is_not_utf_8_is_named_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "allow.txt").write_bytes(b"a.example\nm\xfcnchen.example\n")
    with pytest.raises(ConfigurationError, match=r"allow\.txt:2: is not UTF-8 text"):
        load_local_lists(tmp_path)


def test_lists_in_a_directory_that_may_not_be_entered_are_faults_and_not_empty(
    tmp_path: Path,
) -> None:
    local = tmp_path / "local"
    local.mkdir(mode=0o700)
    (local / "block.txt").write_text("a.example\n")
    tmp_path.chmod(0o755)
    said = as_another_user(tmp_path, "print(load_local_lists(Path('local')))").stdout
    assert said == (
        "ConfigurationError local/allow.txt: cannot be read: Permission denied\n"
        "local/block.txt: cannot be read: Permission denied\n"
        "local/pass.txt: cannot be read: Permission denied\n"
    )


# -- changed by people ------------------------------------------------------------------------------

ENTRY = ListEntry.parse("new.example", LOCAL_BLOCK, "local/block.txt")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", "new.example  # why\n"),
        ("a.example\n", "a.example\nnew.example  # why\n"),
        ("a.example", "a.example\nnew.example  # why\n"),
        ("# a\r\na.example\r\n", "# a\r\na.example\r\nnew.example  # why\r\n"),
        ("\ufeffa.example\n", "\ufeffa.example\nnew.example  # why\n"),
    ],
)
def test_a_line_is_added_at_the_end(text: str, want: str) -> None:
    assert with_line(text, ENTRY, "why") == want


@pytest.mark.parametrize("path", ["/#x", "/x\ny.example", "/x\u2028y.example"])
def test_a_line_that_would_be_read_as_another_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="does not fit into a line"):
        with_line("", replace(ENTRY, path=path), "why")


@pytest.mark.parametrize("remark", ["why\ncom", "why\u2028y.example #", "why\x0by.example"])
def test_a_remark_makes_no_line_of_its_own(remark: str) -> None:
    with pytest.raises(RefusedError, match="does not fit into a line"):
        with_line("", ENTRY, remark)


@pytest.mark.parametrize(
    ("text", "number", "want"),
    [
        ("# a\na.example # x\n\nb.example\n", 2, "# a\n\nb.example\n"),
        ("# a\na.example", 2, "# a\n"),
        ("\ufeffa.example\nb.example\n", 1, "\ufeffb.example\n"),
        ("a.example\r\nb.example\r\n", 1, "b.example\r\n"),
    ],
)
def test_a_line_is_taken_away_and_all_else_stays(text: str, number: int, want: str) -> None:
    assert without_line(text, number) == want


def test_a_list_is_read_with_its_remarks_and_its_faults(tmp_path: Path) -> None:
    write(tmp_path, block="# of ours\n\nb.example  # may\nhttps://c.example\n")
    found = read_local_file(tmp_path, BLOCK)
    assert [(line.number, line.written, line.remark) for line in found.lines] == [
        (3, "b.example", "may"), (4, "https://c.example", ""),
    ]  # fmt: skip
    assert found.lines[0].entry == ListEntry("b.example", "/", LOCAL_BLOCK, "local/block.txt")
    assert "scheme" in found.lines[1].fault
    assert read_local_file(tmp_path, "allow.txt").lines == ()


def test_a_list_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = write(tmp_path, block="a.example\n") / BLOCK
    path.chmod(0o640)
    seen = read_local_file(tmp_path, BLOCK)
    with replacing(seen, lambda text: text + "b.example\n"):
        assert path.read_text() == "a.example\n", "not before what belongs to it is done"
    assert path.read_text() == "a.example\nb.example\n"
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(RefusedError, match="was changed meanwhile"), replacing(seen, str.upper):
        pass
    assert path.read_text() == "a.example\nb.example\n"
    assert [one.name for one in tmp_path.iterdir()] == [BLOCK]


def test_nothing_is_replaced_when_what_belongs_to_it_fails(tmp_path: Path) -> None:
    path = write(tmp_path, block="a.example\n") / BLOCK
    with pytest.raises(ZeroDivisionError), replacing(read_local_file(tmp_path, BLOCK), str.upper):
        raise ZeroDivisionError
    assert path.read_text() == "a.example\n"
    assert [one.name for one in tmp_path.iterdir()] == [BLOCK]


def test_a_list_that_is_not_there_is_made_and_a_link_stays_one(tmp_path: Path) -> None:
    with replacing(read_local_file(tmp_path, BLOCK), lambda text: f"{text}a.example\n"):
        pass
    (tmp_path / "real").mkdir()
    (tmp_path / "allow.txt").symlink_to(tmp_path / "real" / "list")
    with replacing(read_local_file(tmp_path, "allow.txt"), lambda text: f"{text}b.example\n"):
        pass
    assert (tmp_path / "allow.txt").is_symlink()
    assert [entry.text for entry in load_local_lists(tmp_path)] == ["a.example", "b.example"]


def test_who_may_not_write_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, block="a.example\n")
    tmp_path.chmod(0o555)
    code = (
        "from schoolgate.lists import read_local_file, replacing, why_not_writable; "
        "seen = read_local_file(Path('.'), 'block.txt'); print(why_not_writable(seen)); "
        "replacing(seen, str.upper).__enter__()"
    )
    try:
        said = as_another_user(tmp_path, code).stdout.splitlines()
    finally:
        tmp_path.chmod(0o755)
    assert said[0].startswith("The portal may not write to ")
    assert said[1].startswith("RefusedError block.txt cannot be written (Permission denied)")
    assert why_not_writable(read_local_file(tmp_path, BLOCK)) == ""


def test_what_is_passed_unread_is_a_whole_site(tmp_path: Path) -> None:
    (tmp_path / "pass.txt").write_text("=api.example\nb.example # a bank\n")
    assert load_local_lists(tmp_path) == (
        ListEntry("api.example", "/", LOCAL_PASS, "local/pass.txt", Reach.HOST),
        ListEntry("b.example", "/", LOCAL_PASS, "local/pass.txt"),
    )
    (tmp_path / "pass.txt").write_text("a.example/login\n")
    with pytest.raises(ConfigurationError, match=r"pass.txt:1: .* is a part of a site"):
        load_local_lists(tmp_path)


def test_a_host_that_is_passed_is_added_once_with_who_said_so(tmp_path: Path) -> None:
    (tmp_path / "pass.txt").write_text("b.example")
    assert pass_unread(tmp_path, "a.example", "kim: pinned\n=c.example")
    assert not pass_unread(tmp_path, "a.example", "again")
    text = (tmp_path / "pass.txt").read_text()
    assert text == "b.example\n=a.example  # kim: pinned =c.example\n"
    assert [entry.host for entry in load_local_lists(tmp_path)] == ["b.example", "a.example"]


def test_a_list_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be written"):
        pass_unread(tmp_path / "absent", "a.example", "kim")
