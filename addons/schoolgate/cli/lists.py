"""`schoolgate lists`: the lists of sites, their updates, their index, and what is wrong with them."""

import rich_click as click

from schoolgate.cli.late import LateGroup

_MODULES = {
    "update": "list_updates",
    "diff": "list_updates",
    "approve": "list_updates",
    "rollback": "list_rollback",
    "caught": "caught",
    "build": "list_index",
    "status": "list_index",
    "show": "list_index",
    "lint": "list_index",
}


@click.group(cls=LateGroup, modules=_MODULES)
def lists() -> None:
    """Look after the lists of sites."""
