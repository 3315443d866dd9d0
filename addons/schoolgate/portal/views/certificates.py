"""The certificates that a device must trust, for whoever sets one up; they hold no secret."""

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate import authority
from schoolgate.authority import Listed
from schoolgate.core.errors import UnavailableError
from schoolgate.portal.house import House, house

_FILE = Path("school-filter.crt")
# As browsers and phones know it; RFC 2585 names the form without armour only.
_TYPE = "application/x-x509-ca-cert"


def listed(request: HttpRequest) -> HttpResponse:
    """Show what each is, to compare with what a device shows."""
    return render(request, "portal/certificates.html", {"certificates": _published(house())})


def file(request: HttpRequest) -> HttpResponse:
    """Give one of them; without a name the one that signs."""
    found = _published(house())
    wanted = request.GET.get("name", _FILE.name)
    if wanted not in found:
        raise Http404
    answer = HttpResponse(found[wanted].pem, content_type=_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{wanted}"'
    return answer


def _published(here: House) -> dict[str, Listed]:
    try:
        found = authority.published(here.settings.ca_dir, here.now())
    except UnavailableError:
        # The gateway makes it when it first runs; what else is wrong is the technician's to see.
        return {}
    return {place.name: each for place, each in authority.named(found, _FILE)}
