"""Hardware (MAC) addresses in one form, and which of them a device made up for itself."""

import re
from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError

# aa:bb:cc:dd:ee:ff, a:b:c:d:e:f, AA-BB-…, aabb.ccdd.eeff, aabbcc-ddeeff, aabbccddeeff; the part
# after them is what a wireless controller adds to Called-Station-Id and the like (":SSID").
_SEPARATED = re.compile(r"[0-9a-fA-F]{1,2}([:-])[0-9a-fA-F]{1,2}(?:\1[0-9a-fA-F]{1,2}){4}")
_JOINED = re.compile(
    r"[0-9a-fA-F]{12}"
    r"|[0-9a-fA-F]{4}([.:-])[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}"
    r"|[0-9a-fA-F]{6}[:-][0-9a-fA-F]{6}"
)
_LONGEST = 64
# RFC 8415, 11.2 and 11.4: a DUID that holds a link-layer address; hardware type 1 is Ethernet.
_DUID_LLT = ("0001", "0001", 16)
_DUID_LL = ("0003", "0001", 8)


def normalise_mac(raw: str) -> str:
    """Give a hardware address as ``aa:bb:cc:dd:ee:ff``, whatever spelling it came in.

    Raises:
        BadAddressError: when it is none, or belongs to no single device (a group address, or all
            zeros, which stands for "unknown").
    """
    text = raw.strip() if len(raw) <= _LONGEST else ""
    if _SEPARATED.fullmatch(text):
        digits = "".join(part.zfill(2) for part in re.split("[:-]", text))
    elif _JOINED.fullmatch(text):
        digits = re.sub("[.:-]", "", text)
    else:
        raise BadAddressError(f"{raw[:100]!r} is not a hardware address")
    digits = digits.lower()
    if int(digits[:2], 16) & 1 or not int(digits, 16):
        raise BadAddressError(f"{raw[:100]!r} is not the hardware address of one device")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def mac_or_nothing(raw: str) -> str:
    """Give a hardware address in its one form, or nothing where it is none."""
    try:
        return normalise_mac(raw)
    except BadAddressError:
        return ""


def is_randomised(mac: str) -> bool:
    """Ask whether a device made a (normalised) address up: its locally administered bit is set.

    Phones and tablets do so for each network (“private Wi-Fi address”), and change it at will.
    """
    return bool(int(mac[:2], 16) & 2)


def mac_of_duid(duid: str) -> str:
    """Give the hardware address that a DHCPv6 client's identifier holds, or nothing.

    It is the address of the interface that the identifier was made with; it may since be in
    another device, so that whoever knows better must be asked first.
    """
    digits = re.sub("[:-]", "", duid.strip())
    for kind, hardware, start in (_DUID_LLT, _DUID_LL):
        if digits.startswith(kind + hardware) and len(digits) == start + 12:
            return mac_or_nothing(digits[start:])
    return ""


def any_mac(candidates: Iterable[str]) -> str:
    """Give the first of some texts that is a hardware address, in its one form, or nothing."""
    return next((mac for mac in map(mac_or_nothing, candidates) if mac), "")
