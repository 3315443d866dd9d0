"""How bundles stand is shown where a gateway has a trust, and not where it has none."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from schoolgate.bootstrap.bundle_figures import bundle_figure
from schoolgate.monitoring.bundle_metrics import BundleFigure, BundleFigures
from schoolgate.settings import load_settings
from tests.school import write_school


def _shown(figure: BundleFigure | None) -> list[str]:
    registry = CollectorRegistry()
    registry.register(BundleFigures(lambda: figure))
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_version_age_and_failures_are_shown() -> None:
    assert _shown(BundleFigure(7, 90.0, 2)) == [
        "schoolgate_bundle_version 7.0",
        "schoolgate_bundle_age_seconds 90.0",
        "schoolgate_bundle_failures 2.0",
    ]
    assert _shown(None) == []


def test_until_when_the_one_in_force_is_good_is_shown() -> None:
    shown = _shown(BundleFigure(7, 90.0, 0, 1_800_000_000.0))
    assert shown[-1] == "schoolgate_bundle_expiry_seconds 1.8e+09"


def test_what_cannot_be_read_counts_as_a_failure(tmp_path: Path) -> None:
    school = write_school(tmp_path / "school")
    assert bundle_figure(load_settings(school.config, {})) is None
    school.write_config(bundles={"url": "https://centre.example"})
    settings = load_settings(school.config, {})
    assert bundle_figure(settings) == BundleFigure(0, 0.0, 0)
    settings.bundles_dir.mkdir(parents=True)
    (settings.bundles_dir / "status.json").write_text("{")
    assert bundle_figure(settings) == BundleFigure(0, 0.0, 1)
