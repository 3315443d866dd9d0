"""Tunnels as a whole: a device comes in, and no more once it is removed."""

import asyncio
import base64
import socket
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schoolgate.wireguard import Peer, change_peers, new_key, read_seen
from schoolgate.wireguard.kinds import Ways
from schoolgate.wireguard.pairs import Pairs
from schoolgate.wireguard.serving import Place, serving
from schoolgate.wireguard.streams import Surroundings
from tests.gateway import eventually
from tests.wireguard.initiating import initiation
from tests.wireguard.test_streams import Entrance


def test_a_device_is_answered_until_it_is_removed(tmp_path: Path) -> None:
    device, key = X25519PrivateKey.generate(), new_key()
    gateway = X25519PrivateKey.from_private_bytes(base64.b64decode(key)).public_key()
    public = base64.b64encode(device.public_key().public_bytes_raw()).decode()
    refused: list[str] = []

    async def answered(line: socket.socket, number: int) -> bytes:
        await asyncio.get_running_loop().sock_sendall(
            line, initiation(device, gateway, number.to_bytes(12, "big"))
        )
        async with asyncio.timeout(30):
            return await asyncio.get_running_loop().sock_recv(line, 2000)

    async def story() -> None:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line,
            closing(Pairs()) as pairs,
        ):
            outer.bind(("127.0.0.1", 0))
            line.connect(outer.getsockname())
            line.setblocking(False)
            around = Surroundings(Ways(), Entrance(), ("127.0.0.1", 1), pairs, refused.append)
            async with serving(Place([outer], tmp_path, key), around) as switch:
                peer = Peer("tablet", public, ("10.99.0.2",))
                change_peers(tmp_path, lambda _: (peer,))
                assert await asyncio.to_thread(eventually, lambda: switch.knows(public))
                # More than an end answers before it asks for a proof of the address.
                for number in range(1, 25):
                    answer = await answered(line, number)
                    assert (answer[:4], len(answer)) == (b"\x02\0\0\0", 92)
                assert switch.open_tunnels == 1
                change_peers(tmp_path, lambda _: ())
                assert await asyncio.to_thread(eventually, lambda: not switch.knows(public))
                assert switch.open_tunnels == 0
                line.send(initiation(device, gateway, (99).to_bytes(12, "big")))
                assert await asyncio.to_thread(eventually, lambda: bool(refused))
                (tmp_path / "peers.json").write_text("damaged")
            assert read_seen(tmp_path).at > 0

    asyncio.run(story())
    assert refused == ["unknown"]
