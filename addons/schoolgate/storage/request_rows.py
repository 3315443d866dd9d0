"""Requests, reports and delegations as rows, and back."""

from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row

from schoolgate.core.approvals import AccessRequest, Delegation, ReportState, SiteReport
from schoolgate.core.errors import UnavailableError

_REQUEST = TypeAdapter(AccessRequest)


def request_values(request: AccessRequest) -> dict[str, Any]:
    """Give the columns of a request but its number and submission."""
    return {
        "version": request.version,
        "state": request.state.value,
        "requester": request.requester,
        "host": request.scope.entry.host,
        "submitted_at": request.submitted_at,
        "ends": request.scope.ends,
        "content": _REQUEST.dump_python(request, mode="json"),
    }


def request_of(row: Row[Any]) -> AccessRequest:
    """Give the request that a row stands for.

    Raises:
        UnavailableError: when the row is not one that schoolgate wrote.
    """
    # The number is given by the row.
    content = {**row.content, "id": row.id, "version": row.version, "state": row.state}
    try:
        return _REQUEST.validate_python(content, strict=False)
    except ValidationError as error:
        raise UnavailableError(
            f"request {row.id} in the database cannot be read: restore a back-up"
        ) from error


def delegation_of(row: Row[Any]) -> Delegation:
    """Give the delegation that a row stands for; one that was taken back ended then."""
    ends = row.ends if row.ended_at is None else min(row.ends, row.ended_at)
    return Delegation(row.id, row.delegate, row.made_by, row.starts, ends, row.reason)


def report_of(row: Row[Any]) -> SiteReport:
    """Give the report that a row stands for."""
    return SiteReport(
        row.id,
        row.url,
        row.host,
        row.words,
        row.reporter,
        row.at,
        ReportState(row.state),
        row.handled_by,
        row.handled_at,
        row.note,
    )
