"""Calls the addons' hooks straight from a table, closed when one of them fails.

mitmproxy goes through every addon for every hook, with a task each; that is most of what a request
costs. Here each kind of hook knows its functions, and only what really waits becomes a task.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, fields
from typing import Any

from mitmproxy import addonmanager, exceptions, flow, master
from mitmproxy import hooks as mitmproxy_hooks

from schoolgate.proxy.guard import Guard

type Function = Callable[[Any], Awaitable[None] | None]
type Unfinished = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class _Functions:
    """What a kind of hook calls.

    Attributes:
        field: of the hook, that holds what it is called with.
        of_flow: that is a flow.
        followed: somebody wants to know of each change of a flow.
    """

    field: str
    functions: tuple[Function, ...]
    of_flow: bool
    followed: bool


class ClosedAddonManager(addonmanager.AddonManager):
    """mitmproxy's own logs what an addon raises and lets the flow go on; this one closes."""

    def __init__(self, of: master.Master, guard: Guard) -> None:
        self._functions: dict[type[mitmproxy_hooks.Hook], _Functions] = {}
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
        found = self._functions.get(type(hook)) or self._look_up(type(hook))
        data = getattr(hook, found.field)
        left = iter(found.functions)
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
        if found.of_flow and (found.followed or data.intercepted):
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
        if self._followers():
            return self._update(of)
        return of.wait_for_resume() if of.intercepted else None

    async def _update(self, of: flow.Flow) -> None:
        await self.trigger_event(mitmproxy_hooks.UpdateHook([of]))
        await of.wait_for_resume()

    def _followers(self) -> tuple[Function, ...]:
        hook = mitmproxy_hooks.UpdateHook
        return (self._functions.get(hook) or self._look_up(hook)).functions

    def _look_up(self, kind: type[mitmproxy_hooks.Hook]) -> "_Functions":
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
        # The classes of flows are abstract ones, and to ask such a class takes longest of all.
        of_flow = names[0] == "flow"
        followed = of_flow and bool(self._followers())
        found = self._functions[kind] = _Functions(names[0], functions, of_flow, followed)
        return found
