"""An incident as a file that a safeguarding record takes."""

import csv
import io

from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert, Note, Outcome
from schoolgate.services.incident_file import COLUMNS, csv_of
from tests.school import NOON


def test_one_row_with_all_that_is_known_and_no_formula() -> None:
    incident = Incident(
        7, NOON, "system", "alert:3", "user:abc", "pupils", About.PUPILS, "self-harm", Severity.DANGER,
        "=cmd()", "dsl@hill.example", NOON, Outcome.SUPPORTED,
    )  # fmt: skip
    seen = KeptAlert(
        3, NOON, NOON, 2, "user:abc", "pupils", About.PUPILS, "self-harm", Severity.DANGER, "search",
        "www.bing.com", {"search": "i, “quoted”", "verdict": "allow"}, 7,
    )  # fmt: skip
    text = csv_of(incident, [Note(NOON, "dsl", "noted", "Spoke\nwith her.")], [seen])
    heading, row = csv.reader(io.StringIO(text))
    given = dict(zip(heading, row, strict=True))
    assert tuple(heading) == COLUMNS
    assert given["Person"] == "abc"
    assert given["Summary"] == "'=cmd()"
    assert "searched for “i, “quoted””" in given["Detail"]
    assert "2 times" in given["Detail"]
    assert "Spoke\nwith her." in given["Action taken"]
    assert given["Outcome"] == "Support was given in school"
    assert given["Status"].startswith("Closed ")
