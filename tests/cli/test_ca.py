"""`schoolgate ca`: an authority is shown and exported; the next one is made, listed, switched to, removed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate import authority
from schoolgate.authority import Standing
from schoolgate.authority.store import CERTIFICATE
from tests.cli.ended import NO, OUT_OF_REACH, Here, lines, refused, run
from tests.school import School

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_ca_show_gives_what_a_device_shows(school: School, here: Here) -> None:
    authority.ensure(school.state / "ca", "Hill School", NOON)
    info = authority.describe(school.state / "ca")
    shown = dict(re.split(r" {2,}|(?<=valid from) +", line) for line in lines(here("ca", "show")))
    assert shown == {
        "subject": info.subject,
        "SHA-256": info.sha256,
        "valid from": "2026-11-21",
        "valid until": "2036-11-20",
        "file": str(school.state / "ca" / CERTIFICATE),
    }


def test_ca_export_writes_the_certificate_without_its_key(
    with_ca: School, tmp_path: Path, here: Here
) -> None:
    file = tmp_path / "school.crt"
    assert lines(here("ca", "export", str(file))) == [
        f"The certificate is in {file}; it holds no secret."
    ]
    assert file.read_bytes() == (with_ca.state / "ca" / CERTIFICATE).read_bytes()
    assert b"PRIVATE" not in file.read_bytes()


def test_ca_export_to_where_nothing_can_be_written_ends_with_3(with_ca: School, here: Here) -> None:
    ended = here("ca", "export", str(with_ca.config / "school.crt"))
    refused(ended, OUT_OF_REACH, r"school\.crt cannot be written: Not a directory")


@pytest.mark.parametrize("arguments", [["ca", "show"], ["ca", "export", "school.crt"]])
def test_before_the_first_run_there_is_no_ca(arguments: Sequence[str], here: Here) -> None:
    refused(here(*arguments), OUT_OF_REACH, "There is no CA in .* yet")


def test_from_one_authority_to_the_next(with_ca: School, here: Here, tmp_path: Path) -> None:
    ca = with_ca.state / "ca"
    before = authority.describe(ca)
    made = lines(here("ca", "renew"))
    assert made[0].startswith("The next authority is made; it is good until ")
    _, coming = authority.listed(ca)
    assert coming.info is not None
    assert made[1] == f"SHA-256  {coming.info.sha256}"
    assert sum(line.startswith("SHA-256") for line in lines(here("ca", "show"))) == 2
    assert [line.split()[0] for line in lines(here("ca", "list"))[1:]] == ["signing", "next"]
    exported = lines(here("ca", "export", str(tmp_path / "school.crt")))
    assert exported[1].startswith(f"The next certificate is in {tmp_path / 'school-next.crt'}")
    assert (tmp_path / "school-next.crt").read_bytes() == coming.pem
    [said] = lines(here("ca", "switch"))
    assert said.startswith(coming.info.subject)
    assert authority.describe(ca).sha256 == coming.info.sha256
    assert lines(here("ca", "switch", "--back"))[0].startswith(before.subject)
    lines(here("ca", "switch"))
    assert lines(here("ca", "remove", "old")) == [
        "1 taken away; what is on the devices stays there."
    ]
    assert [each.standing for each in authority.listed(ca)] == [Standing.SIGNING]


def test_what_cannot_be_done_is_said_and_changes_nothing(with_ca: School, here: Here) -> None:
    refused(here("ca", "switch"), NO, "there is no next CA: make one with 'schoolgate ca renew'")
    refused(here("ca", "switch", "--back"), NO, "no CA has signed before")
    lines(here("ca", "renew"))
    refused(here("ca", "renew"), NO, "there is a next CA already")
    before = authority.describe(with_ca.state / "ca")
    (with_ca.state / "ca" / "next-ca.pem").write_text("nonsense")
    refused(here("ca", "switch"), OUT_OF_REACH, "is damaged")
    assert authority.describe(with_ca.state / "ca") == before
    assert "is damaged" in lines(here("ca", "list"))[2]


def test_changes_are_in_the_audit_trail(with_ca: School) -> None:
    lines(run(with_ca, "suspend", "10.0.0.7", "--until", "1d", "--reason", "x"))
    for change in (("renew",), ("switch",), ("remove", "old")):
        lines(run(with_ca, "ca", *change))
    told = "\n".join(lines(run(with_ca, "audit", "list")))
    for action in ("ca.renewed", "ca.switched", "ca.removed"):
        assert action in told
