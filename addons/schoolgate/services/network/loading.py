"""Puts the rules in force in the kernel: first the rules, then what they let through."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.services.network.kernel import forwarding
from schoolgate.services.network.packet_filter import TABLE, ruleset
from schoolgate.services.network.ways import Ways

# However nft words the rest of the rule.
_QUIC = re.compile(r'^\s*udp dport \{ 80, 443 \} .*"?quic"?.* reject', re.MULTILINE)
_COMMENT = re.compile(r'^\tcomment "(\w+)"$', re.MULTILINE)
PROC = Path("/proc/sys")
_TIMEOUT_SECONDS = 60
# Where Debian has it, for users whose path does not say so.
_SBIN = "/usr/sbin:/sbin"


def apply(ways: Ways, proc: Path = PROC) -> None:
    """Load the rules, and forward what they need.

    When the rules are refused, those that are loaded stay; where there are none, nothing is
    forwarded.

    Raises:
        UnavailableError: when the rules or the kernel's settings cannot be put in force.
    """
    try:
        _nft("-f", "-", given=ruleset(ways))
    except UnavailableError:
        if not is_loaded():
            close(proc)
        raise
    _forward(forwarding(ways), proc)


def close(proc: Path = PROC) -> None:
    """Forward nothing; the rules stay as they are.

    Raises:
        UnavailableError: when the kernel's settings cannot be changed.
    """
    _forward(dict.fromkeys(("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"), False), proc)


def is_loaded() -> bool:
    """Ask whether the table is in the kernel.

    Raises:
        UnavailableError: when that cannot be asked.
    """
    listed = json.loads(_nft("--json", "list", "tables"))
    tables = [item["table"] for item in listed["nftables"] if "table" in item]
    return any((table["family"], table["name"]) == ("inet", TABLE) for table in tables)


def loaded_edition() -> str:
    """Give the `edition` of the rules that are in the kernel; "" where there are none.

    Raises:
        UnavailableError: when that cannot be asked.
    """
    if not is_loaded():
        return ""
    found = _COMMENT.search(_nft("list", "table", "inet", TABLE))
    return found[1] if found else "unknown"


def refuses_quic() -> bool:
    """Ask whether a rule that is in the kernel refuses QUIC.

    Raises:
        UnavailableError: when that cannot be asked.
    """
    return is_loaded() and bool(_QUIC.search(_nft("list", "table", "inet", TABLE)))


def counters() -> dict[str, int]:
    """Give how many packets each counter of the rules has seen since they were loaded.

    Raises:
        UnavailableError: when that cannot be asked, as nobody but root may.
    """
    if not is_loaded():
        return {}
    listed = json.loads(_nft("--json", "list", "counters", "table", "inet", TABLE))
    found = [item["counter"] for item in listed["nftables"] if "counter" in item]
    return {counter["name"]: int(counter["packets"]) for counter in found}


def forwarded(proc: Path = PROC) -> dict[str, bool]:
    """Give what the kernel forwards now, in the form of `forwarding`."""
    return {
        name: (proc / name).read_text().strip() != "0"
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")
        if (proc / name).exists()
    }


def _forward(wanted: dict[str, bool], proc: Path) -> None:
    for name, on in wanted.items():
        place = proc / name
        if not on and not place.exists():
            # A kernel without IPv6 forwards none.
            continue
        try:
            place.write_text("1\n" if on else "0\n")
        except OSError as error:
            raise UnavailableError(f"{place} cannot be written: {error.strerror}.") from error


def _nft(*arguments: str, given: str = "") -> str:
    program = shutil.which("nft") or shutil.which("nft", path=_SBIN)
    if program is None:
        raise UnavailableError("There is no command nft. Install the package nftables.")
    try:
        ended = subprocess.run(  # noqa: S603 - a program of the system
            [program, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError("nft does not come to an end.") from error
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or ["it does not say why"]
        raise UnavailableError(f"nft refuses: {said[0]}")
    return ended.stdout
