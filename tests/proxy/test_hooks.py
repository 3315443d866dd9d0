"""A hook runs through every addon in order, waits where one waits, and closes where one raises."""

import asyncio
import warnings
from collections.abc import Awaitable
from typing import Any

import pytest

with warnings.catch_warnings():
    # Those of mitmproxy's own dependencies.
    warnings.simplefilter("ignore")
    from mitmproxy import connection, exceptions, http, master, options
    from mitmproxy.proxy.layers.http._hooks import HttpRequestHook

    from schoolgate.proxy.hooks import ClosedAddonManager


class Notes:
    """What the addons did, and what was closed."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def close(self, hook: str, _data: object, error: BaseException) -> None:
        self.done.append(f"closed in {hook}: {error}")


class Addon:
    """Does one thing in `request`."""

    def __init__(self, name: str, notes: Notes, what: str) -> None:
        self.name = name
        self._notes = notes
        self._what = what

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        match self._what:
            case "raise":
                raise ValueError(self.name)
            case "halt":
                raise exceptions.AddonHalt
            case "hold":
                flow.intercept()
                asyncio.get_running_loop().call_soon(flow.resume)
            case "wait" | "raise later":
                return self._later()
        self._notes.done.append(self.name)
        return None

    async def _later(self) -> None:
        await asyncio.sleep(0)
        if self._what == "raise later":
            raise ValueError(self.name)
        self._notes.done.append(self.name)


@pytest.mark.parametrize(
    ("addons", "waits", "want"),
    [
        (["note", "note"], False, ["0", "1"]),
        (["wait", "note"], True, ["0", "1"]),
        (["note", "wait", "wait"], True, ["0", "1", "2"]),
        (["raise", "note"], False, ["closed in request: 0"]),
        (["note", "raise later", "note"], True, ["0", "closed in request: 1"]),
        (["wait", "raise", "note"], True, ["0", "closed in request: 1"]),
        (["halt", "note"], False, []),
        (["wait", "halt", "note"], True, ["0"]),
        (["hold", "note"], True, ["0", "1"]),
        ([], False, []),
    ],
)
def test_a_hook_runs_through_the_addons(addons: list[str], waits: bool, want: list[str]) -> None:
    async def run() -> tuple[bool, list[str]]:
        notes: Any = Notes()
        of = master.Master(options.Options(), asyncio.get_running_loop())
        manager = ClosedAddonManager(of, notes)
        manager.add(*(Addon(str(i), notes, what) for i, what in enumerate(addons)))
        client = connection.Client(peername=("10.0.0.1", 1), sockname=("10.0.0.2", 2))
        flow = http.HTTPFlow(client, connection.Server(address=None))
        rest = manager.run(HttpRequestHook(flow))
        if rest is not None:
            await rest
        of._legacy_log_events.uninstall()
        return rest is not None, notes.done

    assert asyncio.run(run()) == (waits, want)


def test_an_addon_that_is_added_later_is_called_too() -> None:
    async def run() -> list[str]:
        notes: Any = Notes()
        of = master.Master(options.Options(), asyncio.get_running_loop())
        manager = ClosedAddonManager(of, notes)
        client = connection.Client(peername=("10.0.0.1", 1), sockname=("10.0.0.2", 2))
        hook = HttpRequestHook(http.HTTPFlow(client, connection.Server(address=None)))
        manager.run(hook)
        addon = Addon("later", notes, "note")
        manager.add(addon)
        manager.run(hook)
        manager.remove(addon)
        manager.run(hook)
        of._legacy_log_events.uninstall()
        done: list[str] = notes.done
        return done

    assert asyncio.run(run()) == ["later"]
