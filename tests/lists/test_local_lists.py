"""The school's own lists: one host or host/path a line."""

from pathlib import Path

import pytest

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.lists import load_local_lists
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
    )
