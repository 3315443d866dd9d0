"""What the kernel is told: nothing is forwarded from boot, and only what must be once rules are loaded."""

from schoolgate.services.network.ways import Ways

_HEAD = '# Made by "schoolgate gateway sysctl" from the settings; a change here is lost.\n'
_FIXED = (
    # Turned on by "schoolgate gateway apply", once the rules are loaded.
    ("net.ipv4.ip_forward", 0),
    ("net.ipv6.conf.all.forwarding", 0),
    ("net.ipv4.conf.all.rp_filter", 1),
    ("net.ipv4.conf.default.rp_filter", 1),
    *(
        (f"net.{family}.conf.{which}.{key}", 0)
        for family in ("ipv4", "ipv6")
        for which in ("all", "default")
        for key in ("accept_redirects", "accept_source_route")
    ),
    ("net.ipv4.conf.all.send_redirects", 0),
    ("net.ipv4.conf.default.send_redirects", 0),
    ("net.ipv4.tcp_syncookies", 1),
    ("net.core.somaxconn", 4096),
)


def sysctl(ways: Ways) -> str:
    """Give the file for ``/etc/sysctl.d``."""
    values = dict(_FIXED)
    if ways.network.forwards_ipv6:
        # A router does not take advertisements unless it is told to (2).
        for name in ways.network.outside:
            values[f"net.ipv6.conf.{_key(name)}.accept_ra"] = 2
    return _HEAD + "".join(f"{key} = {value}\n" for key, value in values.items())


def forwarding(ways: Ways) -> dict[str, bool]:
    """Give what is forwarded once the rules are loaded, by file below ``/proc/sys``."""
    return {
        "net/ipv4/ip_forward": ways.network.forwards_ipv4,
        "net/ipv6/conf/all/forwarding": ways.network.forwards_ipv6,
    }


def _key(interface: str) -> str:
    # sysctl.d(5): a dot in a name is written as a slash.
    return interface.replace(".", "/")
