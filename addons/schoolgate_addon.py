"""The same filter for a stock mitmdump: ``mitmdump -s addons/schoolgate_addon.py``.

For development, and for a technician who already runs mitmproxy. Its limits are told at start: a
stock mitmproxy drops a script that was saved broken and goes on without it, unfiltered, so a school
runs ``schoolgate run``.
"""

import logging
import os
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client

from schoolgate import bootstrap
from schoolgate.proxy import limits
from schoolgate.proxy.master import REQUIRED_OPTIONS, cut
from schoolgate.settings import Settings, load_settings

logger = logging.getLogger(__name__)

CONFIG = "config/schoolgate.yaml"
LIMITS = (
    "schoolgate runs inside a stock mitmproxy: should this script be saved broken or be removed, "
    "mitmproxy goes on without it and nothing is filtered. It serves no metrics and no health address. "
    "For a school use 'schoolgate run'."
)


class SchoolgateScript:
    """Starts what the filter needs, and adds its addons to mitmproxy's own."""

    def __init__(self) -> None:
        self._gateway: bootstrap.Gateway | None = None
        self._own_ports: set[int] = set()
        self.addons: list[object] = []

    def load(self, _loader: Loader) -> None:
        """Start before the first connection; a fault ends mitmdump, which would filter nothing."""
        logger.warning(LIMITS)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        try:
            self._start(load_settings(Path(os.environ.get("SCHOOLGATE_CONFIG", CONFIG))))
        except Exception as error:  # noqa: BLE001 - whatever it is, mitmdump must not run on
            # mitmproxy would log it and run on as an open proxy.
            logger.critical("schoolgate does not start, so mitmdump ends.\n%s", error)
            os._exit(2)

    def _start(self, settings: Settings) -> None:
        limits.install()
        self._gateway = bootstrap.Gateway(settings)
        # mitmproxy loads the addons of an addon after it.
        filtering = self._gateway.addons(_cut)
        self._own_ports = filtering.destinations.own_ports
        self.addons = list(filtering.addons)
        bundle = bootstrap.upstream_bundle(settings)
        # Where it listens is mitmdump's own option: it is bound before a script is loaded.
        ctx.options.update(
            confdir=str(settings.ca_dir),
            ssl_verify_upstream_trusted_ca=str(bundle) if bundle else None,
            **REQUIRED_OPTIONS,
        )

    def running(self) -> None:
        """Learn the ports that must not be reached through the proxy."""
        server = ctx.master.addons.get("proxyserver")
        self._own_ports.update(address[1] for address in server.listen_addrs())

    def done(self) -> None:
        """End what was started."""
        if self._gateway is not None:
            self._gateway.close()


def _cut(client: Client) -> None:
    cut(ctx.master, client)


addons = [SchoolgateScript()]
