"""Reads the PDFs that the portal makes, as a screen reader and a checker of PDF/UA would."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pypdf
import pytest


def needs_pango() -> None:
    """Skip where Debian's Pango is not installed."""
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"WeasyPrint needs Debian's libpango-1.0-0 and libpangoft2-1.0-0: {error}")


def opened(answer: Any) -> pypdf.PdfReader:
    """Give the PDF that an answer is."""
    assert answer.status_code == 200, answer
    assert answer["content-type"] == "application/pdf"
    return pypdf.PdfReader(io.BytesIO(answer.content))


def text_of(pdf: pypdf.PdfReader) -> str:
    """Give all text, with one space between words."""
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def check(pdf: pypdf.PdfReader, title: str) -> None:
    """See that a PDF has what PDF/UA-1 (ISO 14289-1) asks for and a program can see."""
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None
    assert pdf.metadata.title == title
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r'pdfuaid:part(="|>)1', metadata)
    assert title in metadata
    for page in pdf.pages:
        assert str(page["/Tabs"]) == "/S"
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            assert embeds(font.get_object())


def embeds(font: Any) -> bool:
    """Tell whether a font is in the file."""
    parts = font.get("/DescendantFonts", [font])
    described = [part.get_object()["/FontDescriptor"].get_object() for part in parts]
    return all(any("/FontFile" in key for key in one) for one in described)


def tags(pdf: pypdf.PdfReader) -> list[tuple[str, int]]:
    """Give the kinds of the structure's elements in reading order, with how many headers it has."""
    root: Any = pdf.trailer["/Root"]
    return list(_tags(root["/StructTreeRoot"]))


def _tags(element: Any) -> Iterator[tuple[str, int]]:
    if "/S" in element:
        said = [one["/Headers"] for one in _listed(element.get("/A")) if "/Headers" in one]
        yield str(element["/S"]), sum(len(_listed(one)) for one in said)
    for one in _listed(element.get("/K")):
        if isinstance(one, dict):
            yield from _tags(one)


def _listed(value: Any) -> list[Any]:
    """Give what may be one thing or several, there or elsewhere in the file, as a list."""
    value = value.get_object() if hasattr(value, "get_object") else value
    several = value if isinstance(value, list) else [] if value is None else [value]
    return [one.get_object() if hasattr(one, "get_object") else one for one in several]
