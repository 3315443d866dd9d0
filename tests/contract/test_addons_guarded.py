"""Every hook of the filter goes through the guard: a hook that raised would let traffic pass."""

import asyncio
import inspect
from typing import Any

import mitmproxy.addonmanager
import mitmproxy.proxy.layers  # noqa: F401 - defines hooks
import pytest
from mitmproxy.hooks import all_hooks

from schoolgate.proxy.destinations import Destinations
from schoolgate.proxy.filter import Filter

# They handle no traffic: one runs before it, the other after it.
UNGUARDED = {"load", "done"}
ADDONS = (Filter, Destinations)
HOOKS = [
    pytest.param(addon, name, id=f"{addon.__name__}.{name}")
    for addon in ADDONS
    for name in sorted(all_hooks)
    if name not in UNGUARDED and hasattr(addon, name)
]


class Recording:
    """A guard that notes what it closed."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, object]] = []

    def close(self, hook: str, data: object, error: BaseException) -> None:
        assert isinstance(error, Exception)
        self.closed.append((hook, data))


class Hollow:
    """Stands in an addon's place with nothing but a guard, so that every hook fails in it."""

    def __init__(self, guard: Recording) -> None:
        self.guard = guard


class Unreadable:
    """Data of a hook that cannot be looked at, so that every hook fails on it."""

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


@pytest.mark.parametrize(("addon", "name"), HOOKS)
def test_a_hook_that_raises_is_closed_by_the_guard(addon: type, name: str) -> None:
    guard, data = Recording(), Unreadable()
    hook: Any = getattr(addon, name)
    result = hook(Hollow(guard), data)
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))
    assert guard.closed == [(name, data)]


async def _awaited(result: Any) -> None:
    await result


def test_the_hooks_that_decide_are_among_those_looked_at() -> None:
    looked_at = {str(parameter.id) for parameter in HOOKS}
    assert {
        "Filter.http_connect",
        "Filter.requestheaders",
        "Filter.responseheaders",
        "Filter.response",
        "Filter.websocket_message",
    } <= looked_at
    assert any(name.startswith("Destinations.") for name in looked_at)


@pytest.mark.parametrize("addon", ADDONS)
def test_a_public_method_of_an_addon_is_a_hook_or_is_known_not_to_be(addon: type) -> None:
    public = {name for name in vars(addon) if not name.startswith("_")}
    assert public - set(all_hooks) <= {"is_known_open", "is_refused", "known", "resolve"}
