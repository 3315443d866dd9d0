"""The centre's figures are a whole text file, each time anew."""

from pathlib import Path

from schoolgate.monitoring.trust_metrics import write_trust_figures


def test_gateways_are_counted_by_how_they_are(tmp_path: Path) -> None:
    file = tmp_path / "trust.prom"
    write_trust_figures(file, {"well": 9, "silent": 9}, 9, 9.0)
    write_trust_figures(file, {"well": 3, "silent": 0}, 1, 1_800_000_000.0)
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert lines == [
        'schoolgate_trust_gateways{state="well"} 3.0',
        'schoolgate_trust_gateways{state="silent"} 0.0',
        "schoolgate_trust_unreadable_schools 1.0",
        "schoolgate_trust_read_timestamp_seconds 1.8e+09",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["trust.prom"]
