"""To a syslog server: messages of RFC 5424 over TLS, to Debian's rsyslogd, which comes and goes."""

import json
import re
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from schoolgate.shipping import Syslog
from schoolgate.shipping.syslog import framed, message, trusting
from tests.gateway import PATIENCE_SECONDS, eventually, free_port
from tests.shipping.test_shipper import Fake, Stage
from tests.system import slapd
from tests.system.conftest import program

RECORD = {"ts": "2026-11-23T10:30:00.000+00:00", "event": "request.decided", "verdict": "block"}
# RFC 5424, 6: PRI and version, time, host, application, process, message's kind, no structured data.
FORM = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)|-) ([!-~]{1,255}) "
    rb"([!-~]{1,48}) - ([!-~]{1,32}) - (\{.*\})",
    re.DOTALL,
)
AT = b"2026-11-23T10:30:00.000+00:00"
COUNT, MORE = 300, 200


@pytest.mark.parametrize(
    ("record", "name", "want"),
    [
        (RECORD, "hill", (b"109", AT, b"hill", b"request.decided")),
        ({**RECORD, "verdict": "allow"}, "hill", (b"110", AT, b"hill", b"request.decided")),
        ({"event": "a b\n" + "c" * 40}, "Hügel 1", (b"110", b"-", b"Hgel1", b"ab" + b"c" * 30)),
        ({}, " ", (b"110", b"-", b"-", b"-")),
    ],
)  # fmt: skip
def test_a_message_has_the_form_of_the_standard(
    record: dict[str, str], name: str, want: tuple[bytes, ...]
) -> None:
    found = FORM.fullmatch(message(record, name))
    assert found is not None
    assert (found[1], found[2], found[3], found[5]) == want
    assert json.loads(found[6]) == record


def test_each_has_its_length_before_it() -> None:
    assert framed("é".encode()) == b"2 \xc3\xa9"


@contextmanager
def rsyslogd(directory: Path, port: int) -> Iterator[None]:
    """Run it; what it takes is written to a file."""
    config = directory / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{directory}" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{directory}/ca.pem"
  defaultNetstreamDriverCertFile="{directory}/server.pem"
  defaultNetstreamDriverKeyFile="{directory}/server.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="json" type="string" string="%msg%\\n")
action(type="omfile" file="{directory}/came.log" template="json" flushOnTXEnd="on" asyncWriting="off")
""")
    log = directory / "rsyslogd.out"
    with log.open("a") as output:
        process = subprocess.Popen(
            [program("rsyslogd"), "-n", "-f", str(config), "-i", str(directory / "pid")],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def came(directory: Path) -> list[str]:
    file = directory / "came.log"
    if not file.exists():
        return []
    return [json.loads(line)["id"] for line in file.read_text().splitlines() if line.strip()]


def tried(stage: Stage) -> None:
    """Ship as the thread does, which goes back to what is known to have come when there is an error."""
    try:
        stage.moment += 0.1
        stage.shipper.step()
    except OSError as error:
        stage.shipper._failed(error)


def have_come(stage: Stage, directory: Path, wanted: Sequence[str]) -> bool:
    tried(stage)
    return set(came(directory)) >= set(wanted)


@pytest.mark.long
def test_nothing_is_lost_when_the_server_is_started_anew(tmp_path: Path) -> None:
    certificates = tmp_path / "server"
    certificates.mkdir()
    slapd.certificates(certificates, "localhost")
    journal = tmp_path / "journal"
    journal.mkdir()
    port = free_port()
    context = partial(trusting, certificates / "ca.pem")
    server = Syslog("localhost", port, context, "hill", settle_seconds=2.0)
    stage = Stage(journal, Fake())
    stage.receiver = server  # type: ignore[assignment]
    stage.shipper = stage.begun()
    first = [f"first-{n}" for n in range(COUNT)]
    then = [f"then-{n}" for n in range(MORE)]
    stage.write(*first)
    with rsyslogd(certificates, port):
        assert eventually(lambda: have_come(stage, certificates, first))
    # Nobody is there; what comes meanwhile waits in the files.
    stage.write(*then)
    for _ in range(3):
        tried(stage)
    with rsyslogd(certificates, port):
        assert eventually(lambda: have_come(stage, certificates, [*first, *then]))
    assert stage.counted["dropped"] == 0
    server.close()


@pytest.mark.long
def test_a_server_whose_certificate_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    slapd.certificates(tmp_path, "localhost")
    port = free_port()
    with rsyslogd(tmp_path, port):
        server = Syslog("localhost", port, partial(trusting, None), "hill")

        def refused() -> bool:
            try:
                server.send([{**RECORD, "id": "x"}])
            except ssl.SSLCertVerificationError:
                return True
            except OSError:
                return False
            raise AssertionError("it was sent")

        assert eventually(refused)
    assert came(tmp_path) == []
