"""The settings in force as people may see them: each with its value, secrets blanked."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schoolgate.settings import Settings
from schoolgate.settings.machine import ENVIRONMENT_PREFIX
from schoolgate.storage import place_of

BLANKED = "(not shown)"
_SECRET = ("password", "secret", "token", "key")
_DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: as in the file: ``proxy.listen``.
        value: as text; empty where there is none.
        from_environment: whether a variable gave it.
    """

    name: str
    value: str
    from_environment: bool


def shown(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Setting]:
    """Give every setting in force.

    Files that hold a secret are named; what might be a secret itself is not.

    Raises:
        UnavailableError: when the database's URL names none.
    """
    data = settings.model_dump(mode="json", exclude={"file"})
    # The password stands before the place; of a server's further options none is shown.
    data[_DATABASE] = str(place_of(settings.database_url)).partition("?")[0]
    # The address of a webhook is often a secret itself.
    data["alerts"]["webhooks"] = [one.name for one in settings.alerts.webhooks]
    for name, value in _flat("", data):
        variable = ENVIRONMENT_PREFIX + name.replace(".", "_").upper()
        key = name.rpartition(".")[2]
        secret = any(word in key for word in _SECRET) and not key.endswith(("_file", "_dir"))
        text = BLANKED if secret and value else value
        yield Setting(name, text, variable in environment)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))
    else:
        yield name, "" if value in (None, {}) else str(value)
