"""Reports of updates are kept for who asks later."""

from pathlib import Path

from schoolgate.core.gate import Finding, Ground
from schoolgate.lists.reports import ListReport, Result, read_reports, write_reports


def test_a_report_is_read_back(tmp_path: Path) -> None:
    findings = (
        Finding("co.uk", Ground.PUBLIC_SUFFIX),
        Finding("google.com", Ground.POPULAR, "said"),
    )
    report = ListReport("a:x", Result.HELD, "shrank", 3, 2, 1, ("+a",), findings, ("line 3",), 1)
    write_reports(tmp_path, {"a:x": report})
    assert read_reports(tmp_path) == {"a:x": report}
    assert [one.entry for one in report.waiting] == ["google.com"]


def test_what_cannot_be_read_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    assert read_reports(tmp_path) == {}
    (tmp_path / "report.json").write_text("[{}]")
    assert read_reports(tmp_path) == {}
