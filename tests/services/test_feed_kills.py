"""An update that is killed, whenever it is, leaves the old lists or the new ones; never anything between."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.lists import open_index
from schoolgate.lists.generations import kept_generations, live_generation
from schoolgate.settings import load_settings
from tests.publisher import listed, publishing, register
from tests.school import write_school

_POINTS = 24


def _many(generation: int) -> bytes:
    names = [b"of%d-g%d.example" % (number, generation) for number in range(30_000)]
    return b"\n".join([*names, b"g%d.example" % generation]) + b"\n"


@pytest.mark.long
def test_an_update_is_killed_at_any_point(tmp_path: Path) -> None:
    school = write_school(tmp_path / "school")
    with publishing() as publisher:
        (school.categories / "feeds.yaml").write_text(
            register(publisher.base, one={"lists": {"bets": listed("bets.txt")}})
        )
        settings = load_settings(school.config, {})
        state = settings.lists_dir
        command = [
            sys.executable,
            "-m",
            "schoolgate",
            "lists",
            "update",
            "--config",
            str(school.config),
        ]
        publisher.lists["bets.txt"] = _many(0)
        started = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        whole = time.monotonic() - started
        chosen = random.Random(7)
        killed = 0
        for number in range(1, _POINTS + 1):
            publisher.lists["bets.txt"] = _many(number)
            before = live_generation(state)
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chosen.uniform(0.3, 1.0) * whole)
            child.kill()
            killed += child.wait() == -signal.SIGKILL
            live = live_generation(state)
            assert live is not None
            assert before is not None
            # The index that is live is whole, and is that of its lists: nothing has to be built.
            (generation,) = [one for one in kept_generations(state) if one.number == live.number]
            sites = open_index(generation.directory / "sites.index")
            engine = bootstrap.load_engine(settings)
            assert engine.catalogue.version == sites.catalogue["version"]
            listed_now = [n for n in range(number + 1) if engine.listed(f"g{n}.example", "/")]
            assert len(listed_now) == 1
            if live.number == before.number:
                assert before == live
        assert killed >= _POINTS // 2
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended
        assert bootstrap.load_engine(settings).listed(f"g{_POINTS}.example", "/")
        assert not list((state / "generations").glob(".new-*"))
