"""The trust of the scene's gateway: a centre that it is enrolled at, its bundle, and NATS with its leaf."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from schoolgate import bootstrap
from schoolgate.settings import load_settings
from tests.cli.ended import DONE, run
from tests.gateway import COMMAND, PATIENCE_SECONDS, ROOT, eventually, free_port, schoolgate
from tests.school import POLICY, School, write_school
from tests.system.trust import GATEWAY, GATEWAYS, Trust, trust

SCHOOL, NAME = GATEWAYS[0]
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Centre:
    """What runs at the centre.

    Attributes:
        school: its settings and state.
        url: where gateways ask.
        nats: its server of NATS, and the leaves.
        shown: host and port of each program's metrics.
    """

    school: School
    url: str
    nats: Trust
    shown: tuple[str, str]

    def sections(self) -> dict[str, Any]:
        """Give the settings by which a gateway is of this trust, but for where its journal goes."""
        return {
            "trust": {"school": SCHOOL, "gateway": NAME},
            "bundles": {"url": f"{self.url}/bundles", "every_seconds": 30},
        }

    def receiver(self, directory: Path) -> dict[str, Any]:
        """Give the leaf as a receiver of the journal; the password's file is put into the directory."""
        user = directory / "leaf.user"
        user.write_text(":".join(GATEWAY.values()) + "\n")
        url = self.nats.leaves[SCHOOL, NAME].url
        return {"kind": "nats", "url": url, "user_file": str(user)}

    def enrol(self, config: Path) -> None:
        """Enrol the gateway that has these settings, and have it fetch the bundle."""
        said = self._run("trust", "gateway", "token", SCHOOL, NAME)
        words = re.findall(r"--(?:fingerprint|token) \S+", said)
        asked = ["--centre", self.url, *" ".join(words).split()]
        for command in (["enrol", *asked], ["bundle", "fetch"]):
            done = schoolgate(*command, "--config", str(config))
            assert done.returncode == DONE, done.stdout + done.stderr

    def _run(self, *words: str) -> str:
        done = run(self.school, *words)
        assert done.returncode == DONE, done.stdout + done.stderr
        return done.stdout


@contextmanager
def centre(directory: Path) -> Iterator[Centre]:
    """Run the centre of a trust, with a bundle that is let out, until the end of the block."""
    school = write_school(directory / "centre")
    (school.policy.parent / "vale.yaml").write_text(POLICY.replace("id: hill", "id: vale", 1))
    for words in (("keys",), ("make", "vale"), ("stage", "1"), ("release", "1")):
        done = run(school, "trust", "bundle", *words)
        assert done.returncode == DONE, done.stderr
    port = free_port()
    (directory / "nats").mkdir()
    with ExitStack() as opened:
        nats = opened.enter_context(trust(directory / "nats"))
        assert bootstrap.fingerprint_of_centre(load_settings(school.config, {}))
        shown = f"{_HOST}:{free_port()}", f"{_HOST}:{free_port()}"
        served = ("--name", _HOST, "--listen", f"{_HOST}:{port}", "--metrics", shown[0])
        tables = ("--out", str(directory / "tables"), "--every", "0.5", "--metrics", shown[1])
        named = subprocess.run(nats.command("sources", f"{SCHOOL}/{NAME}"), check=False)
        assert named.returncode == DONE
        for command in (
            [*COMMAND, "trust", "serve", *served, "--config", str(school.config)],
            nats.command("consume", *tables),
        ):
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
            opened.callback(_end, process)
        assert eventually(partial(_answers, port))
        yield Centre(school, f"https://{_HOST}:{port}", nats, shown)


def _answers(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port)).close()
    except OSError:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
