"""Real lists through the gate: no school, university or service that a school needs ends up blocked."""

import gzip
import re
from pathlib import Path

import pytest

from benchmarks.feeds.judging import real_school, run, table_of
from schoolgate import bootstrap
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import Verdict, WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.settings import load_settings
from tests.data import shared
from tests.gateway import write_config

_NAME = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+$")


def _education() -> set[str]:
    found: set[str] = set()
    for path in sorted(shared("cases/07-education").iterdir()):
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        for line in text.decode("utf-8", "replace").splitlines():
            found.add(line.partition(",")[0].strip().lower())
    return {name for name in found if _NAME.match(name)}


def _services() -> set[str]:
    """Hosts that must not be decrypted, and probes; private relays among them stay blocked."""
    text = shared("FACTS.md").read_text(encoding="utf-8")
    part = text[text.index("## f. ") : text.index("## h. ")]
    written = re.findall(r"`([^`/]+)", part)
    names = {name.removeprefix("*.") for name in written}
    return {name for name in names if _NAME.match(name) and not name.startswith("mask")}


def test_of_the_services_of_devices_the_school_itself_closes_the_shop_of_apps_alone(
    tmp_path: Path,
) -> None:
    """It need not be reachable to be left unread: no software from any source without approval."""
    engine = bootstrap.load_engine(load_settings(write_config(tmp_path), {}))
    closed = set()
    for host in _services():
        for group in engine.policy.groups:
            request = WebRequest(parse_web_url(host), Client("", group))
            decision = engine.decide(request, bootstrap.now())
            if decision.verdict is Verdict.BLOCK:
                closed.add((host, decision.clause))
    assert closed == {("apps.apple.com", "W-6.3.1-software")}


@pytest.mark.long
def test_what_a_school_needs_is_not_blocked_by_real_lists() -> None:
    shared("lists/school_domains.tsv.xz")
    hosts = _education() | _services()
    assert len(hosts) > 25_000
    with real_school() as config:
        curated = bootstrap.load_engine(load_settings(config, {}))
        said = run(config, "update")
        assert re.search(r"generation 1 is live, 3,3\d\d,\d\d\d entries more", said), said
        settings = load_settings(config, {})
        engine = bootstrap.load_engine(settings)
        now = bootstrap.now()
        blocked = []
        for host in sorted(hosts):
            by = {one.feed for one in engine.listed(host, "/")} - {"curated"}
            if not by:
                continue
            try:
                url = parse_web_url(host)
            except BadAddressError:
                continue
            # What the school's own categories close, the shop of apps (see above), is its own decision.
            blocked += [
                (host, group, by)
                for group in engine.policy.groups
                if engine.decide(WebRequest(url, Client("", group)), now).verdict is Verdict.BLOCK
                and curated.decide(WebRequest(url, Client("", group)), now).verdict
                is not Verdict.BLOCK
            ]
        assert blocked == []
        assert any("is a public suffix" in line for line in table_of(settings.lists_dir))
        assert Path(settings.lists_dir / "live").is_symlink()
