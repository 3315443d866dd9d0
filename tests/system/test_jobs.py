"""The real command sends what a request put into the outbox, alone or under `schoolgate run`."""

import base64
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate import bootstrap
from schoolgate.core.approvals import Role, Told
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, KeptAlert
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, Audience, IncidentStore, Outbox, open_database
from tests import gateway
from tests.databases import fresh
from tests.gateway import PATIENCE_SECONDS, eventually
from tests.notify import smtp
from tests.notify.receiver import receiving
from tests.services.requested import TEACHER, approvals, form, scope

LEAD = {"online-safety-lead": ["lead@school.example"]}
NOT_RUNNING = "ok\nThe jobs are not running: no mail is sent.\n"
MAILS = 30


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    database = open_database(url)
    yield database
    database.dispose()


@contextmanager
def working(config: Path, said: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `schoolgate jobs`, and end it as systemd does."""
    command = [*gateway.COMMAND, "jobs", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as jobs:
        assert jobs.stdout is not None
        assert jobs.stdout.readline() == f"{said}\n"
        yield jobs
        jobs.send_signal(signal.SIGTERM)
        assert jobs.wait(timeout=PATIENCE_SECONDS) == 0


def ask(database: Engine) -> None:
    """Ask for a site, of which the lead is told."""
    service: Approvals = approvals(ApprovalStore(database))
    now = bootstrap.now()
    service.submit(form(scope(now=now)), TEACHER, now)


def test_mail_of_a_request_leaves_by_the_command(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(tmp_path, mail=post.settings(roles=LEAD))
        with opened(f"sqlite:///{tmp_path}/state/schoolgate.db") as database:
            ask(database)
            with working(config, f"mail     localhost:{post.port}"):
                assert eventually(lambda: not Outbox(database).unsent())
        assert [got.rcpt_tos for got in post.got] == [["lead@school.example"]]


@pytest.mark.long
def test_who_has_an_account_and_has_not_signed_is_reminded(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(tmp_path, mail=post.settings())

        def run(*words: str) -> str:
            command = [*gateway.COMMAND, *words, "--config", str(config)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        for name in ("ann", "ben"):
            run("people", "add", f"{name}@school.example", "--name", name, "--role", "teacher")
        run("declarations", "sign", "ben@school.example")
        assert "ann@school.example" in run("declarations", "list", "--missing")
        with working(config, f"mail     localhost:{post.port}"):
            assert eventually(lambda: post.got != [])
        [got] = post.got
        assert got.rcpt_tos == ["ann@school.example"]
        assert b"https://schoolgate.internal/declaration/" in bytes(got.original_content or b"")


def test_without_a_mail_server_the_jobs_wait(tmp_path: Path) -> None:
    config = gateway.write_config(tmp_path)
    with working(config, "no mail server is set: mail waits (mail.host)") as jobs:
        assert jobs.poll() is None


def test_two_at_work_send_no_mail_twice(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post, fresh(tmp_path / "schoolgate.db") as url:
        post.pause_seconds = 0.05
        config = gateway.write_config(tmp_path, database=url, mail=post.settings(roles=LEAD))
        said = f"mail     localhost:{post.port}"
        with opened(url) as database, working(config, said), working(config, said):
            with ApprovalStore(database).writing() as work:
                for number in range(MAILS):
                    told = Told("A site is asked for", roles=(Role.ONLINE_SAFETY_LEAD,))
                    work.tell(told, f"request:{number}", bootstrap.now())
            assert eventually(lambda: not Outbox(database).unsent())
        assert len(post.ids) == len(set(post.ids)) == MAILS


@pytest.mark.long
def test_under_run_mail_leaves_and_who_ends_is_started_again(tmp_path: Path) -> None:
    with smtp.running(tmp_path) as post:
        config = gateway.write_config(tmp_path, mail=post.settings(roles=LEAD))
        with (
            gateway.running(config) as own,
            opened(f"sqlite:///{own.state}/schoolgate.db") as database,
        ):
            ask(database)
            assert eventually(lambda: len(post.got) == 1)
            assert eventually(lambda: own.get("health").text == "ok\n")
            workers, [jobs] = own.processes(), own.processes("jobs")
            os.kill(jobs, signal.SIGKILL)
            assert eventually(lambda: own.processes("jobs") not in ([], [jobs]))
            ask(database)
            assert eventually(lambda: len(post.got) == 2)
            own.process.send_signal(signal.SIGHUP)
            assert eventually(lambda: not set(own.processes()) & set(workers))
            ask(database)
            assert eventually(lambda: len(post.got) == 3)
            assert eventually(lambda: own.get("health").text == "ok\n")
    assert len(set(post.ids)) == 3


@pytest.mark.long
def test_jobs_that_cannot_start_take_nothing_down(tmp_path: Path) -> None:
    config = gateway.write_config(tmp_path, mail={"host": "localhost", "sender": "nobody"})
    with gateway.running(config) as own, own.client() as client:
        assert eventually(lambda: own.get("health").text == NOT_RUNNING)
        workers = own.processes()
        assert eventually(lambda: any("jobs ended" in line for line in own.lines))
        assert gateway.clause(client, "http://www.bet365.com/") == "W-6.3.1-gambling"
        assert own.processes() == workers
        assert "under mail: 'nobody' is no mail address" in own.run("doctor").stdout


@pytest.mark.long
def test_without_a_mail_server_mail_waits_and_doctor_says_what_to_do(tmp_path: Path) -> None:
    config = gateway.write_config(tmp_path)
    with gateway.running(config) as own:
        with opened(f"sqlite:///{own.state}/schoolgate.db") as database:
            ask(database)
        assert own.get("health").text == "ok\n"
        said = " ".join(own.run("doctor").stdout.split())
        assert (
            f"note mail: 1 mail waits and no mail server is set: set mail.host in {config}" in said
        )


def test_the_jobs_tell_a_webhook_of_an_alert_and_send_the_figures_of_the_week(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "hook.secret"
    secret.write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    with smtp.running(tmp_path) as post, receiving() as receiver:
        receiver.statuses = [503]
        hook = {"name": "pastoral", "url": receiver.url, "secret_file": str(secret)}
        mail = post.settings(roles={"dsl": ["dsl@school.example"]})
        config = gateway.write_config(tmp_path, mail=mail, alerts={"webhooks": [hook]})
        journal = tmp_path / "state" / "journal"
        journal.mkdir(parents=True)
        (journal / "2026-01-01.jsonl").write_text("")
        with opened(f"sqlite:///{tmp_path}/state/schoolgate.db") as database:
            alert = KeptAlert(
                0, bootstrap.now(), bootstrap.now(), 1, "user:tom", "pupils", About.PUPILS, "drugs",
                Severity.DANGER, "search", "x.example",
            )  # fmt: skip
            with working(config, f"mail     localhost:{post.port}"):
                audience = Audience(webhooks=("pastoral",))
                IncidentStore(database).keep([alert], lambda _: audience, bootstrap.now())
                assert eventually(lambda: len(receiver.got) == 2 and len(post.got) == 1)
        assert b"tom" not in receiver.got[-1][1]
        assert b"Safeguarding, about pupils" in bytes(post.got[0].original_content or b"")
