"""How a trust's centre stands, for the metrics, read where it keeps its gateways and its bundles."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from schoolgate.bootstrap.centre import ledger_of, repository_dir
from schoolgate.bootstrap.clock import now
from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.centre_metrics import CentreFigure
from schoolgate.settings import Settings


def centre_figure(settings: Settings) -> CentreFigure:
    """Give how many gateways there are, and until when what is served is believed."""
    return CentreFigure(_gateways(settings), _believed_until(settings))


def _gateways(settings: Settings) -> Mapping[str, int] | None:
    try:
        enrolled = ledger_of(settings).enrolled()
    except UnavailableError:
        return None
    counts = dict.fromkeys(("enrolled", "revoked", "ended"), 0)
    at = now()
    for each in enrolled:
        held = "enrolled" if at < each.until else "ended"
        counts["revoked" if each.is_revoked else held] += 1
    return counts


def _believed_until(settings: Settings) -> float | None:
    # The timestamp of The Update Framework is what ends first, and what the online key refreshes.
    file = repository_dir(settings) / "metadata" / "timestamp.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        until: str = json.loads(file.read_bytes())["signed"]["expires"]
        return datetime.fromisoformat(until).timestamp()
    return None
