"""Queries of dashboards, taken apart."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

# What Grafana puts in place of its variables, for a viewer who chose nothing.
ANY = {
    "job": ".+",
    "instance": ".+",
    "group": ".+",
    "category": ".+",
    "theme": ".+",
    "school": ".*",
}


def filled(expr: str, chosen: dict[str, str] = ANY, step: str = "1m", span: str = "6h") -> str:
    """Give what Prometheus is asked in the end."""
    expr = expr.replace("$__rate_interval", step).replace("$__range", span)
    for name, value in chosen.items():
        expr = expr.replace(f"${name}", value)
    assert "$" not in expr, expr
    return expr


def parsed(expr: str) -> Any:
    """Give the tree of a query.

    Raises:
        ValueError: when it is none.
    """
    return promql_parser.parse(filled(expr))


def within(tree: Any) -> Iterator[Any]:
    """Give every part of a query."""
    yield tree
    parts = [getattr(tree, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for part in (*parts, *(getattr(tree, "args", None) or ())):
        if part is not None:
            yield from within(part)


def selectors(expr: str) -> list[tuple[str, dict[str, str]]]:
    """Give each metric that a query asks for, with its matchers."""
    return [
        (part.name, {one.name: one.value for one in part.matchers.matchers})
        for part in within(parsed(expr))
        if type(part).__name__ == "VectorSelector"
    ]


def outside_of_rates(expr: str) -> list[str]:
    """Give the metrics that a query takes as they are, without a range."""
    ranged = [
        part.vector_selector.name
        for part in within(parsed(expr))
        if type(part).__name__ == "MatrixSelector"
    ]
    found = [name for name, _ in selectors(expr)]
    for name in ranged:
        found.remove(name)
    return found


def ranges(expr: str) -> set[str]:
    """Give the ranges over which a query takes rates, as they are written."""
    return set(re.findall(r"\[([^]]+)\]", expr))
