"""Whether there is a portal beside the workers, and why not."""

from pathlib import Path

import pytest

from schoolgate.bootstrap.portal_post import why_no_portal
from schoolgate.portal import application
from schoolgate.settings import Settings
from schoolgate.settings.machine import PortalSettings


@pytest.mark.parametrize(
    ("enabled", "style_sheet", "want"),
    [
        (True, True, ""),
        (True, False, "its style sheet was not made"),
        (False, True, "portal.enabled is false"),
    ],
)
def test_there_is_a_portal_unless_it_lacks_something(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    enabled: bool,
    style_sheet: bool,
    want: str,
) -> None:
    made = tmp_path / "portal.css"
    if style_sheet:
        made.touch()
    monkeypatch.setattr(application, "STYLE_SHEET", made)
    found = why_no_portal(Settings(portal=PortalSettings(enabled=enabled)))
    assert found.startswith(want)
    assert bool(found) is bool(want)
