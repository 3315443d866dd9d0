"""The real command with one more addon, which raises in the hook that the first argument names."""

import sys
from dataclasses import replace
from typing import Any, NoReturn

from schoolgate.cli import main
from schoolgate.proxy import addons, bodies, filter
from schoolgate.proxy.addons import FilterAddons

HOOK = sys.argv.pop(1)
MARK = "/raise"


class Raising:
    """Raises for paths that begin with the mark, so that the rest shows that the proxy lives on."""

    def _raise(self, flow: Any) -> None:
        if flow.request.path.startswith(MARK):
            raise ZeroDivisionError(f"made to raise in {HOOK}")

    def __getattr__(self, name: str) -> Any:
        if name == HOOK:
            return self._raise
        raise AttributeError(name)


def _raise_in_stream(*_: object) -> NoReturn:
    raise ZeroDivisionError("made to raise in a stream")


if HOOK == "stream":
    bodies.Bodies.still_pass = _raise_in_stream  # type: ignore[method-assign, assignment]
elif HOOK == "decide":
    filter.strictest = _raise_in_stream  # type: ignore[assignment, attr-defined]
else:
    made = addons.make_addons

    def with_raising(*args: Any, **kwargs: Any) -> FilterAddons:
        """Add the raising addon after the filter's own."""
        filtering = made(*args, **kwargs)
        return replace(filtering, addons=(*filtering.addons, Raising()))

    addons.make_addons = with_raising

main()
