"""What the project's own files promise each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from schoolgate.lists import category_names
from schoolgate.settings import load_policy
from tests.conftest import LONGEST
from tests.gateway import ROOT

LOCKED = re.compile(r"^([a-z0-9-]+)==", re.MULTILINE)


def named(requirement: str) -> str:
    """Give the name of a requirement in its normal form (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_the_locks_hold_every_direct_dependency_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = {named(r) for r in project["dependencies"]}
    everything = runtime | {named(r) for r in project["optional-dependencies"]["dev"]}
    for file, wanted in {"requirements.lock": runtime, "requirements-dev.lock": everything}.items():
        text = (ROOT / file).read_text()
        direct = {
            named(block)
            for block in re.split(r"\n(?=[a-z])", text)
            if "schoolgate (pyproject.toml)" in block
        }
        assert direct == wanted, file
        assert "://" not in text, "no index address"
        assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", text))


def test_the_policy_in_the_docs_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "policy.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    file = tmp_path / "wellstead.yaml"
    file.write_text(text)
    policy = load_policy(file, category_names([ROOT / "categories"]))
    assert policy.id == yaml.safe_load(text)["id"] == "wellstead"


def test_the_tests_that_take_longest_are_there_and_first(request: pytest.FixtureRequest) -> None:
    names = [item.nodeid.partition("::")[0] for item in request.session.items]
    assert all((ROOT / name).exists() for name in LONGEST)
    first = [name for name in dict.fromkeys(names) if name in LONGEST]
    assert list(dict.fromkeys(names))[: len(first)] == first
    assert first == [name for name in LONGEST if name in first]
