"""Looks at the living gateway: rules, forwarding, ports, names; each finding says what to do."""

import asyncio
import socket
from collections.abc import Iterator

import aiodns

from schoolgate.core.errors import UnavailableError
from schoolgate.services.network.fitting import misfits
from schoolgate.services.network.kernel import forwarding
from schoolgate.services.network.loading import (
    counters,
    forwarded,
    loaded_edition,
    refuses_quic,
)
from schoolgate.services.network.names import CANARIES
from schoolgate.services.network.packet_filter import edition
from schoolgate.services.network.ways import Ways
from schoolgate.services.probing import Finding
from schoolgate.settings import Settings
from schoolgate.settings.network import Address

_TIMEOUT_SECONDS = 3.0
# RFC 6761, 6.4: nobody has it.
_NOBODY = "schoolgate.invalid."
_APPLY = "run 'schoolgate gateway apply' as root"


def living(settings: Settings) -> Iterator[Finding]:
    """Give what is found; nothing where this machine is no gateway."""
    ways = Ways.of(settings)
    if not ways.network.is_used:
        return
    said = list(misfits(settings))
    yield Finding("network", not said, " ".join(said) or "its settings fit together")
    yield _rules(ways)
    yield from _quic()
    yield _forwarding(ways)
    yield from _ports(ways)
    if ways.answers_names:
        for server in ways.network.name_servers:
            yield _name_server(server)
        for address in ways.network.addresses:
            yield _names(ways, address)
            yield _canaries(address)


def _rules(ways: Ways) -> Finding:
    try:
        found = loaded_edition()
    except UnavailableError as error:
        return Finding("rules", False, f"{error} Only root can ask for them.")
    if not found:
        return Finding("rules", False, f"no rules are loaded: {_APPLY}")
    if found != edition(ways):
        return Finding("rules", False, f"the rules are not those of the settings: {_APPLY}")
    return Finding("rules", True, "loaded; QUIC, DNS over TLS and tunnels are refused")


def _quic() -> Iterator[Finding]:
    try:
        is_refused, seen = refuses_quic(), counters()
    except UnavailableError:
        # Said of the rules.
        return
    if is_refused:
        yield Finding("QUIC", True, f"refused, {seen.get('quic', 0)} packets so far")
    else:
        yield Finding("QUIC", False, f"no rule that is loaded refuses it: {_APPLY}")


def _forwarding(ways: Ways) -> Finding:
    wanted, found = forwarding(ways), forwarded()
    wrong = [name for name, on in found.items() if on and not wanted[name]]
    missing = [name for name, on in wanted.items() if on and not found.get(name)]
    if wrong:
        said = f"{', '.join(wrong)} is on and need not be; {_APPLY}, and look in /etc/sysctl.d"
    elif missing:
        said = f"{', '.join(missing)} is off, so that what goes round the filter does not: {_APPLY}"
    else:
        on = ", ".join(name for name, is_on in found.items() if is_on) or "nothing"
        return Finding("forwarding", True, f"as the settings need it ({on})")
    return Finding("forwarding", False, said)


def _ports(ways: Ways) -> Iterator[Finding]:
    for what, port in (
        ("proxy for browsers", ways.proxy_port),
        ("redirected connections", ways.transparent_port),
    ):
        if port is None:
            continue
        silent = [str(address) for address in ways.network.addresses if not _listens(address, port)]
        if silent:
            said = f"nothing listens at {', '.join(silent)}, port {port}: is 'schoolgate proxy' running?"
            yield Finding(what, False, said)
        else:
            yield Finding(what, True, f"listened for on port {port}")


def _listens(address: Address, port: int) -> bool:
    try:
        with socket.create_connection((str(address), port), _TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _names(ways: Ways, address: Address) -> Finding:
    what = f"names at {address}"
    try:
        found = asyncio.run(_asked(str(address), ways.portal))
    except (aiodns.error.DNSError, OSError) as error:
        return Finding(what, False, f"nobody answers ({error}): is dnsmasq running?")
    own = {str(one) for one in ways.network.addresses}
    if not found or not found <= own:
        said = f"{ways.portal} is not answered with this gateway's address: "
        return Finding(what, False, f"{said}put 'schoolgate gateway dnsmasq' in force")
    return Finding(what, True, f"{ways.portal} is {', '.join(sorted(found))}")


def _name_server(server: Address) -> Finding:
    """Ask whether one whom this gateway asks answers at all; whatever it says of this name will do."""
    what = f"name server {server}"
    try:
        asyncio.run(_asked(str(server), _NOBODY))
    except aiodns.error.DNSError as error:
        if error.args[0] not in (aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA):
            return Finding(what, False, f"it does not answer ({error.args[-1]})")
    except OSError as error:
        return Finding(what, False, f"it cannot be asked ({error})")
    return Finding(what, True, "it answers")


def _canaries(address: Address) -> Finding:
    """See that browsers and devices are told that names are filtered here."""
    what = f"canary names at {address}"
    for canary in CANARIES:
        try:
            asyncio.run(_asked(str(address), canary))
        except aiodns.error.DNSError as error:
            if error.args[0] == aiodns.error.ARES_ENOTFOUND:
                continue
            return Finding(what, False, f"{canary} is not answered ({error.args[-1]})")
        except OSError as error:
            return Finding(what, False, f"{canary} cannot be asked for ({error})")
        said = f"{canary} is answered as if nothing were filtered: put 'schoolgate gateway dnsmasq' in force"
        return Finding(what, False, said)
    return Finding(what, True, "Firefox's and iCloud Private Relay's have no address")


async def _asked(server: str, name: str) -> set[str]:
    resolver = aiodns.DNSResolver([server], timeout=_TIMEOUT_SECONDS, tries=1)
    try:
        answer = await resolver.getaddrinfo(name, type=socket.SOCK_STREAM)
        return {node.addr[0].decode() for node in answer.nodes}
    finally:
        await resolver.close()
