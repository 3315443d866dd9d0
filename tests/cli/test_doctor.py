"""`schoolgate doctor` finds what is wrong where nothing runs, or where something was changed."""

import re
import sqlite3
from contextlib import closing

from tests import gateway
from tests.cli.ended import DONE, NO, run
from tests.school import School


def test_doctor_exits_1_and_names_every_fault_when_nothing_runs(school: School) -> None:
    school.write_config(
        proxy={"listen": f"127.0.0.1:{gateway.free_port()}"},
        metrics={"listen": f"127.0.0.1:{gateway.free_port()}"},
    )
    school.policy.write_text("id: [")
    ended = run(school, "doctor")
    assert (ended.returncode, ended.stderr) == (NO, "")
    said = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
    marks = [mark for mark, what in said if what not in ("clock:", "disk")]
    assert marks == ["ok", "FAULT", "FAULT", "ok", "FAULT", "FAULT", "FAULT", "FAULT", "note"]
    for words in ("hill.yaml:1: is not valid YAML", "There is no CA", "nothing answers on"):
        assert words in ended.stdout


def test_doctor_shows_a_broken_audit_trail(school: School) -> None:
    assert run(school, "suspend", "10.0.0.7", "--until", "1d", "--reason", "x").returncode == DONE
    with closing(sqlite3.connect(school.state / "schoolgate.db")) as database:
        database.execute("DROP TRIGGER audit_refuses_update")
        database.execute("UPDATE audit SET action = 'suspension.lifted'")
        database.commit()
    ended = run(school, "doctor")
    assert ended.returncode == NO
    assert re.search(r"FAULT +audit trail: entry 1 was changed", ended.stdout)
