"""The certificates for devices, as everybody on the network may fetch them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate import authority
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read


def test_before_the_first_run_there_is_none(here: House) -> None:
    assert "There is none yet." in Asking().get("/certificates/").content.decode()
    assert Asking().get("/certificates/file/").status_code == 404


@pytest.fixture
def directory(here: House) -> Iterator[Path]:
    """Two authorities, for this test alone."""
    made = here.settings.ca_dir
    authority.ensure(made, "Hill School", here.now())
    authority.renew(made, here.now())
    yield made
    shutil.rmtree(made)


def test_each_is_shown_and_given_away_without_a_key(directory: Path) -> None:
    stranger = Asking(secure=False)
    page = read(stranger.get("/certificates/"))
    names = ["school-filter.crt", "school-filter-next.crt"]
    links = [link for link in page.links if link.startswith("/certificates/file/")]
    assert links == [f"/certificates/file/?name={name}" for name in names]
    for link, one in zip(links, authority.listed(directory), strict=True):
        answer = stranger.get(link)
        assert answer.content == one.pem
        assert answer["content-type"] == "application/x-x509-ca-cert"
        assert link.partition("=")[2] in answer["content-disposition"]
        assert one.info is not None
        assert one.info.sha256 in stranger.get("/certificates/").content.decode()
    for name in ("mitmproxy-ca.pem", "../secrets.key", "", "x"):
        assert stranger.get(f"/certificates/file/?name={name}").status_code == 404
