"""The evidence pack on paper: its answers first, standard by standard, then every table."""

from itertools import groupby
from typing import Any

from django.template.loader import render_to_string

from schoolgate.portal import paper
from schoolgate.services.evidence import Facts, State, answers, tables

TEMPLATE = "paper/evidence.html"


def on_paper(facts: Facts) -> dict[str, Any]:
    """Give what the template shows.

    Args:
        facts: of the pack.
    """
    lines = answers(facts)
    counts = {state.value: sum(one.state is state for one in lines) for state in State}
    return {
        "facts": facts,
        "standards": [(name, list(own)) for name, own in groupby(lines, lambda one: one.standard)],
        "counts": counts,
        "tables": list(tables(facts)),
        "now": facts.made_at,
        "school": facts.school,
    }


def evidence_pdf(facts: Facts) -> bytes:
    """Make the PDF.

    Args:
        facts: of the pack.

    Raises:
        UnavailableError: when Pango, a font or the style sheet is missing.
    """
    return paper.pdf_of(render_to_string(TEMPLATE, on_paper(facts)))
