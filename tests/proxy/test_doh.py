"""DNS over HTTPS is known by its shape, and nothing else is taken for it."""

import pytest

from schoolgate.core.policy import Shape
from schoolgate.proxy.doh import shapes_of_request
from schoolgate.proxy.messages import ByName

# RFC 8484, 4.1.1: the example of the standard.
QUERY = b"AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"
ANSWER = b"AACBgAABAAEAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"


@pytest.mark.parametrize(
    ("path", "names", "want"),
    [
        (b"/dns-query", {}, True),
        (b"/dns-query?dns=" + QUERY, {}, True),
        (b"/a1b2c3/DNS-Query/device", {}, True),
        (b"/x?ct&dns=" + QUERY, {}, True),
        (b"/", {b"content-type": b"application/dns-message"}, True),
        (b"/", {b"content-type": b" Application/dns-message; a=b"}, True),
        (b"/resolve?name=a.example", {b"accept": b"application/dns-json"}, True),
        (b"/", {b"accept": [b"*/*", b"application/dns-message"]}, True),
        (b"/", {b"content-type": b"application/oblivious-dns-message"}, True),
        # A media type is the same in capitals, and one of a list counts (RFC 9110, 8.3.1 and 12.5.1).
        (b"/", {b"content-type": b"Application/DNS-Message"}, True),
        (b"/", {b"accept": b"text/html, application/DNS-json;q=0.9"}, True),
        (b"/", {b"accept": [b"text/html,*/*", b"text/html,application/dns-message"]}, True),
        # Servers take escapes for what they stand for.
        (b"/dns%2Dquery", {}, True),
        (b"/%64ns-query?x=1", {}, True),
        (b"/q?d%6Es=" + QUERY, {}, True),
        (b"/q?DNS=" + QUERY, {}, True),
        (b"/q?a=1;dns=" + QUERY, {}, True),
        (b"/q?a=%20dns", {}, False),
        (b"/", {b"accept": b"text/html, text/dns, */*"}, False),
        (b"/", {}, False),
        (b"/help/dns-query-explained", {}, False),
        (b"/?dns=1", {}, False),
        (b"/?dns=8.8.8.8&server=ns1.example.com", {}, False),
        (b"/?dns=" + ANSWER, {}, False),
        (b"/?dns=" + b"A" * 17, {}, False),
        (b"/", {b"content-type": b"text/dns-thoughts"}, False),
    ],
)
def test_the_shape(path: bytes, names: ByName, want: bool) -> None:
    assert shapes_of_request(path, names) == ((Shape.DOH,) if want else ())
