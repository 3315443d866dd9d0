"""Addresses and the ways in which one of them can be written."""

from urllib.parse import quote

from hypothesis import strategies as st

HOSTS = st.sampled_from(
    [
        "bad.example",
        "www.bad.example",
        "a.b.bad.example",
        "other.example",
        "192.0.2.7",
        "[2001:db8::7]",
    ]
)
SEGMENTS = st.sampled_from(["a", "b", "Album", "x y", "é", "1.html"])
PATHS = st.lists(SEGMENTS, max_size=3).map(lambda parts: "/" + "/".join(parts))
QUERIES = st.sampled_from(["", "id=5", "id=5&page=2", "q=x y", "page=2&id=5&t=1", "id=6"])


@st.composite
def spellings(draw: st.DrawFn, host: str, path: str, query: str) -> str:
    """Write an address in one of the ways that lead to the same page."""
    name = "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in host)
    if not host[-1].isdigit() and not host.startswith("["):
        name += draw(st.sampled_from(["", "."]))
    scheme, ports = draw(st.sampled_from([("http", ["", ":80"]), ("https", ["", ":443"])]))
    port = draw(st.sampled_from(ports))
    user = draw(st.sampled_from(["", "me@", "me:secret@"]))
    written = ""
    for segment in path.split("/")[1:]:
        before = draw(st.sampled_from(["/", "//", "/./", "/zz/../", "/%2e/", "/zz/%2E%2e/"]))
        written += before + draw(_segments(segment))
    fragment = draw(st.sampled_from(["", "#top"]))
    asked = f"?{draw(_segments(query, safe='=&'))}" if query else ""
    return f"{scheme}://{user}{name}{port}{written}{asked}{fragment}"


@st.composite
def _segments(draw: st.DrawFn, text: str, safe: str = "") -> str:
    """Write a segment, some letters escaped that need not be, perhaps twice."""
    encoded = ""
    for char in text:
        if char in safe:
            encoded += char
        elif char.isalnum() and char.isascii():
            escaped = f"%{ord(char):02X}"
            encoded += draw(st.sampled_from([char, escaped, escaped.lower()]))
        else:
            encoded += quote(char)
    return encoded
