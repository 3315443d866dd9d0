"""A view of a file of which parts come by: what is wanted is kept, what is skipped is not."""


class Window:
    """The bytes of a file from one place on, as far as they have come.

    Parts that come later, of another answer to the same request for the file (RFC 9110, 14), carry on
    where what is wanted lies in them. Nothing is kept that lies before the place or after a gap.

    Args:
        most: bytes kept; more is wanted of no file that is well formed.

    Attributes:
        at: offset in the file of the first byte of `data`, or of the next one that is wanted.
        data: what is there from that place on.
        is_full: more came than is kept, and nothing was taken away.
    """

    __slots__ = ("_most", "at", "data", "is_full")

    def __init__(self, most: int) -> None:
        self.at = 0
        self.data = bytearray()
        self.is_full = False
        self._most = most

    def offer(self, chunk: bytes, at: int) -> bool:
        """Take what is wanted of a chunk that lies at an offset of the file; say if anything was."""
        wanted = self.at + len(self.data)
        if at > wanted or at + len(chunk) <= wanted:
            return False
        room = self._most - len(self.data)
        self.is_full = room <= 0
        self.data += chunk[wanted - at : wanted - at + room]
        return not self.is_full

    def skip(self, size: int) -> None:
        """Go on by so many bytes, which may not have come yet."""
        del self.data[:size]
        self.at += size
