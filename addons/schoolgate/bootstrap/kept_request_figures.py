"""How many requests this gateway keeps while the store is away, for the metrics."""

from schoolgate.bootstrap.clock import now
from schoolgate.monitoring.kept_request_metrics import KeptRequestFigure
from schoolgate.services import kept_requests
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.settings import Settings


def kept_request_figure(settings: Settings) -> KeptRequestFigure:
    """Give how many wait, how many cannot be read, and for how long the oldest has waited."""
    state = KeptRequests(settings.state_dir / kept_requests.DIRECTORY).state()
    waited = 0.0 if state.since is None else now().timestamp() - state.since
    return KeptRequestFigure(state.waiting, state.unreadable, max(0.0, waited))
