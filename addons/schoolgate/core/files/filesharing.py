"""Traffic of BitTorrent: files (BEP 3, BEP 52), what trackers are asked (BEP 3, 48) and answer."""

import re
from urllib.parse import unquote

# The keys with which the dictionary of a torrent, or of a tracker's answer, can begin: they are sorted.
_BEGINNING = re.compile(rb"d(\d{1,2}):([a-zA-Z0-9 ._-]{1,30})")
_OF_TORRENT = re.compile(
    rb"4:infod|6:pieces\d|12:piece lengthi|9:file treed|12:piece layersd|8:announce\d|13:announce-listl"
)
_OF_TRACKER = re.compile(rb"8:intervali\d+e|5:peers[\dl]|6:peers6|5:filesd20:|14:failure reason\d")
_INFO_HASH = re.compile(r"(?:^|[&;?])info_hash=", re.I)
_OF_PEER = re.compile(r"(?:^|[&;])(?:peer_id|port|uploaded|downloaded|left|event|compact)=", re.I)
_MAGNET = re.compile(r"magnet:\?(?:[^#]*&)?xt(?:\.\d+)?=urn:(?:btih|btmh|ed2k|tree|sha1)", re.I)


def form_of_bencode(head: bytes) -> str | None:
    """Recognise a torrent or the answer of a tracker by its first bytes."""
    start = _BEGINNING.match(head)
    if start is None or int(start[1]) > len(start[2]):
        return None
    if _OF_TORRENT.search(head):
        return "torrent"
    return "tracker" if _OF_TRACKER.search(head) else None


def form_of_address(path: str, query: str) -> str | None:
    """Recognise a question to a tracker, or a magnet link that is handed on, by an address.

    Args:
        path: of the address.
        query: of it, without the question mark.
    """
    if _INFO_HASH.search(query):
        last = path.rpartition("/")[2].lower()
        if last.startswith("scrape") or _OF_PEER.search(query):
            return "tracker-request"
    if "magnet" in query.lower() and is_magnet(query):
        return "magnet"
    return None


def is_magnet(text: str) -> bool:
    """Ask whether a magnet link stands in an address or a header (``Location``), encoded or not."""
    return _MAGNET.search(text) is not None or _MAGNET.search(unquote(unquote(text))) is not None
