"""Torrents, trackers and magnet links are told by what they say."""

import pytest

from schoolgate.core.files import is_magnet
from schoolgate.core.files.filesharing import form_of_address, form_of_bencode

HASH = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a"


@pytest.mark.parametrize(
    ("head", "want"),
    [
        (b"d8:announce3:abc4:infod6:lengthi1eee", "torrent"),
        (b"d4:infod9:file treed1:ad0:d6:lengthi1eeeee", "torrent"),
        (b"d13:announce-listll3:abceee", "torrent"),
        (b"d8:intervali1800e5:peers0:e", "tracker"),
        (b"d14:failure reason4:nonee", "tracker"),
        (b"d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1eeee", "tracker"),
        (b"d3:cow3:moo4:spam4:eggse", None),
        (b"d99:short", None),
        (b"download", None),
        (b"", None),
    ],
)
def test_bencode(head: bytes, want: str | None) -> None:
    assert form_of_bencode(head) == want


@pytest.mark.parametrize(
    ("path", "query", "want"),
    [
        ("/announce", "info_hash=%00&peer_id=a&port=1&uploaded=0", "tracker-request"),
        ("/abc123/announce", "info_hash=%00&compact=1", "tracker-request"),
        ("/scrape", "info_hash=%00&info_hash=%01", "tracker-request"),
        ("/search", "q=info_hash", None),
        ("/go", f"to=magnet:?xt=urn:btih:{HASH}", "magnet"),
        ("/go", f"to=magnet%253A%253Fxt%253Durn%253Abtih%253A{HASH}", "magnet"),
        ("/wiki", "title=Magnet_URI_scheme", None),
    ],
)
def test_addresses(path: str, query: str, want: str | None) -> None:
    assert form_of_address(path, query) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (f"magnet:?xt=urn:btih:{HASH}", True),
        (f"magnet:?dn=x&xt.1=urn:btmh:1220{HASH}", True),
        ("MAGNET:?XT=URN:BTIH:x", True),
        ("magnet:?dn=x", False),
        ("https://a.example/magnet", False),
    ],
)
def test_magnet_links(text: str, *, want: bool) -> None:
    assert is_magnet(text) is want
