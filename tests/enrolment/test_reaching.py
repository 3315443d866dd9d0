"""What is said of a centre that cannot be reached; one that answers is in `tests/cli/test_enrol.py`."""

from pathlib import Path

from schoolgate.enrolment.client import EnrolmentFiles
from schoolgate.enrolment.reaching import trouble_of
from tests.gateway import free_port


def test_without_an_enrolment_nobody_is_asked(tmp_path: Path) -> None:
    url, trouble = trouble_of(EnrolmentFiles(tmp_path))
    assert url == "the centre"
    assert trouble.startswith("the enrolment cannot be used: ")


def test_a_centre_that_is_away_is_named(tmp_path: Path) -> None:
    files, centre = EnrolmentFiles(tmp_path), f"https://127.0.0.1:{free_port()}"
    files.centre.write_text(centre)
    url, trouble = trouble_of(files)
    assert url == centre
    assert trouble.startswith(f"{centre} cannot be reached: ")
