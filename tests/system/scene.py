"""A gateway with a day of a school: people of several groups at every kind of site, feeds, a locked list,
receivers of the journal, a trust, a program that is told of alerts, requests that wait, and Prometheus."""

import base64
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import yaml

from schoolgate import bootstrap
from schoolgate.core.approvals import AccessRequest, Approve, Decline
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, open_database
from tests import gateway, leaking, media_origin
from tests.gateway import ROOT, Gateway, eventually
from tests.lists.locked import put_list
from tests.media_origin import MediaOrigin
from tests.notify.receiver import receiving
from tests.origin import Origin
from tests.proxy.test_texts import BODIES
from tests.publisher import listed, publishing, register
from tests.services.requested import APPROVE, DECLINE, HEAD, TEACHER, approvals, form, scope
from tests.shipping.receiving import Came, http_receiver
from tests.system import scene_trust, watching
from tests.system.conftest import program
from tests.system.watching import Watching

FEED, RECEIVER = "theirs", "loki"
BLOCKED, ROUND = "http://www.bet365.com/", "http://protonvpn.com/"
# What the sites of the scene are called, beside the pages of `tests.proxy.test_texts`.
ENGINE, PAGES = "www.bing.com", "video.test"
NAMES = ("origin.test", ENGINE, "www.bbc.co.uk", "www.khanacademy.org", "www.ebay.co.uk", PAGES)
# What raises an alert, of which each theme is told once a day.
CONCERNS = (
    f"http://{ENGINE}:{{port}}/search?q=i+want+to+kill+myself",
    "http://www.leafly.com/",
    f"http://{ENGINE}:{{port}}/search?q=how+to+make+a+bomb+at+home",
)
# With each of them.
_ROUNDS = 60
# Whose each address is; of two workers each serves some of them.
GROUPS = {"staff": "127.0.21.2", "governors": "127.0.21.3", "pupils": "127.0.21.4"}
_PAUSE_SECONDS = 1.0
_PAGE = {"accept": "text/html"}
# Of a film of which nothing is known, so many bytes are a second.
_A_SECOND = 312_500


@dataclass(frozen=True)
class Scene:
    """What is looked at.

    Attributes:
        gate: the gateway.
        watch: who watches it.
        service: where requests are decided.
        waiting: one that has waited since the day before yesterday.
        came: what the receiver of the journal was given.
    """

    gate: Gateway
    watch: Watching
    service: Approvals
    waiting: AccessRequest
    came: Came

    def shown(self) -> str:
        """Give what the gateway shows."""
        return self.gate.get("metrics").text

    def fetch(self) -> None:
        """Ask the publisher of the feed again."""
        assert self.gate.run("lists", "update").returncode == 0


@contextmanager
def playing(site: Origin, directory: Path) -> Iterator[Scene]:
    """Begin it, and end it with the block.

    Args:
        site: what all sites are that may be asked for.
        directory: for whatever is kept.
    """
    (directory / "watch").mkdir()
    came = Came()
    with ExitStack() as opened:
        films = opened.enter_context(media_origin.running())
        films.bodies.update(BODIES)
        receiver = opened.enter_context(http_receiver(came))
        of = opened.enter_context(scene_trust.centre(directory / "trust"))
        pager = opened.enter_context(receiving())
        config = _configured(directory, site, receiver, of, pager.url)
        of.enrol(config)
        _published(config, opened)
        (directory / "locked").mkdir()
        put_list(directory / "locked", "closed.test\n")
        gate = opened.enter_context(gateway.running(config, leaking.COMMAND))
        target = gate.address("metrics").removeprefix("http://").removesuffix("/metrics")
        watch = opened.enter_context(watching.running(directory / "watch", target, of.shown))
        service = _service(gate, opened)
        opened.enter_context(traffic(gate, site, films))
        yield Scene(gate, watch, service, _asked_for(service, watch), came)


def _configured(
    directory: Path, site: Origin, receiver: str, of: scene_trust.Centre, pager: str
) -> Path:
    (directory / "categories").mkdir()
    devices = {f"of-{group}": {"address": at, "group": group} for group, at in GROUPS.items()}
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump({"devices": devices, "neighbours": False}))
    return gateway.write_config(
        directory,
        people=str(people),
        proxy=gateway.to_origin(site, NAMES),
        portal={"enabled": True},
        selftest={"enabled": True, "every_seconds": 5},
        lists={
            "dirs": [str(ROOT / "categories"), str(directory / "categories")],
            "feeds": [FEED],
        },
        shipping={
            "to": [
                {"kind": "loki", "name": RECEIVER, "url": f"{receiver}/loki"},
                of.receiver(directory),
            ]
        },
        alerts={"webhooks": [_hook(directory, pager)]},
        # Each of the pair's addresses is this machine's, as long as it has 127.0.0.0/8.
        network={"addresses": ["127.0.21.9"], "pair": ["127.0.21.10"]},
        wireguard={
            "listen": f"127.0.0.1:{gateway.free_port()}",
            "endpoint": "vpn.school.example:51820",
        },
        **of.sections(),
    )


def _hook(directory: Path, url: str) -> dict[str, str]:
    secret = directory / "pager.secret"
    secret.write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    return {"name": "pager", "url": url, "secret_file": str(secret)}


def _published(config: Path, opened: ExitStack) -> None:
    """Have a feed that was last fetched eight days ago: one more than is allowed."""
    publisher = opened.enter_context(publishing())
    publisher.lists["bets.txt"] = b"".join(b"bet%d.example\n" % each for each in range(500))
    feed: dict[str, object] = {"lists": {"bets": listed("bets.txt")}}
    feeds = register(publisher.base, **{FEED: feed})
    (config.parent / "categories" / "feeds.yaml").write_text(feeds)
    command = (*gateway.COMMAND, "lists", "update", "--config", str(config))
    subprocess.run([program("faketime"), "-f", "-8d", *command], cwd=ROOT, check=True)


def _service(gate: Gateway, opened: ExitStack) -> Approvals:
    database = open_database(f"sqlite:///{gate.state}/schoolgate.db")
    opened.callback(database.dispose)
    return approvals(ApprovalStore(database))


def _asked_for(service: Approvals, watch: Watching) -> AccessRequest:
    """Decide two requests now, and give a third that has waited since the day before yesterday."""
    now = bootstrap.now()
    decided = [
        service.submit(form(scope(site, now=now)), TEACHER, now)
        for site in ("https://games.example/", "https://friends.example/play")
    ]
    seen = "schoolgate_access_requests_open"
    assert eventually(lambda: bool(watch.ask("query", query=f"{seen} > 0")["result"]))
    steps: tuple[Approve | Decline, ...] = (APPROVE, DECLINE)
    for request, step in zip(decided, steps, strict=True):
        service.act(request.id, request.version, step, HEAD, bootstrap.now())
    past = now - timedelta(days=2)
    return service.submit(form(scope("https://friends.example/", now=past)), TEACHER, past)


@contextmanager
def traffic(gate: Gateway, site: Origin, films: MediaOrigin) -> Iterator[None]:
    """Ask for pages all the time: open ones, blocked ones, ways round, films, and the portal's."""
    ended = threading.Event()
    port, films_port = site.http_port, films.port

    def ask(group: str, asks: Callable[[httpx.Client, int], None]) -> None:
        round_ = 0
        while not ended.wait(_PAUSE_SECONDS):
            round_ += 1
            with suppress(httpx.HTTPError), gate.client(address=GROUPS[group]) as client:
                asks(client, round_)

    def everybody(client: httpx.Client, round_: int) -> None:
        client.get(f"http://origin.test:{port}/")
        client.get(f"https://origin.test:{site.https_port}/")
        client.get(BLOCKED)
        client.get(f"https://www.bbc.co.uk:{site.https_port}/")

    def pupil(client: httpx.Client, round_: int) -> None:
        everybody(client, round_)
        client.get(ROUND)
        # The same one again is no more seconds.
        client.get(f"http://origin.test:{port}/bytes/{_A_SECOND}?type=video/mp4&n={round_ // 20}")
        client.get(f"http://{PAGES}:{films_port}/casino", headers=_PAGE)
        concern = CONCERNS[round_ // _ROUNDS % len(CONCERNS)].format(port=port)
        client.get(concern, headers=_PAGE)

    def teacher(client: httpx.Client, round_: int) -> None:
        everybody(client, round_)
        client.get(f"http://www.ebay.co.uk:{port}/")
        httpx.get(gate.address("portal"), trust_env=False)
        # It passes unread, and this client does not trust the site's own certificate: it ends here.
        client.get(f"https://www.khanacademy.org:{site.https_port}/")

    asking = {"pupils": pupil, "staff": teacher, "governors": everybody}
    threads = [threading.Thread(target=ask, args=each, daemon=True) for each in asking.items()]
    for thread in threads:
        thread.start()
    yield
    ended.set()
    for thread in threads:
        thread.join()
