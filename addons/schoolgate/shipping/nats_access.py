"""How a server of NATS is reached: its address, and the files by which it knows us and we it."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schoolgate.core.errors import UnavailableError
from schoolgate.shipping.syslog import trusting

if TYPE_CHECKING:
    from nats.aio.client import Client

_CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Access:
    """Where it is, and what is shown there; files are read anew for each connection.

    Attributes:
        url: ``nats://HOST:PORT``, or ``tls://``.
        ca_file: the one authority that is trusted; without, the system's.
        certificate_file: of ours.
        key_file: of that.
        credentials_file: of a user (JWT and seed).
        nkey_file: the seed of a user.
        user_file: ``NAME:PASSWORD``.
    """

    url: str
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    credentials_file: Path | None = None
    nkey_file: Path | None = None
    user_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """Give them as nats-py takes them.

        Raises:
            OSError: when a file cannot be read.
        """
        found: dict[str, Any] = {"servers": [self.url], "connect_timeout": _CONNECT_SECONDS}
        if self.url.startswith("tls://") or self.ca_file is not None:
            found["tls"] = trusting(self.ca_file, self.certificate_file, self.key_file)
        if self.credentials_file is not None:
            found["user_credentials"] = str(self.credentials_file)
        if self.nkey_file is not None:
            found["nkeys_seed"] = str(self.nkey_file)
        if self.user_file is not None:
            user, _, password = self.user_file.read_text(encoding="utf-8").strip().partition(":")
            found |= {"user": user, "password": password}
        return found


async def opened(access: Access, name: str, *, lost: Any = None) -> "Client":
    """Connect once; a connection that ends is not opened again, since who uses it begins anew.

    Args:
        access: how.
        name: of us, for who looks at the server.
        lost: a coroutine function that is called with what went wrong.

    Raises:
        OSError: when nobody is there, or does not let us in.
        UnavailableError: when nats-py is not installed.
    """
    client_of, errors = _library()
    client: Client = client_of()

    async def ignored(_error: Exception) -> None:
        """Whoever waits for an answer is told; nats-py would print it as well."""

    try:
        await client.connect(
            **access.options(), name=name, allow_reconnect=False, error_cb=lost or ignored
        )
    except (errors.Error, OSError, ValueError) as error:
        await client.close()
        raise OSError(f"{access.url}: {error or type(error).__name__}") from error
    return client


def _library() -> tuple[Any, Any]:
    try:
        return import_module("nats.aio.client").Client, import_module("nats.errors")
    except ImportError as error:
        raise UnavailableError(
            f"NATS needs the package nats-py: pip install 'schoolgate[trust]' ({error})."
        ) from error
