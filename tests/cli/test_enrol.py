"""`schoolgate enrol` at a gateway, of a centre that runs `schoolgate trust serve`, over TLS."""

import re
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from schoolgate import bootstrap
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.enrolment.certificates import Named
from schoolgate.enrolment.client import EnrolmentFiles, enrol, renew
from schoolgate.enrolment.reaching import trouble_of
from schoolgate.settings import load_settings
from tests.cli.ended import DONE, NO, OUT_OF_REACH, WRONG, lines, refused, run
from tests.gateway import COMMAND, PATIENCE_SECONDS, eventually, free_port
from tests.school import POLICY, School, write_school

pytestmark = pytest.mark.long
HILL = Named("hill", "gw1")


class Centre:
    """A centre that serves."""

    def __init__(self, school: School, port: int) -> None:
        self.school = school
        self.url = f"https://127.0.0.1:{port}"
        self.settings = load_settings(school.config, {})

    @property
    def fingerprint(self) -> str:
        """By which gateways know it."""
        return bootstrap.fingerprint_of_centre(self.settings)

    def token(self, named: Named = HILL) -> str:
        """Give a token, as the command prints it."""
        said = run(self.school, "trust", "gateway", "token", named.school, named.gateway)
        found = re.search(r"--token (\S+)", said.stdout)
        assert found, said
        return found[1]

    def answers(self) -> bool:
        """Ask whether it serves."""
        try:
            return httpx.get(f"{self.url}/healthz", verify=self.context()).status_code == 200
        except httpx.TransportError:
            return False

    def context(self) -> ssl.SSLContext:
        """Give how a stranger speaks with it."""
        return ssl.create_default_context(cafile=str(self.school.state / "trust/authority.crt"))


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    school = write_school(tmp_path_factory.mktemp("centre") / "school")
    (school.policy.parent / "vale.yaml").write_text(POLICY.replace("id: hill", "id: vale", 1))
    for words in (("keys",), ("make", "vale"), ("stage", "1"), ("release", "1")):
        assert run(school, "trust", "bundle", *words).returncode == DONE
    port = free_port()
    found = Centre(school, port)
    assert found.fingerprint
    process = subprocess.Popen(
        [
            *COMMAND, "trust", "serve", "--name", "127.0.0.1", "--listen", f"127.0.0.1:{port}",
            "--config", str(school.config),
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        (school.state / "trust").mkdir(exist_ok=True)
        assert eventually((school.state / "trust/authority.crt").exists)
        assert eventually(found.answers)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def _enrol(
    gateway: School, centre: Centre, token: str, *more: str
) -> "subprocess.CompletedProcess[str]":
    return run(
        gateway, "enrol", "--centre", centre.url, "--school", "hill", "--gateway", "gw1",
        "--fingerprint", centre.fingerprint, "--token", token, *more,
    )  # fmt: skip


def test_a_gateway_enrols_fetches_renews_and_is_put_out(school: School, centre: Centre) -> None:
    school.write_config(bundles={"url": f"{centre.url}/bundles"})
    token = centre.token()
    said = lines(_enrol(school, centre, token))
    assert said[0].startswith("This is hill/gw1 until ")
    files = EnrolmentFiles(school.state / "enrolment")
    assert files.identity.stat().st_mode & 0o777 == 0o600
    # The root came with it.
    assert lines(run(school, "bundle", "fetch")) == ["Version 2 (bundle 1) is in force."]
    refused(_enrol(school, centre, token), NO, "not good for that gateway")

    assert trouble_of(files) == (centre.url, "")
    doctor = " ".join(run(school, "doctor").stdout.split())
    assert "bundle: version 2 (bundle 1) is in force, let out 0 days ago, good for 8" in doctor
    assert "enrolment: the certificate is good for 59 days; it renews itself" in doctor
    assert f"centre: {centre.url} answers and knows this gateway" in doctor

    before = files.identity.read_bytes()
    now = bootstrap.now()
    assert not renew(files, now)
    assert renew(files, now + timedelta(days=31))
    assert files.identity.read_bytes() != before
    assert lines(run(school, "bundle", "fetch")) == ["Nothing changed."]

    said = lines(run(centre.school, "trust", "gateway", "revoke", "hill", "gw1"))
    assert said == ["hill/gw1 is out."]
    refused(run(school, "bundle", "fetch"), OUT_OF_REACH, "it answers 403")
    with pytest.raises(RefusedError, match="not enrolled"):
        renew(files, now + timedelta(days=31))
    assert trouble_of(files)[1].startswith(f"{centre.url} knows this gateway no more")
    # What was in force stays.
    assert lines(run(school, "bundle", "status"))[0].startswith("in force   version 2")
    # A new token brings it back.
    assert _enrol(school, centre, centre.token()).returncode == DONE
    assert lines(run(school, "bundle", "fetch")) == ["Nothing changed."]


def test_a_centre_with_another_fingerprint_gets_no_token(tmp_path: Path, centre: Centre) -> None:
    files, token = EnrolmentFiles(tmp_path / "enrolment"), centre.token()
    with pytest.raises(RefusedError, match="another fingerprint"):
        enrol(files, centre.url, token, "0" * 64, HILL)
    assert not files.directory.exists()
    shown = ":".join(re.findall("..", centre.fingerprint.upper()))
    assert enrol(files, centre.url, token, shown, HILL)


@pytest.mark.parametrize("named", [Named("dale", "gw1"), Named("hill", "gw2")])
def test_a_token_is_no_other_gateways(tmp_path: Path, centre: Centre, named: Named) -> None:
    files, token = EnrolmentFiles(tmp_path / "enrolment"), centre.token()
    with pytest.raises(RefusedError, match="not good for that gateway"):
        enrol(files, centre.url, token, centre.fingerprint, named)
    assert not files.directory.exists()


def test_of_two_with_one_token_one_is_enrolled(tmp_path: Path, centre: Centre) -> None:
    token, won, lost = centre.token(), [], []
    together = threading.Barrier(4)

    def try_it(number: int) -> None:
        files = EnrolmentFiles(tmp_path / f"gateway-{number}")
        together.wait()
        try:
            won.append(enrol(files, centre.url, token, centre.fingerprint, HILL))
        except RefusedError:
            lost.append(number)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 3)


def test_a_stranger_and_who_has_a_certificate_of_others_get_no_bundle(
    tmp_path: Path, centre: Centre
) -> None:
    place = f"{centre.url}/bundles/metadata/timestamp.json"
    assert httpx.get(place, verify=centre.context()).status_code == 403
    from schoolgate.enrolment.certificates import make_authority, server_pem

    pem = tmp_path / "other.pem"
    now = bootstrap.now()
    pem.write_bytes(server_pem(make_authority(tmp_path / "authority.pem", now), "hill", now))
    context = centre.context()
    context.load_cert_chain(pem)
    with pytest.raises(httpx.TransportError):
        httpx.get(place, verify=context)


def test_a_centre_that_is_not_there_is_out_of_reach(school: School, centre: Centre) -> None:
    files = EnrolmentFiles(school.state / "enrolment")
    with pytest.raises(UnavailableError, match="cannot be reached"):
        enrol(files, f"https://127.0.0.1:{free_port()}", "t", centre.fingerprint, HILL)
    with pytest.raises(RefusedError, match="begins with https"):
        enrol(files, centre.url.replace("https", "http"), "t", centre.fingerprint, HILL)


NOBODY = ("enrol", "--centre", "https://127.0.0.1:1", "--fingerprint", "aa", "--token", "t")


@pytest.mark.parametrize(
    ("said", "asked", "code", "want"),
    [
        ("", (), WRONG, "Which gateway is this"),
        ("", ("--school", "hill"), WRONG, "Which gateway is this"),
        ("trust: {school: hill, gateway: gw1}\n", ("--school", "vale"), WRONG, "not vale/gw1"),
        ("trust: {school: hill, gateway: gw1}\n", (), OUT_OF_REACH, "cannot be reached"),
        ("", ("--school", "hill", "--gateway", "gw1"), OUT_OF_REACH, "cannot be reached"),
    ],
)
def test_which_gateway_it_is_stands_in_the_settings_or_is_told(
    tmp_path: Path, said: str, asked: tuple[str, ...], code: int, want: str
) -> None:
    school = write_school(tmp_path / "school")
    school.config.write_text(school.config.read_text() + said)
    ended = run(school, *NOBODY, *asked)
    assert ended.returncode == code, ended
    assert want in " ".join(re.sub(r"[│╭╰─╮╯]", " ", ended.stderr).split())
