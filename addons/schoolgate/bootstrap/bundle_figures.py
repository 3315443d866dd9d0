"""How the bundles of the school's trust stand, for the metrics."""

import contextlib

from schoolgate.bootstrap.clock import now
from schoolgate.bundles.store import BundleStore
from schoolgate.core.errors import ConfigurationError, UnavailableError
from schoolgate.monitoring.bundle_metrics import BundleFigure
from schoolgate.settings import Settings


def bundle_figure(settings: Settings) -> BundleFigure | None:
    """Give how bundles stand, for the metrics; None where there are none or it cannot be read."""
    if not settings.bundles.url:
        return None
    store = BundleStore(settings.bundles_dir)
    with contextlib.suppress(ConfigurationError, UnavailableError):
        status, found = store.status(), store.in_force()
        age = (now() - found.made).total_seconds() if found else 0.0
        expires = found.expires.timestamp() if found else None
        return BundleFigure(found.version if found else 0, age, status.failures, expires)
    return BundleFigure(0, 0.0, 1)
