"""How many requests a gateway keeps, as the process that shows metrics reads it from the disk."""

from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap import kept_request_figures
from schoolgate.bootstrap.clock import now
from schoolgate.monitoring.kept_request_metrics import KeptRequestFigure
from schoolgate.services.kept_requests import DIRECTORY, KeptRequest, KeptRequests
from schoolgate.settings import load_settings
from tests.school import write_school
from tests.services.requested import NINE, TEACHER, form


def test_the_oldest_counts_from_when_it_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(write_school(tmp_path / "school").config, {})
    assert kept_request_figures.kept_request_figure(settings) == KeptRequestFigure(0, 0, 0.0)
    spool = KeptRequests(settings.state_dir / DIRECTORY)
    for number in range(2):
        spool.keep(KeptRequest(f"7:{number}", TEACHER.id, form(), NINE))
    (settings.state_dir / DIRECTORY / "damaged.unreadable").touch()
    later = now() + timedelta(hours=1)
    monkeypatch.setattr(kept_request_figures, "now", lambda: later)
    found = kept_request_figures.kept_request_figure(settings)
    assert (found.waiting, found.unreadable) == (2, 1)
    assert found.oldest_seconds == pytest.approx(3_600, abs=300)


def test_a_file_that_goes_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/nowhere/gone.json")]))
    settings = load_settings(write_school(tmp_path / "school").config, {})
    assert kept_request_figures.kept_request_figure(settings) == KeptRequestFigure(0, 0, 0.0)
