"""The figures of a trust's gateways at its centre, as a text file for Prometheus' node exporter."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile


def write_trust_figures(
    file: Path, gateways: Mapping[str, int], unreadable: int, at: float
) -> None:
    """Write them anew, whole.

    Args:
        file: where.
        gateways: how many, by how they are.
        unreadable: schools of which nothing could be read.
        at: when it was read, seconds since 1970.

    Raises:
        OSError: when it cannot be written.
    """
    registry = CollectorRegistry()
    shown = Gauge(
        "schoolgate_trust_gateways",
        "Gateways of the trust, by how they are.",
        ["state"],
        registry=registry,
    )
    for state, many in gateways.items():
        shown.labels(state=state).set(many)
    for name, text, value in (
        ("unreadable_schools", "Schools of which nothing could be read.", unreadable),
        ("read_timestamp_seconds", "When the gateways' states were read.", at),
    ):
        Gauge(f"schoolgate_trust_{name}", text, registry=registry).set(value)
    write_to_textfile(str(file), registry)
