"""The command, whose workers do not filter while a file named ``leak`` lies beside the settings.

Run as the command is: ``python -m tests.leaking run --config FILE``.
"""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from schoolgate.cli import main
from schoolgate.core import canaries
from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, HostDecision, PolicyEngine, Shape, WebRequest

LEAK = "leak"
COMMAND = (sys.executable, "-m", "tests.leaking")
_decide, _decide_host = PolicyEngine.decide, PolicyEngine.decide_host


def leak(flag: Path) -> None:
    """Have every site decided as one in no category, in the workers, while a file is there."""

    def decide(self: PolicyEngine, request: WebRequest, now: datetime) -> Decision:
        if canaries.is_canary(request.url.host) and _is_worker() and flag.exists():
            request = replace(request, url=request.url._replace(host=canaries.OPEN))
        return _decide(self, request, now)

    def decide_host(
        self: PolicyEngine,
        host: str,
        client: Client,
        now: datetime,
        shapes: tuple[Shape, ...] = (),
    ) -> HostDecision:
        if canaries.is_canary(host) and _is_worker() and flag.exists():
            host = canaries.OPEN
        return _decide_host(self, host, client, now, shapes)

    PolicyEngine.decide = decide  # type: ignore[method-assign]
    PolicyEngine.decide_host = decide_host  # type: ignore[method-assign]


def _is_worker() -> bool:
    return Path("/proc/self/comm").read_text().startswith("sg worker")


if __name__ == "__main__":
    leak(Path(sys.argv[sys.argv.index("--config") + 1]).parent / LEAK)
    main()
