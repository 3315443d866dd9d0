"""Both ends of a connection within this machine, for handing one of them to another process."""

import asyncio
import contextlib
import socket

_BACKLOG = 1024
_SECONDS = 5.0


class Pairs:
    """Makes pairs of TCP sockets; to be made inside a running event loop.

    TCP, since the filter looks at connections in a way (SO_RCVLOWAT) that sockets of the file system's
    kind do not know.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._awaited: dict[tuple[str, int], asyncio.Future[socket.socket]] = {}
        self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Make no more; those that were made stay."""
        self._loop.remove_reader(self._listener)
        self._listener.close()

    async def make(self) -> tuple[socket.socket, socket.socket]:
        """Give both ends, non-blocking.

        Raises:
            OSError: when the machine is out of something.
        """
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            own.setblocking(False)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.bind(("127.0.0.1", 0))
            name: tuple[str, int] = own.getsockname()
            other = self._awaited[name] = self._loop.create_future()
            try:
                async with asyncio.timeout(_SECONDS):
                    await self._loop.sock_connect(own, self._listener.getsockname())
                    return own, await other
            finally:
                del self._awaited[name]
        except BaseException:
            own.close()
            raise

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, name = self._listener.accept()
                awaited = self._awaited.get(name)
                if awaited is None or awaited.done():
                    # Somebody else on this machine.
                    connection.close()
                    continue
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                awaited.set_result(connection)
