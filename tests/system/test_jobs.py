"""The real command sends what a request put into the outbox, and ends when it is told to."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, Outbox, open_database
from tests import gateway
from tests.notify import smtp
from tests.services.requested import TEACHER, approvals, form, scope


def test_mail_of_a_request_leaves_by_the_command(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(
            tmp_path,
            mail={
                "host": "localhost",
                "port": post.port,
                "ca_file": str(post.ca_file),
                "sender": "filter@school.example",
                "roles": {"online-safety-lead": ["lead@school.example"]},
            },
        )
        database = open_database(f"sqlite:///{tmp_path}/state/schoolgate.db")
        service: Approvals = approvals(ApprovalStore(database))
        now = bootstrap.now()
        service.submit(form(scope(now=now)), TEACHER, now)
        command = [*gateway.COMMAND, "jobs", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as jobs:
            assert jobs.stdout is not None
            assert jobs.stdout.readline() == f"mail     localhost:{post.port}\n"
            while Outbox(database).unsent():
                time.sleep(0.05)
            jobs.send_signal(signal.SIGTERM)
            assert jobs.wait(timeout=60) == 0
        database.dispose()
        assert [got.rcpt_tos for got in post.got] == [["lead@school.example"]]


@pytest.mark.long
def test_who_has_an_account_and_has_not_signed_is_reminded(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(
            tmp_path,
            mail={
                "host": "localhost",
                "port": post.port,
                "ca_file": str(post.ca_file),
                "sender": "filter@school.example",
            },
        )

        def run(*words: str) -> str:
            command = [*gateway.COMMAND, *words, "--config", str(config)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        for name in ("ann", "ben"):
            run("people", "add", f"{name}@school.example", "--name", name, "--role", "teacher")
        run("declarations", "sign", "ben@school.example")
        assert "ann@school.example" in run("declarations", "list", "--missing")
        command = [*gateway.COMMAND, "jobs", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as jobs:
            assert gateway.eventually(lambda: post.got != [])
            jobs.send_signal(signal.SIGTERM)
            assert jobs.wait(timeout=60) == 0
        [got] = post.got
        assert got.rcpt_tos == ["ann@school.example"]
        assert b"https://schoolgate.internal/declaration/" in bytes(got.original_content or b"")
