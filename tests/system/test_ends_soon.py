"""The real command tells who asked, by mail and once, that what was opened for them ends soon."""

import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.core.approvals import Actor, Role
from schoolgate.services.reminding import ENDS_SOON
from schoolgate.storage import ApprovalStore, Outbox, open_database
from tests import gateway
from tests.notify import smtp
from tests.services.requested import APPROVE, HEAD, approvals, form, scope

pytestmark = pytest.mark.system

TESS = Actor("tess@school.example", frozenset({Role.TEACHER}))
LEAD = "lead@school.example"


def test_who_asked_is_told_by_the_command_that_it_ends(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(
            tmp_path,
            mail={
                "host": "localhost",
                "port": post.port,
                "ca_file": str(post.ca_file),
                "sender": "filter@school.example",
                "roles": {"online-safety-lead": [LEAD]},
            },
        )
        database = open_database(f"sqlite:///{tmp_path}/state/schoolgate.db")
        service = approvals(ApprovalStore(database))
        then = bootstrap.now() - timedelta(days=12)
        asked = service.submit(form(scope(now=then)), TESS, then)
        service.act(asked.id, 1, APPROVE, HEAD, then)
        for _ in range(2):
            # The second time there is other mail, and nothing more to be told of this.
            service.submit(form(scope(now=bootstrap.now())), TESS, bootstrap.now())
            run_jobs(config, post.port, Outbox(database))
        database.dispose()
        told = [got.rcpt_tos for got in post.got if ENDS_SOON in str(got.content)]
        assert told == [[TESS.id]]


def run_jobs(config: Path, port: int, outbox: Outbox) -> None:
    command = [*gateway.COMMAND, "jobs", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as jobs:
        assert jobs.stdout is not None
        assert jobs.stdout.readline() == f"mail     localhost:{port}\n"
        while outbox.unsent():
            time.sleep(0.05)
        jobs.send_signal(signal.SIGTERM)
        assert jobs.wait(timeout=60) == 0
