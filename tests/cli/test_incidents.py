"""`schoolgate incidents`: listed without names, shown, noted, exported and closed."""

from pathlib import Path

from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, KeptAlert
from schoolgate.settings import load_settings
from schoolgate.storage import Audience, IncidentStore, open_database
from tests.cli.ended import DONE, NO, lines, run
from tests.school import NOON, School


def test_from_the_list_to_the_end(school: School, tmp_path: Path) -> None:
    database = open_database(load_settings(school.config, {}).database_url)
    alert = KeptAlert(
        0, NOON, NOON, 1, "user:abc", "pupils", About.PUPILS, "drugs", Severity.DANGER, "search",
        "www.bing.com", {"search": "words"},
    )  # fmt: skip
    IncidentStore(database).keep([alert], lambda _: Audience(), NOON)
    database.dispose()
    listed = run(school, "incidents", "list").stdout
    assert "drugs" in listed
    assert "abc" not in listed
    assert run(school, "incidents", "note", "1", "Spoke with him.").returncode == DONE
    shown = run(school, "incidents", "show", "1").stdout
    assert "concerns abc" in shown
    assert "searched for “words”" in shown
    assert "Spoke with him." in shown
    file = tmp_path / "incident.csv"
    assert run(school, "incidents", "export", "1", str(file)).returncode == DONE
    assert "Spoke with him." in file.read_text()
    assert file.stat().st_mode & 0o77 == 0
    assert run(school, "incidents", "close", "1", "--outcome", "supported").returncode == DONE
    assert lines(run(school, "incidents", "list")) == ["There is none."]
    assert run(school, "incidents", "note", "1", "More.").returncode == NO
    assert run(school, "incidents", "show", "7").returncode == NO
    trail = run(school, "audit", "list").stdout
    assert "incident.exported" in trail
