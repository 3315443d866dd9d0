"""The PAC file: browsers reach everything through the filter, and nothing when it is away."""

import json
from collections.abc import Iterator, Sequence

from schoolgate.services.network.ways import Ways


def pac(ways: Ways) -> str:
    """Give the file, which holds no secret; "" where browsers know no proxy."""
    if not ways.pac_url:
        return ""
    places = "; ".join(f"PROXY {place}" for place in ways.proxies)
    lines = [*_direct(ways.network.direct), f"  return {json.dumps(places)};"]
    return "\n".join(["function FindProxyForURL(url, host) {", *lines, "}", ""])


def _direct(domains: Sequence[str]) -> Iterator[str]:
    """Give what lets browsers go round the proxy, to these domains alone."""
    if domains:
        yield '  var name = "." + host.toLowerCase();'
    for domain in domains:
        end = f".{domain}"
        yield f'  if (name.slice(-{len(end)}) === {json.dumps(end)}) return "DIRECT";'
