"""Everything that stands before the first request: certificates, lists, origin, running engines."""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway import origin
from benchmarks.gateway.certificates import make_authority
from benchmarks.gateway.engines import Engine, Proxy, Rules, Schoolgate, Stage
from benchmarks.gateway.load import LoadError
from benchmarks.gateway.processes import cores, on_core
from benchmarks.gateway.rounds import say
from benchmarks.gateway.workloads import BLOCKED, DECRYPTED, PASSED
from benchmarks.index.data import prepare


def make_stage(base: Path, stack: ExitStack, mixed: set[str], *, lists: bool) -> Stage:
    """Make certificates, lists and the origin, which serves the hosts of the mix too."""
    rules = Rules({PASSED}, {DECRYPTED}, {BLOCKED})
    others = sorted(mixed - set(rules.hosts))
    site = stack.enter_context(origin.running(base, rules.hosts, others, cores().others))
    folder = None
    if lists:
        say("unpacking the lists")
        folder = prepare("school", base)[0].folder / "text"
    return Stage(
        base,
        site,
        make_authority(base, "bench proxy CA"),
        rules,
        folder,
        on_core(cores().proxy),
    )


def start(
    engines: list[Engine], stage: Stage, stack: ExitStack
) -> tuple[dict[str, Proxy], list[str]]:
    """Start all engines that are here; give them and their versions."""
    proxies, versions = {}, []
    for engine in engines:
        say(f"starting {engine.title}")
        try:
            versions.append(engine.version())
            proxies[engine.key] = stack.enter_context(engine.running(stage))
        except LoadError as error:
            say(f"{engine.title}: {error}")
            if engine.key == Schoolgate.key:
                raise SystemExit(1) from error
    return proxies, versions
