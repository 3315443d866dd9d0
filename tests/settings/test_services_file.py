"""Services and their modes are read, or refused with the line and what is wrong."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.policy import Service, Writing
from schoolgate.settings.services_file import load_services, values_of, with_values

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, text: str) -> dict[str, Service]:
    file = tmp_path / "services.yaml"
    file.write_text(f"services:\n  s:\n    title: S\n    {text}\n")
    return load_services(file)


def test_a_service_has_hosts_and_modes(tmp_path: Path) -> None:
    service = read(tmp_path, "hosts: [s.example/find]\n    modes: {on: {query: {safe: 'yes'}}}")[
        "s"
    ]
    assert [entry.text for entry in service.hosts] == ["s.example/find"]
    assert service.modes == {"on": Writing(query=(("safe", "yes"),))}


@pytest.mark.parametrize(
    ("host", "is_there"),
    [
        ("=s.com/find", False),
        ("s.com/find", True),
        ("s.co.uk/find", True),
        ("s.com.au/find", True),
        ("s.de/find", True),
        ("s.org/find", False),
        ("s.ac.uk/find", False),
    ],
)
def test_a_name_under_every_country_is_spelt_out(tmp_path: Path, host: str, is_there: bool) -> None:
    found = {entry.text for entry in read(tmp_path, "hosts: ['s.*/find']")["s"].hosts}
    assert (host in found) is is_there


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("hosts: ['a b']", "a b"),
        ("hosts: []", "at least 1 item"),
        ("hosts: [s.example]\n    modes: {on: {}}", "nothing is written"),
        ("hosts: [s.example]\n    modes: {on: {headers: {'A:B': x}}}", "cannot be written"),
        ('hosts: [s.example]\n    modes: {on: {headers: {A: "x\\r\\nB: y"}}}', "cannot be written"),
        ("hosts: [s.example]\n    modes: {on: {headers: {A: '{a.b}'}}}", "no single word"),
        ("hosts: [s.example]\n    modes: {on: {headers: {A: '{'}}}", "no single word"),
        ("hosts: [s.example]\n    modes: {on: {headers: {A: '{}'}}}", "no single word"),
        ("hosts: [s.example]\n    modes: {on: {dns: 'a b'}}", "a b"),
        ("hosts: [s.example]\n    modes: {on: {dns: t.example, query: {a: b}}}", "stands alone"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(tmp_path: Path, text: str, want: str) -> None:
    with pytest.raises(ConfigurationError, match=want) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "services.yaml") in str(caught.value)


def test_a_policy_gives_the_values() -> None:
    writing = Writing(headers=(("A", "{one},{two}"),), query=(("b", "plain"),))
    assert values_of(writing) == {"one", "two"}
    filled = with_values(writing, {"one": "1", "two": "2"})
    assert filled == Writing(headers=(("A", "1,2"),), query=(("b", "plain"),))


def test_every_service_that_comes_with_the_product_has_a_mode() -> None:
    services = load_services(ROOT / "config" / "services.yaml")
    assert {id_ for id_, service in services.items() if not service.modes} == set()
