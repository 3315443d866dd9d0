"""A policy says which services are used in which mode; what it gets wrong is named with its line."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.policy import Policy, Writing
from schoolgate.settings import load_policy
from tests.school import CATEGORIES, POLICY

SERVICES = """\
services:
  search: {title: Search, hosts: [search.example], modes: {strict: {query: {safe: active}}}}
  accounts: {title: Accounts, hosts: [accounts.example], modes: {school: {headers: {X-Only: "{ours}"}}}}
"""
OBLIGATION = """\
services: services.yaml
obligations:
  - id: only-ours
    clause: C-5
    services: {accounts: school, search: strict}
    values: {ours: hill.example}
    groups: [staff]
"""


def load(directory: Path, obligation: str) -> Policy:
    (directory / "services.yaml").write_text(SERVICES)
    file = directory / "hill.yaml"
    file.write_text(POLICY + obligation)
    return load_policy(file, CATEGORIES)


def test_each_service_and_its_mode_is_an_obligation_with_the_values_of_the_policy(
    tmp_path: Path,
) -> None:
    first, second = load(tmp_path, OBLIGATION).obligations
    assert (first.name, first.clause, *first.groups) == ("accounts:school", "C-5", "staff")
    assert first.writing == Writing(headers=(("X-Only", "hill.example"),))
    assert (second.name, second.writing) == (
        "search:strict",
        Writing(query=(("safe", "active"),)),
    )


def test_a_rule_names_the_hosts_of_a_service(tmp_path: Path) -> None:
    hosts = "hosts: [play.example/now]"
    assert POLICY.count(hosts) == 1
    (tmp_path / "services.yaml").write_text(SERVICES)
    file = tmp_path / "hill.yaml"
    file.write_text(POLICY.replace(hosts, "hosts: [service:search]") + OBLIGATION)
    named = {entry.text for each in load_policy(file, CATEGORIES).rules for entry in each.hosts}
    assert "search.example" in named


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("clause: C-5\n    services", "clause: C-55\n    services", "unknown clause 'C-55'"),
        ("groups: [staff]", "groups: [stuff]", r"unknown group 'stuff' \(did you mean 'staff'\?\)"),
        ("groups: [staff]", "except_devices: [x]", "unknown device 'x'"),
        ("search: strict", "serch: strict", "unknown service 'serch'"),
        ("search: strict", "search: safe", "unknown mode of search 'safe'"),
        ("    values: {ours: hill.example}\n", "", "the value 'ours' is missing"),
        ("ours: hill", "ours: a, yours: hill", "unknown value 'yours'"),
        ("ours: hill.example", 'ours: "a\\r\\nX: b"', "cannot stand in a request"),
        ("{accounts: school, search: strict}", "{}", "at least 1 item"),
        ("services.yaml", "nothing.yaml", "nothing.yaml"),
        ("services: services.yaml\n", "", "unknown service 'accounts'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, want: str) -> None:
    assert old in OBLIGATION
    with pytest.raises(ConfigurationError, match=want):
        load(tmp_path, OBLIGATION.replace(old, new, 1))
