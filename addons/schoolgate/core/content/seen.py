"""Whether a school has seen a site before today, in memory that does not grow and cannot be read back."""

import hashlib
from collections.abc import Iterable

# A filter of Bloom (1970): so many bits, of which each site sets so many.
_BITS, _HASHES = 1 << 22, 4
# With more set than these, some 400,000 sites, one in a hundred that are new counts as seen.
_MOST_SET = 1_330_000
_MARK = b"schoolgate seen 1\n"


class SeenSites:
    """Remembers sites in two filters: those of days before, and those of today.

    A site is new for the whole day on which it is first seen, so that its second page is judged as its
    first. Some that are new are taken for seen ones, which is the harmless mistake.

    Args:
        before: what was seen before today.
    """

    def __init__(self, before: Iterable[str] = ()) -> None:
        self._before, self._today = bytearray(_BITS // 8), bytearray(_BITS // 8)
        self._journal = bytes(_BITS // 8)
        self._day: str | None = None
        for site in before:
            _set(self._before, _places(site))

    def is_new(self, site: str, day: str) -> bool:
        """Say whether a site was never seen before a day, and note that it is seen on it.

        Args:
            site: that somebody goes to.
            day: its name, another one each day.
        """
        if day != self._day:
            self._begin(day)
        places = _places(site)
        if _has(self._before, places) or _has(self._journal, places):
            return False
        _set(self._today, places)
        return True

    @property
    def image(self) -> bytes:
        """What was seen before today, to be kept."""
        return _MARK + self._before

    def put(self, image: bytes) -> None:
        """Take what another kept, in the place of what was put before; any thread may.

        Args:
            image: as `image` gives it, which `is_image` says.
        """
        self._journal = image.removeprefix(_MARK)

    def _begin(self, day: str) -> None:
        if self._day is not None:
            merged = int.from_bytes(self._before) | int.from_bytes(self._today)
            # When it is full, what was seen last remains, and what the journal knows.
            if merged.bit_count() > _MOST_SET:
                merged = int.from_bytes(self._today)
            self._before = bytearray(merged.to_bytes(_BITS // 8))
            self._today = bytearray(_BITS // 8)
        self._day = day


def is_image(data: bytes) -> bool:
    """Ask whether something is what `SeenSites.image` gives."""
    return data.startswith(_MARK) and len(data) == len(_MARK) + _BITS // 8


def _places(site: str) -> tuple[int, ...]:
    digest = hashlib.blake2b(site.encode(), digest_size=4 * _HASHES).digest()
    return tuple(int.from_bytes(digest[at : at + 4]) % _BITS for at in range(0, len(digest), 4))


def _has(bits: bytes | bytearray, places: tuple[int, ...]) -> bool:
    return all(bits[place >> 3] >> (place & 7) & 1 for place in places)


def _set(bits: bytearray, places: tuple[int, ...]) -> None:
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
