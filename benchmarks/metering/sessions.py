"""Scripted sessions of a player: what was watched, what was delivered and what is counted of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schoolgate.core.media.formats import Format
from schoolgate.core.media.manifests import ManifestReader
from schoolgate.core.media.segments import Segment
from schoolgate.core.media.streams import Streams
from schoolgate.core.media.viewing import File, Viewing
from schoolgate.core.urls import parse_url

SEGMENT_SECONDS = 6
_MINUTE = 60
_MPD = b"""<MPD mediaPresentationDuration="PT600S"><Period><AdaptationSet>
<SegmentTemplate media="$RepresentationID$/$Number$" startNumber="0" duration="6"/>
<Representation id="low"/><Representation id="middle"/><Representation id="high"/></AdaptationSet>
<AdaptationSet><SegmentTemplate media="$RepresentationID$/$Number$" startNumber="0" duration="6"/>
<Representation id="sound"/></AdaptationSet></Period></MPD>"""


@dataclass
class Player:
    """Plays clips of ten minutes in pieces of six seconds, and notes each second that was on the screen.

    Attributes:
        viewing: what is counted.
        watched: seconds by clip.
        delivered: seconds by clip of which picture or sound came.
        streams: what the lists said.
    """

    viewing: Viewing = field(default_factory=Viewing)
    watched: set[tuple[str, int]] = field(default_factory=set)
    delivered: set[tuple[str, int]] = field(default_factory=set)
    streams: Streams = field(default_factory=Streams)

    def play(
        self, begin: int, end: int, clip: str = "a", quality: str = "low", *, ahead: int = 0
    ) -> None:
        """Watch from a second to another; picture and sound come as pieces of their own.

        Args:
            begin: first second.
            end: after the last one.
            clip: which.
            quality: of the picture.
            ahead: pieces that are loaded and never shown.
        """
        self.watched |= {(clip, second) for second in range(begin, end)}
        last = -(-end // SEGMENT_SECONDS) + ahead
        for number in range(begin // SEGMENT_SECONDS, last):
            first = number * SEGMENT_SECONDS
            self.delivered |= {(clip, first + n) for n in range(SEGMENT_SECONDS)}
            for kind, size in ((quality, 600_000), ("sound", 90_000)):
                self._deliver(clip, kind, number, size)

    def _load_lists(self, base: str, kind: str) -> None:
        seconds = float(SEGMENT_SECONDS)
        pieces = [Segment(f"{n}", n * seconds, seconds) for n in range(100)]
        self.streams.note(parse_url(f"{base}/all.m3u8"), [], [f"{kind}/list.m3u8"])
        self.streams.note(parse_url(f"{base}/{kind}/list.m3u8"), pieces, [])

    def _deliver(self, clip: str, kind: str, number: int, size: int) -> None:
        base = f"https://tv.example/{clip}"
        self._load_lists(base, kind)
        place = self.streams.find(parse_url(f"{base}/{kind}/{number}"))
        assert place is not None
        # As it flows: in parts.
        for at in range(0, size, 262_144):
            part = File(place.stream, place.rendition, size, place.seconds)
            piece = part.piece(at, min(262_144, size - at))
            self.viewing.deliver(piece._replace(start=place.start + (piece.start or 0.0)))


class DashPlayer(Player):
    """Plays the same by a manifest of MPEG-DASH."""

    def _load_lists(self, base: str, kind: str) -> None:
        reader = ManifestReader(Format.DASH)
        reader.feed(_MPD)
        found = reader.finish()
        url = parse_url(f"{base}/all.mpd")
        self.streams.note(url, found.segments, found.playlists, found.patterns)


def _straight(player: Player) -> None:
    player.play(0, 2 * _MINUTE)


def _seeks(player: Player) -> None:
    for begin, end in ((0, 30), (301, 340), (100, 130), (310, 325)):
        player.play(begin, end)


def _pauses(player: Player) -> None:
    for begin, end in ((0, 40), (40, 41), (41, 90)):
        player.play(begin, end)


def _qualities(player: Player) -> None:
    for begin, end, quality in ((0, 30, "low"), (30, 60, "high"), (60, 90, "middle")):
        player.play(begin, end, quality=quality)
    # A player that throws its buffer away asks for it in the new quality.
    player.play(72, 90, quality="high")


def _two_tabs_of_one(player: Player) -> None:
    for begin in range(0, 60, 6):
        player.play(begin, begin + 6)
        player.play(begin + 30, begin + 36)


def _two_tabs_of_two(player: Player) -> None:
    for begin in range(0, 60, 6):
        player.play(begin, begin + 6)
        player.play(begin, begin + 6, "b")


def _reload(player: Player) -> None:
    player.play(0, 45)
    player.play(0, 60)


def _loaded_ahead(player: Player) -> None:
    player.play(0, 60, ahead=5)


def _restart(player: Player) -> None:
    player.play(0, 45)
    kept = player.viewing
    player.viewing = Viewing.of_state(kept.milliseconds, kept.size, kept.state())  # type: ignore[arg-type]
    player.play(30, 90)


def _file(player: Player) -> None:
    # Two megabytes a minute; a player asks for the end first, where the length stands.
    film = File("f", "", 4_000_000, 120.0)
    for offset, size in ((3_990_000, 10_000), (0, 1_500_000), (3_000_000, 500_000), (0, 1_000_000)):
        player.viewing.deliver(film.piece(offset, size))
    player.watched |= {("f", second) for second in (*range(45), *range(90, 105))}
    player.delivered |= player.watched


SESSIONS: dict[str, Callable[[Player], None]] = {
    "two minutes without a stop": _straight,
    "four seeks, two into what was seen": _seeks,
    "two pauses": _pauses,
    "three qualities, some of it twice": _qualities,
    "one clip in two tabs, thirty seconds apart": _two_tabs_of_one,
    "two clips in two tabs": _two_tabs_of_two,
    "loaded anew and watched from the start": _reload,
    "five pieces loaded ahead and never shown": _loaded_ahead,
    "the process is replaced in between": _restart,
    "a file in four ranges": _file,
}
# Of those, what differs by the kind of list.
BY_DASH = (_straight, _seeks, _qualities, _two_tabs_of_one)


@dataclass(frozen=True)
class Outcome:
    """What came of a session, seconds.

    Attributes:
        session: in words.
        watched: different seconds on the screen.
        delivered: different seconds that came.
        counted: of the budget.
    """

    session: str
    watched: int
    delivered: int
    counted: float


def outcomes() -> Iterator[Outcome]:
    """Play every session."""
    for name, play in SESSIONS.items():
        yield _outcome(name, Player(), play)
        if play in BY_DASH:
            yield _outcome(f"{name}, by MPEG-DASH", DashPlayer(), play)


def _outcome(name: str, player: Player, play: Callable[[Player], None]) -> Outcome:
    play(player)
    return Outcome(name, len(player.watched), len(player.delivered), player.viewing.seconds)


def table() -> str:
    """Give the sessions as a table."""
    rows = [
        f"| {each.session} | {each.watched} | {each.delivered} | {each.counted:.1f} "
        f"| {each.counted - each.delivered:+.1f} |"
        for each in outcomes()
    ]
    return "\n".join(
        [
            "| Session | Watched, s | Delivered, s | Counted, s | Counted beside delivered, s |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )
