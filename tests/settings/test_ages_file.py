"""From which age services admit people: the file, its faults, and the rules that take from it."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings import load_policy
from schoolgate.settings.ages_file import load_ages
from tests.gateway import ROOT
from tests.school import CATEGORIES, POLICY

AGES = """\
services:
  - {host: chat.example, age: 13, source: terms}
  - {host: dating.example, age: 18, source: terms}
"""
RULE = """\
minimum_ages: ages.yaml
rules:
  - {id: too-young, clause: C-1, when: {above_age: 12, groups: [pupils]}, then: block}
  - {id: adults, clause: C-1, when: {above_age: 17}, then: warn}
"""


def test_a_rule_is_about_the_services_above_its_age(tmp_path: Path) -> None:
    (tmp_path / "ages.yaml").write_text(AGES)
    file = tmp_path / "hill.yaml"
    file.write_text(POLICY.replace("rules:\n", RULE, 1))
    rules = {
        rule.id: [entry.text for entry in rule.hosts]
        for rule in load_policy(file, CATEGORIES).rules
    }
    assert rules["too-young"] == ["chat.example", "dating.example"]
    assert rules["adults"] == ["dating.example"]


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("host: chat.example", "host: a b", "ages.yaml:2: 'a b' is not a host name"),
        ("age: 13", "age: 0", "ages.yaml:2: 'services.0.age': input should be greater than"),
        ("age: 13, source: terms", "age: 13", "ages.yaml:2: the key 'source' is missing"),
        ("dating.example", "chat.example", "ages.yaml:3: names chat.example twice"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, old: str, new: str, want: str) -> None:
    file = tmp_path / "ages.yaml"
    file.write_text(AGES.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        load_ages(file)
    shown = [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]
    assert any(fault.startswith(want) for fault in shown), shown


def test_a_rule_that_needs_the_file_and_has_none_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "hill.yaml"
    text = POLICY.replace("categories: [play]", "above_age: 12", 1)
    file.write_text(text)
    with pytest.raises(
        ConfigurationError, match="no file says from which age services admit people"
    ):
        load_policy(file, CATEGORIES)


def test_the_file_that_comes_with_the_product_is_in_order() -> None:
    ages = load_ages(ROOT / "config" / "ages.yaml")
    assert {service.age for service in ages} == {13, 16, 18}
