"""The figures of a trust's centre: gateways are counted, and none is named."""

import pytest
from prometheus_client import CollectorRegistry

from schoolgate.monitoring.centre_metrics import CentreFigure, CentreFigures

GATEWAYS = {"enrolled": 3, "revoked": 1, "ended": 0}


@pytest.mark.parametrize(
    ("figure", "want"),
    [
        (CentreFigure(GATEWAYS, 1_800_000_000.0), (1.0, 3.0, 1.0, 0.0, 1_800_000_000.0)),
        # Nothing was let out yet.
        (CentreFigure(GATEWAYS, None), (1.0, 3.0, 1.0, 0.0, None)),
        (CentreFigure(None, 1_800_000_000.0), (0.0, None, None, None, 1_800_000_000.0)),
    ],
)
def test_what_can_be_read_is_shown(figure: CentreFigure, want: tuple[float | None, ...]) -> None:
    registry = CollectorRegistry()
    registry.register(CentreFigures(lambda: figure))
    value = registry.get_sample_value
    states = [value("schoolgate_centre_gateways", {"state": state}) for state in GATEWAYS]
    readable = value("schoolgate_centre_ledger_readable")
    assert (readable, *states, value("schoolgate_centre_metadata_expiry_seconds")) == want
