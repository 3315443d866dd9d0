"""`schoolgate trust nats` writes what the servers are told."""

from pathlib import Path

import pytest

from tests.gateway import schoolgate


def test_it_writes_the_centre_and_a_leaf_for_each_gateway(tmp_path: Path) -> None:
    out = tmp_path / "nats"
    done = schoolgate(
        "trust", "nats", "--centre", "nats.example:7422", "--out", str(out), "a/gw1", "b/gw1"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {one.name for one in out.iterdir()} == {"centre.conf", "a_gw1.conf", "b_gw1.conf"}
    assert "tls://nats.example:7422" in (out / "a_gw1.conf").read_text()


@pytest.mark.parametrize("name", ["a", "a/b/c", "A/gw", "a/>", "a_b/gw"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    done = schoolgate("trust", "nats", "--centre", "x:1", "--out", str(tmp_path / "o"), name)
    assert done.returncode == 2
    assert not (tmp_path / "o").exists() or not list((tmp_path / "o").iterdir())
