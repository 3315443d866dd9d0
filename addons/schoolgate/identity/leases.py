"""Files of DHCP leases: what dnsmasq and ISC Kea write, read without trust in what stands there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hardware import any_mac, mac_of_duid, normalise_mac
from schoolgate.core.people import LeaseKind
from schoolgate.core.prefixes import client_address
from schoolgate.identity.facts import Lease

# A name as DHCP may carry it; anything longer is not one (RFC 1035, 2.3.4).
_LONGEST_NAME = 253
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LeasesRead:
    """What a file of leases held.

    Attributes:
        leases: those in force; the last line of an address counts.
        bad_lines: how many lines could not be read.
        faults: the first of these, each in a sentence with its line.
        readable: whether the file was one of leases at all.
    """

    leases: tuple[Lease, ...]
    bad_lines: int = 0
    faults: tuple[str, ...] = ()
    readable: bool = True


def parse_leases(kind: LeaseKind, parts: Sequence[bytes], at: float) -> LeasesRead:
    """Read the files that together hold a server's leases, the oldest first.

    A last line without its end is one that is being written: it is left for the next look. A line
    that cannot be read is counted and takes away nothing else, but a file of which most lines
    cannot be read is none of leases.

    Args:
        kind: which server wrote them.
        parts: the content of each file; of Kea there may be two or three.
        at: seconds since 1970; leases that ended are left out.
    """
    by_address: dict[str, Lease | None] = {}
    faults: list[str] = []
    bad = good = 0
    # One that its server has only just made is as if it were not there yet.
    for part in [part for part in parts if part] or parts:
        for number, result in _PARSERS[kind](_whole_lines(part)):
            if isinstance(result, str):
                bad += 1
                if len(faults) < _SHOWN:
                    faults.append(f"line {number}: {result}")
            else:
                good += 1
                address, lease = result
                by_address[address] = lease
    leases = tuple(lease for lease in by_address.values() if lease is not None and lease.until > at)
    return LeasesRead(leases, bad, tuple(faults), readable=bad <= good)


# A line's number, and either what is wrong with it or the address with its lease (None: returned).
type _Line = tuple[int, str | tuple[str, Lease | None]]


def _whole_lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    return text[: text.rfind("\n") + 1].split("\n")[:-1]


def _dnsmasq(lines: list[str]) -> Iterator[_Line]:
    """Read ``expiry hardware-address address hostname client-id``, and below ``duid`` those of IPv6.

    There the second word is the interface's association (IAID) and the last one the DUID.
    """
    v6 = False
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if words[0] == "duid" and len(words) == 2:
            v6 = True
            continue
        if len(words) != 5:
            yield number, f"has {len(words)} words where a lease has 5"
            continue
        expiry, hardware, address, hostname, client_id = words
        try:
            until = _seconds(expiry)
            # Token ring and the like: "06-aa:bb:…", a hardware type before the address.
            mac = mac_of_duid(client_id) if v6 else normalise_mac(hardware.rpartition("-")[2])
            lease = Lease(client_address(address), mac, _name(hostname), until or inf)
        except (BadAddressError, ValueError) as error:
            yield number, str(error)
            continue
        yield number, (lease.address, lease)


def _kea(
    lines: list[str], read: Callable[[dict[str, str]], tuple[str, Lease | None]]
) -> Iterator[_Line]:
    """Read Kea's CSV: the header names the columns; the last line of an address counts."""
    columns = (lines or [""])[0].rstrip("\r").split(",")
    if "address" not in columns or "expire" not in columns:
        yield 1, "does not name Kea's columns"
        return
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        values = line.rstrip("\r").split(",")
        # A newer version may add columns at the end, and an older one leave them out.
        if len(values) < columns.index("expire") + 1:
            yield number, f"has {len(values)} columns of {len(columns)}"
            continue
        try:
            yield number, read(dict(zip(columns, values, strict=False)))
        except (BadAddressError, ValueError) as error:
            yield number, str(error)


def _kea4(lines: list[str]) -> Iterator[_Line]:
    def read(row: dict[str, str]) -> tuple[str, Lease | None]:
        hardware = row.get("hwaddr", "")  # empty for a client known by its identifier alone
        return _kea_lease(row, normalise_mac(hardware) if hardware else "")

    return _kea(lines, read)


def _kea6(lines: list[str]) -> Iterator[_Line]:
    def read(row: dict[str, str]) -> tuple[str, Lease | None]:
        # 2 is a delegated prefix: a network, not a device. Its "address" is the prefix.
        if row.get("lease_type") == "2":
            return f"prefix {row['address']}", None
        return _kea_lease(row, any_mac([row.get("hwaddr", "")]) or mac_of_duid(row.get("duid", "")))

    return _kea(lines, read)


def _kea_lease(row: dict[str, str], mac: str) -> tuple[str, Lease | None]:
    address = client_address(row["address"])
    until = _seconds(row["expire"])
    # 0 is assigned, 4 registered; declined, reclaimed and released ones are nobody's. A lifetime of
    # zero takes the lease back.
    if row.get("state", "0") not in {"", "0", "4"} or row.get("valid_lifetime") == "0":
        return address, None
    hostname = row.get("hostname", "").replace("&#x2c", ",")
    # Kea writes an infinite lifetime as 2^32 - 1.
    endless = row.get("valid_lifetime") == "4294967295"
    return address, Lease(address, mac, _name(hostname), inf if endless else until)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ValueError(f"{text[:30]!r} is not a time")
    return float(text)


def _name(raw: str) -> str:
    """Give a host's name, lower case and without the root dot; "*" is dnsmasq's for none."""
    name = raw.casefold().rstrip(".")
    return "" if name == "*" or len(name) > _LONGEST_NAME else name


_PARSERS: dict[LeaseKind, Callable[[list[str]], Iterator[_Line]]] = {
    LeaseKind.DNSMASQ: _dnsmasq,
    LeaseKind.KEA4: _kea4,
    LeaseKind.KEA6: _kea6,
}
