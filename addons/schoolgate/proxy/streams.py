"""The handler for connections that mitmproxy's own servers accept, as those of a stock mitmdump."""

import asyncio

from mitmproxy import flow, master, options
from mitmproxy.proxy import commands, mode_specs

from schoolgate.proxy.handler import Handler, client_of
from schoolgate.proxy.hooks import Unfinished


class StreamHandler(Handler):
    """Stands in for ProxyConnectionHandler; its hooks go through mitmproxy's own addon manager."""

    def __init__(
        self,
        of: master.Master,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        told: options.Options,
        mode: mode_specs.ProxyMode,
    ) -> None:
        super().__init__(of, client_of(writer.get_extra_info("socket"), mode), told)
        # Kept, as a writer that is thrown away closes its connection.
        self._stream = reader, writer

    async def handle_client(self) -> None:
        """Take the connection from its stream, of which nothing was read yet."""
        _, writer = self._stream
        writer.transport.set_protocol(self._link)
        self._link.connection_made(writer.transport)
        await self.converse()

    def _begin(self, hook: commands.StartHook) -> Unfinished | None:
        return self._ask(hook)

    async def _ask(self, hook: commands.StartHook) -> None:
        await self.master.addons.handle_lifecycle(hook)
        (data,) = hook.args()
        if isinstance(data, flow.Flow):
            await data.wait_for_resume()
