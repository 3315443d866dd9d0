"""Calls the addons' hooks straight from a table, closed when one of them fails.

mitmproxy goes through every addon for every hook, with a task each; that is most of what a request
costs. Here each kind of hook knows its functions, and only what really waits becomes a task.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import fields
from typing import Any

from mitmproxy import addonmanager, exceptions, flow, master
from mitmproxy import hooks as mitmproxy_hooks

from schoolgate.proxy.guard import Guard

type Function = Callable[[Any], Awaitable[None] | None]
type Unfinished = Coroutine[Any, Any, None]


class ClosedAddonManager(addonmanager.AddonManager):
    """mitmproxy's own logs what an addon raises and lets the flow go on; this one closes."""

    def __init__(self, of: master.Master, guard: Guard) -> None:
        self._functions: dict[type[mitmproxy_hooks.Hook], tuple[str, tuple[Function, ...]]] = {}
        super().__init__(of)  # type: ignore[no-untyped-call]
        self._guard = guard

    def add(self, *addons: object) -> None:
        """Add addons at the end."""
        self._functions.clear()
        super().add(*addons)  # type: ignore[no-untyped-call]

    def remove(self, addon: object) -> None:
        """Remove an addon."""
        self._functions.clear()
        super().remove(addon)  # type: ignore[no-untyped-call]

    async def trigger_event(self, event: mitmproxy_hooks.Hook) -> None:
        """Run a hook through the addons; the first that raises ends the flow."""
        for addon in self.chain:
            try:
                await self.invoke_addon(addon, event)
            except exceptions.AddonHalt:
                return
            except Exception as error:  # noqa: BLE001 - this is the boundary
                arguments = event.args()
                self._guard.close(event.name, arguments[0] if arguments else None, error)
                return

    def run(self, hook: mitmproxy_hooks.Hook) -> Unfinished | None:
        """Run a hook of one argument as far as it goes without waiting.

        Returns:
            None when it is through, or what remains to be awaited.
        """
        field, functions = self._functions.get(type(hook)) or self._look_up(type(hook))
        data = getattr(hook, field)
        left = iter(functions)
        for function in left:
            try:
                waiting = function(data)
            except exceptions.AddonHalt:
                break
            except Exception as error:  # noqa: BLE001 - this is the boundary
                self._guard.close(hook.name, data, error)
                break
            if waiting is not None and inspect.isawaitable(waiting):
                return self._wait(hook.name, data, waiting, left)
        if isinstance(data, flow.Flow):
            return self._after(data)
        return None

    async def _wait(
        self, name: str, data: object, waiting: Awaitable[None], left: Iterator[Function]
    ) -> None:
        try:
            await waiting
            for function in left:
                result = function(data)
                if result is not None and inspect.isawaitable(result):
                    await result
        except exceptions.AddonHalt:
            pass
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self._guard.close(name, data, error)
        if isinstance(data, flow.Flow):
            rest = self._after(data)
            if rest is not None:
                await rest

    def _after(self, of: flow.Flow) -> Unfinished | None:
        """Tell those who follow every change of a flow, and wait while one of them holds it."""
        hook = mitmproxy_hooks.UpdateHook
        _, functions = self._functions.get(hook) or self._look_up(hook)
        if functions:
            return self._update(of)
        return of.wait_for_resume() if of.intercepted else None

    async def _update(self, of: flow.Flow) -> None:
        await self.trigger_event(mitmproxy_hooks.UpdateHook([of]))
        await of.wait_for_resume()

    def _look_up(self, kind: type[mitmproxy_hooks.Hook]) -> tuple[str, tuple[Function, ...]]:
        """Find the functions of a kind of hook, once.

        Raises:
            TypeError: when it has not exactly one argument.
            AddonManagerError: when an addon has something of its name that cannot be called.
        """
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        if len(names) != 1:
            raise TypeError(f"{kind.__name__} has not one argument but {names}")
        unset: Any = object.__new__(kind)
        functions = tuple(
            function for addon in self.chain for _, function in self._iter_hooks(addon, unset)
        )
        found = self._functions[kind] = (names[0], functions)
        return found
