"""What a player gets in place of a stream that is not let through, so that it ends and asks no more."""

from mitmproxy import http

from schoolgate.core.media import Format
from schoolgate.core.policy import Decision

# Of nothing, and at an end: a player that asks again and again for what goes on has no reason to.
_ENDED = {
    Format.HLS: (
        "application/vnd.apple.mpegurl",
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-ENDLIST\n",
    ),
    Format.DASH: (
        "application/dash+xml",
        b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"
 type="static" minBufferTime="PT1S" mediaPresentationDuration="PT0S"></MPD>
""",
    ),
}


def answer_for_player(decision: Decision, found: Format | None, method: str) -> http.Response:
    """Make it: an ended manifest, or a refusal in a sentence.

    Args:
        decision: why.
        found: what was asked for.
        method: HTTP method.
    """
    status, media_type, body = 403, "text/plain; charset=utf-8", decision.note.encode()
    if found in _ENDED:
        status = 200
        media_type, body = _ENDED[found]
    headers = {
        "Content-Type": media_type,
        "Cache-Control": "no-store",
        # Scripts of other sites play it, and must be able to read that it is over.
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "X-Schoolgate-Clause": decision.clause,
        "X-Schoolgate-Category": decision.category or "",
        "X-Schoolgate-Verdict": decision.verdict.value,
    }
    return http.Response.make(status, b"" if method == "HEAD" else body, headers)
