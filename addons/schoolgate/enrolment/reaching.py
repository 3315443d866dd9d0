"""Whether the centre answers this gateway and knows it, for who looks once; nothing is changed there."""

import contextlib
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from schoolgate.core.errors import UnavailableError
from schoolgate.enrolment.client import EnrolmentFiles

_SECONDS = 5.0
# Only who is enrolled is answered; that there may be no bundle yet does not matter.
_ASKED = "/bundles/metadata/timestamp.json"


def trouble_of(files: EnrolmentFiles) -> tuple[str, str]:
    """Ask the centre as this gateway.

    Returns:
        Its address, and what is wrong as the beginning of a sentence; "" where all is well.
    """
    try:
        url = files.centre.read_text().strip()
        context = files.context()
    except (OSError, UnavailableError) as error:
        return "the centre", f"the enrolment cannot be used: {error};"
    place = urlsplit(url)
    asked = HTTPSConnection(place.hostname or "", place.port, timeout=_SECONDS, context=context)
    try:
        with contextlib.closing(asked):
            asked.request("GET", f"{place.path.rstrip('/')}{_ASKED}")
            status = asked.getresponse().status
    except (OSError, HTTPException) as error:
        return url, f"{url} cannot be reached: {error};"
    if status == HTTPStatus.FORBIDDEN:
        return url, f"{url} knows this gateway no more, as it was revoked or has ended there;"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return url, f"{url} answers {status};"
    return url, ""
