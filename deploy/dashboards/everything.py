"""All dashboards, and what of them is no fault although Grafana's dashboard-linter says so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.board import CENTRE, Board, build
from deploy.dashboards.filtering import FILTERING
from deploy.dashboards.gateway import GATEWAY
from deploy.dashboards.requests import REQUESTS
from deploy.dashboards.safeguarding import SAFEGUARDING
from deploy.dashboards.trust import TRUST

BOARDS = (GATEWAY, FILTERING, REQUESTS, SAFEGUARDING, TRUST)
_ONE_FOR_ALL = "The centre of a trust is one, whichever gateways a viewer chose."
_OVER_THE_RANGE = "What is counted over the time that is shown."


def texts() -> Iterator[tuple[str, str]]:
    """Give the name and the text of each file."""
    for board in BOARDS:
        made = json.loads(JSONEncoder(sort_keys=True, indent=2).encode(build(board)))
        yield f"{board.uid}.json", json.dumps(made, indent=2, sort_keys=True) + "\n"
    exclusions = {
        "target-rate-interval-rule": {
            "reason": _OVER_THE_RANGE,
            "entries": [
                {"dashboard": board.title, "panel": title}
                for board in BOARDS
                for title in _over_the_range(board)
            ],
        },
        **{
            rule: {
                "reason": _ONE_FOR_ALL,
                "entries": [
                    {"dashboard": board.title, "panel": title}
                    for board in BOARDS
                    for title in _of_the_centre(board)
                ],
            }
            for rule in ("target-job-rule", "target-instance-rule")
        },
    }
    yield ".lint", yaml.safe_dump({"exclusions": exclusions}, sort_keys=False, width=120)


def write(directory: Path) -> None:
    """Write them all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts():
        (directory / name).write_text(text, encoding="utf-8")


def read(directory: Path) -> dict[str, dict[str, Any]]:
    """Give what was written, by the name of the file."""
    return {file.name: json.loads(file.read_text()) for file in sorted(directory.glob("*.json"))}


def _over_the_range(board: Board) -> Iterator[str]:
    for panel in board.panels():
        if any("$__range]" in query.expr for query in panel.queries):
            yield panel.title


def _of_the_centre(board: Board) -> Iterator[str]:
    for panel in board.panels():
        if any(CENTRE in query.expr for query in panel.queries):
            yield panel.title
