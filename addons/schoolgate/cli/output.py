"""Tables and colours for people; plain text where the output is not a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from schoolgate.core.policy import Verdict


class _Console(Console):
    """A console that leaves it to the command's top what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


# What is shown may hold brackets and colons of its own (a path, an IPv6 address): none is markup.
console = _Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
errors = _Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
if not console.is_terminal:
    # Nothing is folded for a file or the next command.
    console.width = 400

# By their names, since most commands need no rules.
_COLOURS = {
    "allow": "green",
    "monitor": "cyan",
    "warn": "yellow",
    "limit": "yellow",
    "block": "red",
}


def verdict_text(verdict: "Verdict") -> Text:
    """Give a verdict in its colour."""
    return Text(verdict.value, style=f"bold {_COLOURS[verdict.value]}")


def table(*columns: str) -> Table:
    """Give an empty table in the house's style."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns[:-1]:
        made.add_column(
            column, no_wrap=column in ("verdict", "clause", "category", "id", "", "for")
        )
    made.add_column(columns[-1], overflow="fold")
    return made


def progress() -> Progress:
    """Give bars that show how far something is; nothing where nobody sees them."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


__all__ = ["Progress", "TaskID", "console", "errors", "progress", "table", "verdict_text"]
