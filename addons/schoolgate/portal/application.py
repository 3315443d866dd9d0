"""The portal as one application: Django told everything, its tables made, the entrance in front."""

import fcntl

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from schoolgate.core.errors import UnavailableError
from schoolgate.portal.configuration import STYLE_SHEET, configure
from schoolgate.portal.entrance import Application, Entrance
from schoolgate.portal.house import House
from schoolgate.settings import Settings


def why_not() -> str:
    """Give a sentence that says what the portal lacks; "" when it can be served."""
    if not STYLE_SHEET.exists():
        return (
            "its style sheet was not made: 'make setup' makes it with npm, and says what it lacks"
        )
    return ""


def make_application(settings: Settings, house: House) -> Application:
    """Make what serves; once for a process.

    Raises:
        UnavailableError: when the accounts cannot be used.
    """
    open_accounts(settings, house)
    return Entrance(get_wsgi_application())


def open_accounts(settings: Settings, house: House | None = None) -> None:
    """Make the tables of accounts and sessions ready; once for a process.

    Raises:
        UnavailableError: when they cannot be used.
    """
    from django.db import Error  # noqa: PLC0415 - the settings come first

    try:
        configure(settings, house)
        with (settings.state_dir / "portal.lock").open("w") as lock:
            # A command and the portal may begin together.
            fcntl.flock(lock, fcntl.LOCK_EX)
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
    except (Error, OSError) as error:
        raise UnavailableError(f"The accounts cannot be used: {error}.") from error


def make_tables(settings: Settings) -> None:
    """Make the tables of accounts and sessions in the database of some settings, and leave it again.

    Raises:
        UnavailableError: when they cannot be made.
    """
    from django.db import connections  # noqa: PLC0415 - the settings come first

    open_accounts(settings)
    connections.close_all()


def first_link(settings: Settings, address: str) -> str:
    """Give the link that makes the first account; "" when there is an account.

    Args:
        settings: of this machine.
        address: host and port where the portal is asked.

    Raises:
        UnavailableError: when its secret cannot be kept.
    """
    from schoolgate.portal.accounts import register  # noqa: PLC0415 - after the settings

    try:
        token = register.first_token(settings.first_link_file)
    except OSError as error:
        raise UnavailableError(
            f"The link for the first account cannot be kept: {error.strerror}."
        ) from error
    return f"http://{address}/first/{token}/" if token else ""
