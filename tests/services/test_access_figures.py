"""What was asked for and decided, as numbers."""

from datetime import timedelta

from sqlalchemy import Engine

from schoolgate.services.access_figures import AccessFigures, access_figures
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore
from tests.services.requested import NINE, approved, submitted

DAY = timedelta(days=1)


def test_of_two_requests_one_is_decided(service: Approvals, database: Engine) -> None:
    approved(service)
    submitted(service)
    with ApprovalStore(database).reading() as kept:
        every = kept.requests()
    assert access_figures(every, NINE, NINE + DAY) == AccessFigures(2, 1, 0, 1, 0.0)
    # What waits waits now, whatever the days.
    assert access_figures(every, NINE - DAY, NINE) == AccessFigures(0, 0, 0, 1, None)
