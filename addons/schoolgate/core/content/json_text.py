"""What of JSON people read: its texts, in the order in which they come, and those of events put together.

An answer of a chat comes as events with a few letters each; joined they are words. Of other JSON those
strings count that are more than one word: the rest are names, addresses and marks.
"""

import re

# A longer string is no key.
_LONGEST_KEY = 256
_PLAIN = re.compile(r'[^"\\]*(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*)*')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SPACES = frozenset("nrtbf")
# Where the interfaces of chats put what they say.
TEXT_KEYS = frozenset(
    {"content", "text", "v", "parts", "completion", "response", "output_text", "delta", "answer"}
)


class JsonText:
    """Reads JSON, or many of it, and gives text; the same characters in any chunks give the same text.

    Args:
        in_events: what comes are events, whose texts are parts of one.

    Attributes:
        labels: none; as those of `VisibleText`.
        exhausted: never; as that of `VisibleText`.
    """

    def __init__(self, *, in_events: bool = False) -> None:
        self.labels: list[tuple[str, str]] = []
        self.exhausted = False
        self._in_events = in_events
        self._rest = ""
        self._within = self._ended = False
        self._string = self._key = ""
        # The string is longer than a key may be, and what came of it was given already.
        self._is_long = False

    def feed(self, text: str) -> list[str]:
        """Give pieces of text."""
        pieces: list[str] = []
        text, at = self._rest + text, 0
        self._rest = ""
        while at < len(text):
            at = self._inside(text, at, pieces) if self._within else self._between(text, at, pieces)
        return pieces

    def close(self) -> list[str]:
        """Give the pieces that the end settles."""
        pieces: list[str] = []
        if self._within or self._ended:
            self._say(pieces)
        return pieces

    def _between(self, text: str, at: int, pieces: list[str]) -> int:
        """Go on to the next string; what stands before it says whether the last one was a key."""
        quote = text.find('"', at)
        end = quote if quote >= 0 else len(text)
        if self._ended:
            between = text[at:end].lstrip()
            if between.startswith(":") and not self._is_long:
                self._key, self._string, self._ended = self._string, "", False
            elif between.startswith(":"):
                self._say(pieces)
                self._key = ""
            elif between or quote >= 0:
                self._say(pieces)
        if quote < 0:
            return end
        self._within, self._ended = True, False
        self._string, self._is_long = "", False
        return quote + 1

    def _inside(self, text: str, at: int, pieces: list[str]) -> int:
        """Read a string on, as far as it came."""
        found = _PLAIN.match(text, at)
        end = found.end() if found else at
        self._string += text[at:end]
        if self._is_long or len(self._string) > _LONGEST_KEY:
            if self._counts:
                pieces.append(_plain(self._string))
            self._string, self._is_long = "", True
        if end == len(text):
            return end
        if text[end] == '"':
            self._within, self._ended = False, True
            return end + 1
        if len(text) - end < 6:
            # The rest of an escape is still to come.
            self._rest = text[end:]
            return len(text)
        return end + 1

    @property
    def _counts(self) -> bool:
        return not self._in_events or self._key in TEXT_KEYS

    def _say(self, pieces: list[str]) -> None:
        string, self._string = _plain(self._string), ""
        self._within = self._ended = False
        if self._in_events:
            if self._counts:
                pieces.append(string)
        elif self._is_long or " " in string:
            pieces.append(f"{string} ")


def _plain(string: str) -> str:
    return _ESCAPE.sub(_unescaped, string) if "\\" in string else string


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return " " if match[2] in _SPACES else match[2]
