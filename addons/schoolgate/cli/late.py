"""A group of commands each of which is loaded when it is named, as each costs its imports."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import rich_click as click


class LateGroup(click.RichGroup):
    """A group that knows where its commands are.

    Args:
        modules: command → the module of this package that has it, under its name with ``_`` for ``-``.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the commands, in the order of the help."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        if cmd_name not in self._modules:
            return None
        module = import_module(f"{__package__}.{self._modules[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command
