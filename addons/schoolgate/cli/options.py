"""The options that several commands share, and where the settings are looked for."""

import functools
import getpass
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import rich_click as click

from schoolgate import bootstrap
from schoolgate.core.clients import Client
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.hosts import as_ip
from schoolgate.settings import load_settings

if TYPE_CHECKING:
    from schoolgate.core.policy import Policy

LONDON = ZoneInfo("Europe/London")
CONFIG_PLACES = (Path("config/schoolgate.yaml"), Path("/etc/schoolgate/schoolgate.yaml"))


def with_settings[F: Callable[..., Any]](command: F) -> F:
    """Add ``--config`` and ``--state``, and hand the command the settings as ``settings``."""

    @with_place
    @functools.wraps(command)
    def wrapped(*args: Any, config: Path, state: Path | None, **kwargs: Any) -> Any:
        settings = bootstrap.whole(load_settings(config, os.environ, state))
        return command(*args, settings=settings, **kwargs)

    return wrapped  # type: ignore[return-value]


def with_place[F: Callable[..., Any]](command: F) -> F:
    """Add ``--config`` and ``--state``, and hand the command both, of which the first is there or named."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="SCHOOLGATE_CONFIG",
        help="Settings of this machine; without it config/schoolgate.yaml, then "
        "/etc/schoolgate/schoolgate.yaml.",
    )
    @click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help="State directory (CA, journal, database); wins over state_dir.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, config: Path | None, state: Path | None, **kwargs: Any) -> Any:
        return command(*args, config=config or _found_config(), state=state, **kwargs)

    return wrapped  # type: ignore[return-value]


def with_client[F: Callable[..., Any]](command: F) -> F:
    """Add the options that say who asks and when."""
    options = (
        click.option("--group", help="Policy group; without it the policy's default_group."),
        click.option("--user", default="", help="Sign-in name."),
        click.option("--client", "address", default="", help="IP address of the client."),
        click.option(
            "--device",
            default="",
            help="Id of a device, or a kind of device that the policy names.",
        ),
        click.option("--network", default="", help="A network that the policy names."),
        click.option(
            "--at",
            type=Moment(),
            default=None,
            help="When, e.g. 2026-11-23T10:30, school time; default now.",
        ),
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without an offset it is the school's own (Europe/London)."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-23T10:30", param, ctx)
        if not 2000 <= moment.year < 3000:
            self.fail(f"{value!r} is not in this millennium", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)


def make_client(
    policy: "Policy", group: str | None, user: str, address: str, device: str, network: str
) -> Client:
    """Make the client that the options describe.

    Raises:
        click.BadParameter: when a name is not the policy's, or the address is none.
    """
    for kind, name, known in (
        ("group", group, policy.groups),
        ("network", network, policy.networks),
    ):
        if name and known and name not in known:
            there = ", ".join(known)
            raise click.BadParameter(f"the policy has no {kind} {name!r}; it has: {there}")
    ip = as_ip(address) if address else None
    if address and ip is None:
        raise click.BadParameter(f"{address!r} is not an IP address")
    kind = device if device in policy.devices else ""
    return Client(
        str(ip or ""), group or policy.default_group, user, device, network, device_kind=kind
    )


def _found_config() -> Path:
    for place in CONFIG_PLACES:
        if place.exists():
            return place
    raise ConfigurationError(
        [
            Fault(
                " and ".join(str(place) for place in CONFIG_PLACES),
                0,
                "not found",
                "name the settings with --config FILE",
            )
        ]
    )


def actor() -> str:
    """Name who sits at this terminal, for the audit."""
    try:
        return f"cli:{getpass.getuser()}"
    except OSError:  # no such user in a bare container
        return "cli"


def when(moment: datetime) -> str:
    """Give a time as people in school read it."""
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M %Z}"
