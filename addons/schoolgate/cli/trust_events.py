"""`schoolgate trust consume` and `sources`: journals of all gateways, from NATS JetStream into tables."""

import logging
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.core.shipment import named, subject
from schoolgate.shipping.collecting import Pace
from schoolgate.shipping.nats_access import Access

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


def _with_access(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options by which the server is reached."""
    options = (
        click.option(
            "--nats", "url", default="nats://127.0.0.1:4222", help="nats:// or tls://HOST:PORT."
        ),
        click.option("--ca-file", type=_FILE, help="The one authority that is trusted."),
        click.option("--certificate-file", type=_FILE, help="Shown to the server."),
        click.option("--key-file", type=_FILE, help="Of that certificate."),
        click.option("--credentials-file", type=_FILE, help="A user's JWT and seed."),
        click.option("--nkey-file", type=_FILE, help="A user's seed."),
        click.option("--user-file", type=_FILE, help="NAME:PASSWORD in a file."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_with_access
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory of the tables; one process writes into it.",
)
@click.option(
    "--metrics",
    default="",
    metavar="HOST:PORT|FILE",
    help="Where Prometheus asks, as 127.0.0.1:9181; or a text file for its node exporter, …/schoolgate.prom.",
)
@click.option(
    "--every", default=10.0, type=click.FloatRange(0.1, 600), help="Seconds between two tables."
)
@click.option(
    "--pending", default=4_000, type=click.IntRange(2, 100_000), help="Messages under way at most."
)
@click.option(
    "--wait",
    default=120.0,
    type=click.FloatRange(1, 3_600),
    help="Seconds after which what was not acknowledged comes again.",
)
@click.option("--once", is_flag=True, help="End when nothing is left.")
def consume(
    url: str,
    out: Path,
    metrics: str,
    every: float,
    pending: int,
    wait: float,
    *,
    once: bool,
    **files: Path | None,
) -> None:
    """Write what gateways have published into tables, until Ctrl-C or SIGTERM: each line once.

    \b
    schoolgate trust consume --nats tls://nats.trust.example:4222 --user-file centre.user --out /srv/events
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    click.echo(f"gathering {url} → {out}")
    listen = metrics if is_address(metrics) else ""
    file = Path(metrics) if metrics and not listen else None
    access, pace = Access(url, **files), Pace(every, pending, wait)
    bootstrap.gather(access, out.absolute(), file, pace, ending, once=once, listen=listen)


@click.command()
@_with_access
@click.argument("gateways", nargs=-1, metavar="SCHOOL/GATEWAY…")
def sources(url: str, gateways: tuple[str, ...], **files: Path | None) -> None:
    """Have the centre's stream take what these gateways' leaves keep; without any, list those it has.

    What is not named is taken no more; what came stays. NATS has to know each: deploy/trust/nats.

    \b
    schoolgate trust sources --user-file centre.user hermitage/gw1 hermitage/gw2 hill/gw1
    """
    wanted = pairs_of(gateways)
    for one in bootstrap.sources_of(Access(url, **files), wanted):
        click.echo(f"{one.name:<40} waits {one.lag:<10} {'here' if one.is_here else 'away'}")


def is_address(text: str) -> bool:
    """Ask whether it is HOST:PORT, and not the name of a file."""
    return _ADDRESS.fullmatch(text) is not None


def pairs_of(gateways: tuple[str, ...]) -> list[tuple[str, str]]:
    """Read ``SCHOOL/GATEWAY``.

    Raises:
        click.BadParameter: when one is none.
    """
    found = []
    for text in gateways:
        school, _, gateway = text.partition("/")
        whose = named(subject(school, gateway))
        if whose is None:
            raise click.BadParameter(f"'{text}' is no SCHOOL/GATEWAY of a-z, 0-9 and hyphens")
        found.append(whose)
    return found
