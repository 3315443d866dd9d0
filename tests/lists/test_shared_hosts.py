"""The hosts that carry everybody's content are read from beside the categories."""

from pathlib import Path

from schoolgate.lists.shared_hosts import SHARED_HOSTS, shared_hosts


def test_hosts_of_all_directories_count_and_remarks_do_not(tmp_path: Path) -> None:
    one, two, none = (tmp_path / name for name in ("one", "two", "none"))
    for directory in (one, two, none):
        directory.mkdir()
    (one / SHARED_HOSTS).write_text("# CDNs\ncdn.example  # large\n\n")
    (two / SHARED_HOSTS).write_text("fonts.example\n")
    assert shared_hosts([one, two, none]) == {"cdn.example", "fonts.example"}
