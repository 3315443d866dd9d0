"""A process that works through requests until it is killed, and says after each step that it is done.

``python -m tests.services.enduring URL FIRST`` submits, reviews, approves and revokes request after
request; the form with number FIRST is the first. A form is sent again under its own name, so that whoever
was killed goes on where they were.
"""

import sys
from collections.abc import Callable

from schoolgate.core.approvals import AccessRequest, Revoke, State
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, open_database
from tests.services.requested import APPROVE, HEAD, LEAD, NINE, REVIEW, TEACHER, approvals, form

FORMS = 1_000


def steps(service: Approvals, number: int) -> None:
    """Carry one form through all its states, from where it is."""
    request = service.submit(form(), TEACHER, NINE, submission=f"form-{number}")
    _say("submitted", number)
    ways: dict[State, Callable[[AccessRequest], AccessRequest]] = {
        State.SUBMITTED: lambda r: service.act(r.id, r.version, REVIEW, LEAD, NINE),
        State.REVIEWED: lambda r: service.act(r.id, r.version, APPROVE, HEAD, NINE),
        State.APPROVED: lambda r: service.act(r.id, r.version, Revoke("Over."), HEAD, NINE),
    }
    while request.state in ways:
        request = ways[request.state](request)
        _say(request.state.value, number)


def _say(what: str, number: int) -> None:
    # In one write: whoever reads sees the whole line or nothing.
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


def main(url: str, first: int) -> None:
    """Work until killed."""
    service = approvals(ApprovalStore(open_database(url)))
    print("ready", flush=True)
    for number in range(first, first + FORMS):
        steps(service, number)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
