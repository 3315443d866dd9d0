"""Pages as paper: one template makes the page to print and the tagged PDF (PDF/UA-1, ISO 14289-1).

A PDF needs Pango, which is Debian's; where it is missing the page to print stands in for it.
"""

import logging
from threading import BoundedSemaphore, Lock
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from schoolgate.core.errors import UnavailableError
from schoolgate.portal.configuration import STATIC_DIR

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
_STYLE_SHEET = STATIC_DIR / "portal" / "paper.css"
_LONGEST_WAIT_SECONDS = 20.0
# One at a time: it takes the processor for a while, and the other threads answer meanwhile; and few
# wait for it, so that there are such threads.
_press = Lock()
_at_once = BoundedSemaphore(4)
_WHY = {
    "missing": "A PDF cannot be made here, because this machine lacks Pango or a font. A technician "
    f"can put that right: apt-get install {PACKAGES}. Print this page instead.",
    "busy": "Others are having a PDF made. Print this page instead, or try again in a minute.",
}


class BusyError(UnavailableError):
    """Others are having a PDF made."""


def as_page(request: HttpRequest, template: str, shown: dict[str, Any], back: str) -> HttpResponse:
    """Give the page to print.

    Args:
        request: of whoever asks; says why there is no PDF, where there is none.
        template: one of ``paper/``.
        shown: by it.
        back: where the page leads to.
    """
    problem = _WHY.get(request.GET.get("pdf", ""), "")
    return render(request, template, {**shown, "back": back, "problem": problem})


def as_pdf(
    request: HttpRequest, template: str, shown: dict[str, Any], file: str, page: str
) -> HttpResponse:
    """Give the PDF; where none can be made, lead to the page to print, which says why.

    Args:
        request: of whoever asks.
        template: one of ``paper/``.
        shown: by it.
        file: name of the file.
        page: where the page to print is.
    """
    text = render_to_string(template, shown, request)
    try:
        made = pdf_of(text)
    except BusyError:
        return _instead(page, "busy")
    except UnavailableError as error:
        logging.getLogger(__name__).error("No PDF can be made: %s", error)  # noqa: TRY400
        return _instead(page, "missing")
    answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{file}"'
    return answer


def pdf_of(text: str) -> bytes:
    """Make a tagged PDF of a page; nothing is fetched for it.

    Args:
        text: HTML, with title and language.

    Raises:
        BusyError: when others keep it busy for too long.
        UnavailableError: when Pango, a font or the style sheet is missing.
    """
    if not _at_once.acquire(blocking=False):
        raise BusyError("others are having a PDF made")
    try:
        return _pressed(text)
    finally:
        _at_once.release()


def _pressed(text: str) -> bytes:
    if not _press.acquire(timeout=_LONGEST_WAIT_SECONDS):
        raise BusyError("others are having a PDF made")
    try:
        # Dear to load, and not there without Pango.
        from weasyprint import CSS, HTML  # noqa: PLC0415
        from weasyprint.urls import URLFetcher  # noqa: PLC0415

        nothing = URLFetcher(allowed_protocols=(), allow_redirects=False)
        style = CSS(string=_STYLE_SHEET.read_text(), url_fetcher=nothing)
        page = HTML(string=text, url_fetcher=nothing)
        made: bytes = page.write_pdf(stylesheets=[style], pdf_variant="pdf/ua-1")
    except (ImportError, OSError) as error:
        raise UnavailableError(f"WeasyPrint cannot be used: {error}") from error
    finally:
        _press.release()
    return made


def _instead(page: str, why: str) -> HttpResponse:
    return redirect(f"{page}{'&' if '?' in page else '?'}pdf={why}")
