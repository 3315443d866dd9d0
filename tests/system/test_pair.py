"""Of two gateways one dies, hangs, is cut off or made new: people browse on, and all is filtered."""

import signal
import statistics
import time
from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.gateway import eventually
from tests.system.conftest import program
from tests.system.pair import (
    DEVICE4,
    FRONT4,
    PORT,
    SHARED4,
    SHARED6,
    SHIPPED,
    Member,
    Pair,
    pair,
)

pytestmark = pytest.mark.long

# By both addresses that the two share, and past them.
_BY = (SHARED4, f"[{SHARED6}]")
SHARED = ("redirected", *(f"{what} by {by}" for by in _BY for what in ("page", "tunnel")))
FRONTED = (f"page by {FRONT4}", f"tunnel by {FRONT4}")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    files = tmp_path_factory.mktemp("pair")
    people = {"load_balancers": {"ranges": [f"{FRONT4}/32"], "header": "proxy-protocol"}}
    (files / "people.yaml").write_text(yaml.safe_dump(people))
    with pair(files, people=str(files / "people.yaml")) as here:
        here.knock(f"{SHARED4}:{PORT}", f"[{SHARED6}]:{PORT}")
        yield here


def killed(here: Pair, member: Member) -> None:
    """Every process of the machine dies at once, keepalived too; its kernel goes on answering."""
    member.kill()


def hung(here: Pair, member: Member) -> None:
    """Every process of the gateway stands still, and keepalived goes on."""
    member.signal(signal.SIGSTOP)


def cut_off(here: Pair, member: Member) -> None:
    """The cable to the school is pulled."""
    here.plug(member, "eth1", "down")


def without_internet(here: Pair, member: Member) -> None:
    """The cable to the internet is pulled."""
    here.plug(member, "eth0", "down")


def mend(here: Pair, member: Member) -> None:
    """Bring a gateway back, until one of the two has the address and the other stands by."""
    if not member.running:
        member.start()
        member.start_keepalived()
    member.signal(signal.SIGCONT)
    for side in ("eth0", "eth1"):
        here.plug(member, side, "up")
    passive = here.passive
    assert eventually(lambda: not passive.has(SHARED4) and not passive.has(SHARED6))


def refused_after(here: Pair, before: int) -> bool:
    """Wait until the blocked site was refused some times more."""
    return eventually(lambda: here.refusals() > before + 10)


@pytest.mark.parametrize("fault", [killed, hung, cut_off, without_internet])
def test_when_the_active_gateway_fails_the_other_has_the_address_and_nothing_passes_unfiltered(
    school: Pair, fault: Callable[[Pair, Member], None]
) -> None:
    took = []
    for _ in range(2):
        active, before = school.active, school.refusals()
        moment = time.monotonic()
        fault(school, active)
        took.append(school.resumed(moment, SHARED))
        assert refused_after(school, before)
        mend(school, active)
    print(f"{fault.__name__}: median {statistics.median(took):.1f} s, most {max(took):.1f} s")
    assert school.leaks() == []


def test_both_are_made_new_one_after_the_other_and_filtering_goes_on(school: Pair) -> None:
    """First the one that stands by; the other's keepalived gives the address away before it stops."""
    began, before = time.monotonic(), school.refusals()
    for member in (school.passive, school.active):
        member.end("keepalived")
        member.end("schoolgate")
        member.start()
        member.start_keepalived()
        assert school.active is not None
    gaps = [school.longest_gap(began, kind) for kind in SHARED]
    print(f"rolling: the longest time without a page {max(gaps):.1f} s")
    assert school.refusals() > before
    assert school.leaks() == []


def test_behind_a_load_balancer_the_other_gateway_is_asked_and_people_are_who_they_are(
    school: Pair,
) -> None:
    """Each gateway has two workers; the client's own address says which one has it, for pages and tunnels."""
    school.device.stop()
    log = school.files / "haproxy.log"
    config = str(SHIPPED / "haproxy.cfg")
    school.front.start(program("haproxy"), "-db", "-f", config, log=log)
    school.knock(f"{FRONT4}:{PORT}")
    school.resumed(time.monotonic(), FRONTED)
    took = []
    for member in school.members:
        moment = time.monotonic()
        hung(school, member)
        took.append(school.resumed(moment, FRONTED))
        mend(school, member)
    print(f"behind HAProxy: most {max(took):.1f} s")
    assert school.leaks() == []
    for member in school.members:
        lines = [line for line in member.journal() if line.get("host")]
        tests = [line for line in lines if "canary" in line["host"]]
        people = [line for line in lines if "canary" not in line["host"]]
        assert {line["client"] for line in tests} <= {FRONT4, "127.0.0.1"}
        assert DEVICE4 in {line["client"] for line in people}
        assert FRONT4 not in {line["client"] for line in people}
        assert len({line["worker"] for line in people if line["client"] == DEVICE4}) == 1
