"""Draws the dashboards with real answers: ``python -m tests.system.pictures [DIRECTORY]``.

Grafana itself is in no package here. Its own components (npm's ``@grafana/ui``) draw in Chromium what the
dashboards' JSON says, with what Prometheus answers about the scene of the tests.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from deploy.dashboards.everything import read
from schoolgate import bootstrap
from tests import origin
from tests.dashboards import queries
from tests.gateway import ROOT
from tests.services.requested import APPROVE, DECLINE, HEAD, TEACHER, form, scope
from tests.system.browsing import QUIET
from tests.system.conftest import program
from tests.system.scene import NAMES, Scene, playing
from tests.system.watching import Watching

PAGE = ROOT / "deploy/pictures"
# The rules of the scene are thirty times as fast: this is as two hours.
SECONDS, STEP_SECONDS, RATE = 240, 2, "12s"
_WIDTH, _COLOURS = 1472, 256
_SHELL = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{page}/page.css">
<div id="root"></div><script>window.drawn = {drawn}</script><script src="{page}/page.js"></script>"""


def drawn(watch: Watching, board: dict[str, Any], end: float) -> dict[str, Any]:
    """Give a dashboard with what Prometheus answers to each query of each panel.

    Args:
        watch: that is asked.
        board: as it was written for Grafana.
        end: of the time that is shown, seconds since 1970.
    """
    answers = [
        [_answer(watch, target, end) for target in panel.get("targets", ())]
        for panel in board["panels"]
    ]
    return {"board": board, "answers": answers, "from": end - SECONDS, "to": end}


def _answer(watch: Watching, target: dict[str, Any], end: float) -> list[dict[str, Any]]:
    expr = queries.filled(target["expr"], step=RATE, span=f"{SECONDS}s")
    if target["instant"]:
        return list(watch.ask("query", query=expr, time=end)["result"])
    times = {"start": end - SECONDS, "end": end, "step": STEP_SECONDS}
    return list(watch.ask("query_range", query=expr, **times)["result"])


def height_of(board: dict[str, Any]) -> int:
    """Give how high a dashboard is on the page, in pixels."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    return int(rows * 38 + 80)


def picture(page: Path, file: Path, height: int) -> None:
    """Take a picture of a page, in few colours."""
    size = f"--window-size={_WIDTH},{height}"
    shot = (f"--screenshot={file}", size, "--virtual-time-budget=10000", "--hide-scrollbars")
    access = "--allow-file-access-from-files"
    subprocess.run(
        [program("chromium"), *QUIET, access, *shot, page.as_uri()], check=True, capture_output=True
    )
    with Image.open(file) as taken:
        few = taken.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def draw(scene: Scene, home: Path, directory: Path) -> None:
    """Draw every dashboard as it is now."""
    end = time.time()
    directory.mkdir(parents=True, exist_ok=True)
    for name, board in read(ROOT / "deploy/grafana/dashboards").items():
        text = json.dumps(drawn(scene.watch, board, end)).replace("</", "<\\/")
        page = home / f"{name}.html"
        page.write_text(_SHELL.format(page=PAGE.as_uri(), drawn=text), encoding="utf-8")
        picture(page, directory / f"{board['uid']}.png", height_of(board))


def go_on(scene: Scene) -> None:
    """Let it go on for as long as is shown, and decide a request now and then."""
    for step in (APPROVE, DECLINE, APPROVE):
        time.sleep(SECONDS / 4)
        now = bootstrap.now()
        request = scene.service.submit(form(scope(now=now)), TEACHER, now)
        scene.service.act(request.id, request.version, step, HEAD, now)
    time.sleep(SECONDS / 4)


def main(directory: Path) -> None:
    """Play the scene for as long as is shown, and draw."""
    subprocess.run(["npm", "ci", "--silent"], cwd=PAGE, check=True)
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PAGE, check=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "scene").mkdir()
        with origin.running(home, NAMES) as site, playing(site, home / "scene") as scene:
            go_on(scene)
            draw(scene, home, directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images")
