"""The section ``network`` of the machine's settings."""

from typing import Any

import pytest
from pydantic import ValidationError

from schoolgate.settings.network import NetworkSettings

HERE = {"inside": ["eth1"], "addresses": ["10.20.0.1"]}


def test_without_inside_nothing_is_used() -> None:
    assert not NetworkSettings().is_used
    assert NetworkSettings.model_validate(HERE).is_used


@pytest.mark.parametrize(
    ("section", "want"),
    [
        pytest.param({"inside": ["eth1"]}, "needs 'addresses'", id="no address"),
        pytest.param({**HERE, "outside": ["eth1"]}, "both inside and outside", id="both"),
        pytest.param({**HERE, "inside": ['e"; }']}, "is not an interface", id="no interface"),
        pytest.param({**HERE, "inside": ["eth*"]}, "is not an interface", id="many interfaces"),
        pytest.param({**HERE, "bypass": ["0.0.0.0/0"]}, "is everybody", id="all round"),
        pytest.param({**HERE, "clients": ["::/0"]}, "is everybody", id="everybody"),
        pytest.param({**HERE, "open": [{"to": ["::/0"]}]}, "is everybody", id="open to all"),
        pytest.param(
            {**HERE, "open": [{"to": ["17.0.0.0/8"], "udp": [443]}]},
            "goes through the filter",
            id="open for the web",
        ),
        pytest.param(
            {**HERE, "leases": ["10.20.0.9-10.20.0.1"]}, "end before they begin", id="backwards"
        ),
        pytest.param({**HERE, "leases": ["10.20.0.9"]}, "leases", id="no range"),
        pytest.param({**HERE, "domain": "a b"}, "domain", id="no domain"),
        pytest.param({**HERE, "nets": []}, "nets", id="unknown key"),
    ],
)
def test_what_cannot_be_meant_is_a_fault(section: dict[str, Any], want: str) -> None:
    with pytest.raises(ValidationError, match=want):
        NetworkSettings.model_validate(section)
