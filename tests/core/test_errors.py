"""The errors of schoolgate name what is wrong and where."""

import pytest

from schoolgate.core.errors import (
    BadAddressError,
    ConfigurationError,
    Fault,
    RefusedError,
    SchoolgateError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("fault", "want"),
    [
        (Fault("a.yaml", 7, "no such clause"), "a.yaml:7: no such clause"),
        (Fault("a.yaml", 0, "is empty"), "a.yaml: is empty"),
        (Fault("a.yaml", 7, "no such key", "did you mean 'rules'?"),
         "a.yaml:7: no such key (did you mean 'rules'?)"),
    ],
)  # fmt: skip
def test_a_fault_reads_as_compilers_write_it(fault: Fault, want: str) -> None:
    assert str(fault) == want


def test_a_configuration_error_names_every_fault_in_order() -> None:
    faults = [Fault("a.yaml", 1, "first"), Fault("b.yaml", 2, "second")]
    error = ConfigurationError(fault for fault in faults)
    assert error.faults == tuple(faults)
    assert str(error) == "a.yaml:1: first\nb.yaml:2: second"


@pytest.mark.parametrize(
    "kind", [BadAddressError, ConfigurationError, RefusedError, UnavailableError]
)
def test_every_refusal_of_ours_is_caught_as_one_kind(kind: type[Exception]) -> None:
    assert issubclass(kind, SchoolgateError)
