"""The table of services that show pages of others: what it says is kept, and every fault is named."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings.carriers_file import load_carriers


def test_what_is_written_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "unfolding.yaml"
    file.write_text(
        "carriers:\n  a: {title: A, hosts: [a.example, b.*], query: [U], paths: ['/x/{any}/']}\n"
    )
    (carrier,) = load_carriers(file)
    assert (carrier.id, carrier.title, carrier.query, carrier.paths, carrier.labels) == (
        "a", "A", frozenset({"u"}), ("/x/{any}/",), False,
    )  # fmt: skip
    names = {entry.host for entry in carrier.hosts}
    assert {"a.example", "b.com", "b.de", "b.co.uk"} <= names


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: {title: A, hosts: [a.example]}", 2, "where the address stands"),
        ("a: {title: A, hosts: ['a b'], query: [u]}", 2, "a b"),
        ("a: {title: A, hosts: [a.example], paths: ['web']}", 2, "of the form"),
        ("a: {title: A, hosts: [a.example], paths: ['/{scheme}/{scheme}/']}", 2, "of the form"),
        ("a: {title: A, hosts: [a.example], paths: ['/a(b/']}", 2, "of the form"),
        ("a: {title: A, hosts: []}", 2, "hosts"),
        ("a: {title: A, hosts: [a.example], querry: [u]}", 2, "querry"),
    ],
)
def test_every_fault_has_its_place(tmp_path: Path, text: str, line: int, message: str) -> None:
    file = tmp_path / "unfolding.yaml"
    file.write_text(f"carriers:\n  {text}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_carriers(file)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(file), line)
    assert message in str(fault)
