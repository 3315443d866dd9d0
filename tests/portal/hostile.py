"""What people who mean harm type, and how to see that a page shows it without doing it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.portal.asking import read

HOME = "https://schoolgate.internal"
# A tag and an attribute that no page of ours has.
EVIL = "sg-evil"
# What a template engine would make of the sum below.
SUM = str(98765 * 43211)
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"

STRINGS = {
    "tag": f"<{EVIL}>",
    "out of an attribute": f"\"'><{EVIL} onload=alert(1)>",
    "script": f"</script></textarea></title><script data-x='{EVIL}'>alert(1)</script>",
    "comment": f"--><{EVIL}><!--",
    "address": "javascript:alert(1)//https://games.example/",
    "data": f"data:text/html,<{EVIL}>",
    "formula": "=HYPERLINK(1)",
    "formula after a line end": "a\r\n=1+1",
    "template": "{{P}}${P}#{P}<%= P %>{%set x=P%}{{x}}%(x)s{0}".replace("P", "98765*43211"),
    "header": "a@hill.example\r\nBcc: evil@evil.example\r\n\r\nbody",
    "display name": '"head@hill.example" <evil@evil.example>',
    "right to left": f"safe{BIDI}gpj.exe",
    "path": "../../../../etc/passwd",
    "encoded path": "..%2f..%5c..%00/etc/passwd",
    "query": "' OR 1=1; DROP TABLE accounts_person; --",
    "deep": "[" * 60_000,
    "deep object": '{"a":' * 60_000,
    "number": "9" * 30,
    "longest number": "9" * 5_000,
    "other digits": "\u0661\u00b2\u2460",
    "no number": "-1",
    "float": "1e999",
    "not a number": "nan",
    "day": "9999-12-31",
    "first day": "0001-01-01",
    "empty": "",
    "spaces": " \t\u00a0\u2003\u200b ",
    "combining": "Z" + "\u0351" * 5_000,
    "noncharacter": "\uffff\ufffe\U0010ffff",
}
# What is no text, and what is too much.
NUL = "a\0b"
HUGE = "x" * 1_000_000


class _Looked(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.harm: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            leads = name in ("href", "src", "action", "formaction", "content")
            if name.startswith("on") or (leads and _runs(value or "")):
                self.harm.append(f"<{tag} {name}={value}>")
        if tag == EVIL or (tag == "script" and ("data-x", EVIL) in attrs):
            self.harm.append(f"<{tag}>")


def _runs(value: str) -> bool:
    return "".join(value.split()).lower().startswith(("javascript:", "data:text", "vbscript:"))


def is_here(location: str) -> bool:
    """Ask whether a browser that is led there stays (WHATWG URL: tabs and line ends are dropped)."""
    plain = "".join(mark for mark in location if mark not in "\t\r\n").replace("\\", "/")
    led = urlsplit(urljoin(f"{HOME}/account/", plain))
    return f"{led.scheme}://{led.netloc}" == HOME


def harm_of(answer: Any) -> list[str]:
    """Give what an answer would do that it must not."""
    if answer.status_code >= 500:
        return [f"status {answer.status_code}"]
    found = [name for name, value in answer.items() if "\n" in value]
    if not is_here(answer.get("location", "/")):
        found.append(answer["location"])
    if not answer.get("content-type", "").startswith("text/html"):
        return found
    text = answer.content.decode()
    found += _Looked(text).harm
    found += [f"U+{ord(mark):04X}" for mark in BIDI if mark in text]
    if SUM in text:
        found.append("a sum")
    return found


def fields_of(answer: Any) -> dict[str, str]:
    """Give what a browser would send from the forms of a page, as it was filled in."""
    return {name: value for name, value in _fields(answer) if name != "csrfmiddlewaretoken"}


def _fields(answer: Any) -> Iterator[tuple[str, str]]:
    text = answer.content.decode()
    yield from _Form(text).fields
    assert read(answer).headings


class _Form(HTMLParser):
    """The fields of a page's forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name, value = said.get("name", ""), said.get("value", "")
        if tag == "select":
            self._select = name
            self.fields.append((name, ""))
        elif tag == "option" and self._select and "selected" in said:
            self.fields.append((self._select, value))
        elif tag == "textarea":
            self.fields.append((name, "A sentence."))
        elif tag == "input" and name and said.get("type") not in ("submit", "button"):
            self.fields.append((name, value or "x"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
