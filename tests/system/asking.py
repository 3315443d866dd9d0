"""What a device tries, run inside its namespace: ``python -m tests.system.asking WHAT …`` prints one line."""

import contextlib
import json
import socket
import ssl
import struct
import sys

# Longer than a packet takes on a busy machine, and not so long that what is dropped costs minutes.
SECONDS = 3.0
_DHCP = struct.Struct("!4BIHH4s4s4s4s16s64s128s4s")


def udp(host: str, port: str) -> str:
    """Send a datagram, and say what came of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(SECONDS)
        one.connect((host, int(port)))
        try:
            one.send(b"hello")
            return "answered " + one.recv(100).decode()
        except TimeoutError:
            return "silent"
        except OSError:
            return "refused"


def tcp(host: str, port: str, said: str = "") -> str:
    """Connect, say something given in hex, and give what is answered, in hex."""
    try:
        with socket.create_connection((host, int(port)), SECONDS) as one:
            one.sendall(bytes.fromhex(said))
            return "open " + one.recv(1000).hex()
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return f"cut {error.strerror}"


def tls(host: str, port: str, name: str, ca_file: str) -> str:
    """Speak TLS with an address in the name of a site, and give who signed its certificate."""
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = bool(name)
    try:
        with (
            socket.create_connection((host, int(port)), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name or None) as one,
        ):
            return str(dict(part[0] for part in one.getpeercert()["issuer"]))  # type: ignore[index, misc]
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except ssl.SSLCertVerificationError as error:
        return f"untrusted {error.verify_message}"
    except OSError as error:
        return f"cut {error.strerror}"


def dns(server: str, name: str, kind: str, transport: str = "udp") -> str:
    """Ask a name server, and give its code and the addresses or types of its answers as JSON."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0"
    query += struct.pack("!HH", int(kind), 1)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    stream = transport == "tcp"
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as one:
        one.settimeout(SECONDS)
        try:
            one.connect((server, 53))
            one.sendall(struct.pack("!H", len(query)) * stream + query)
            answer = one.recv(4096)[2 * stream :]
        except TimeoutError:
            return "silent"
        except OSError:
            return "refused"
    code, count = answer[3] & 15, struct.unpack_from("!H", answer, 6)[0]
    at, found = len(query), []
    for _ in range(count):
        at += 2 if answer[at] >= 192 else answer.index(b"\0", at) + 1 - at
        its_kind, _, _, size = struct.unpack_from("!HHIH", answer, at)
        data = answer[at + 10 : at + 10 + size]
        at += 10 + size
        families = {1: socket.AF_INET, 28: socket.AF_INET6}
        found.append(
            socket.inet_ntop(families[its_kind], data) if its_kind in families else its_kind
        )
    return json.dumps([code, found])


def dhcp(interface: str) -> str:
    """Ask for an address and for option 252, and give what that says."""
    mac = bytes.fromhex("001b44113ab7")
    nowhere = bytes(4)
    head = _DHCP.pack(
        1, 1, 6, 0, 0x5C00, 0, 0x8000, nowhere, nowhere, nowhere, nowhere,
        mac, b"", b"", bytes.fromhex("63825363"),
    )  # fmt: skip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        one.bind(("", 68))
        one.settimeout(SECONDS)
        for _ in range(5):
            one.sendto(head + bytes([53, 1, 1, 55, 2, 252, 6, 255]), ("255.255.255.255", 67))
            with contextlib.suppress(TimeoutError):
                options = one.recv(4096)[_DHCP.size :]
                break
        else:
            return "silent"
    while options and options[0] != 255:
        if options[0] == 252:
            return options[2 : 2 + options[1]].decode()
        options = options[2 + options[1] :]
    return "no option 252"


if __name__ == "__main__":
    ways = {way.__name__: way for way in (udp, tcp, tls, dns, dhcp)}
    print(ways[sys.argv[1]](*sys.argv[2:]))
