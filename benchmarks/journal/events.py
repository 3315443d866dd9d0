"""Lines of a journal as a school makes them: people who open pages, and pages that fetch their parts."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

SITES = 4_000
SHARED_HOSTS = 250
PUPILS, STAFF = 900, 110
# Of a page, the parts that the browser has not kept; of them those that are asked for anew each time.
_PARTS_MEAN = 9
_CHANGING = 0.18
_CATEGORIES = (
    (None, 0.34), ("education", 0.24), ("news", 0.06), ("search", 0.10), ("video-sharing", 0.05),
    ("shopping", 0.04), ("social-networks", 0.04), ("games", 0.04), ("system-updates", 0.06), ("adult", 0.01),
    ("circumvention", 0.01), ("gambling", 0.01),
)  # fmt: skip
_BLOCKED = {"games", "social-networks", "adult", "circumvention", "gambling"}
_WORDS = [
    "lesson", "unit", "maths", "reading", "homework", "worksheet", "history", "science", "atlas", "poem",
    "music", "sport", "quiz", "class", "term", "page", "video", "image", "article", "review", "answer",
    "topic", "guide", "course", "essay", "story", "climate", "river", "castle", "number",
]  # fmt: skip
_HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 22, 60, 64, 58, 34, 52, 60, 30, 8, 4, 3, 2, 2, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a page fetches: host, path, and bytes as the origin gives them."""

    host: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Site:
    """A site: what it is called and of which kind, its pages and their parts."""

    host: str
    category: str | None
    pages: tuple[Part, ...]
    parts: tuple[Part, ...]


class Web:
    """Sites and the hosts that they share, the same for each seed."""

    def __init__(self, seed: int = 7) -> None:
        self._dice = dice = random.Random(seed)
        self.shared = [f"{self._word()}{n}.cdn-{n % 40}.example" for n in range(SHARED_HOSTS)]
        names, weights = zip(*_CATEGORIES, strict=True)
        kinds = dice.choices(names, weights, k=SITES)
        self.sites = [self._site(n, kind) for n, kind in enumerate(kinds)]
        self.weights = [1 / (n + 8) for n in range(SITES)]

    def _word(self) -> str:
        return self._dice.choice(_WORDS)

    def _site(self, number: int, category: str | None) -> Site:
        dice = self._dice
        host = f"www.{self._word()}-{self._word()}{number}.example"
        pages = tuple(self._part(host, self._page_path()) for _ in range(dice.randint(8, 120)))
        hosts = [host, f"static.{host[4:]}", *dice.choices(self.shared, k=5)]
        parts = tuple(
            self._part(dice.choice(hosts), self._part_path()) for _ in range(dice.randint(20, 160))
        )
        return Site(host, category, pages, parts)

    def _part(self, host: str, path: str) -> Part:
        return Part(host, path, int(self._dice.lognormvariate(9.3, 1.6)))

    def _page_path(self) -> str:
        parts = [self._word() for _ in range(self._dice.randint(1, 4))]
        return "/" + "/".join(parts) + f"-{self._dice.randint(1, 99_999)}"

    def _part_path(self) -> str:
        ending = self._dice.choice(("js", "css", "png", "webp", "woff2", "jpg"))
        return f"/assets/{self._word()}/{self._word()}.{self._dice.getrandbits(64):016x}.{ending}"


class Day:
    """What a school of about a thousand people asks for on a day.

    Args:
        web: where.
        day: which.
        events: about how many lines.
    """

    def __init__(self, web: Web, day: date, events: int) -> None:
        self._web = web
        self._day = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._events = events
        self._dice = random.Random(day.toordinal())
        self._sequences = [0, 0]

    def lines(self) -> Iterator[bytes]:
        """Give the lines, in the order in which they are written: that of their ends."""
        people = PUPILS + STAFF
        for hour, visits in enumerate(self._visits()):
            found = [
                event
                for _ in range(visits)
                for event in self._visit(hour, self._dice.randrange(people))
            ]
            found.sort(key=lambda event: event[0])
            for ended, record in found:
                yield self._line(ended, record)

    def _visits(self) -> list[int]:
        pages = self._events / (1 + _PARTS_MEAN)
        whole = sum(_HOURS)
        return [round(pages * share / whole) for share in _HOURS]

    def _visit(self, hour: int, person: int) -> Iterator[tuple[datetime, dict[str, Any]]]:
        dice, web = self._dice, self._web
        at = self._day + timedelta(hours=hour, milliseconds=dice.randrange(3_600_000))
        # People of a class are at the same sites.
        favourite = (person // 30 * 131 + hour * 7) % 60
        [site] = dice.choices(web.sites, cum_weights=_cumulated(web)) if dice.random() < 0.6 else (
            web.sites[(favourite + dice.randrange(4)) % SITES],
        )  # fmt: skip
        yield self._event(at, person, site, dice.choice(site.pages), changes=True)
        if site.category in _BLOCKED and person < PUPILS:
            return
        for _ in range(min(60, int(dice.expovariate(1 / _PARTS_MEAN)))):
            at += timedelta(milliseconds=int(dice.expovariate(1 / 35)))
            changes = dice.random() < _CHANGING
            yield self._event(at, person, site, dice.choice(site.parts), changes=changes)

    def _event(
        self, at: datetime, person: int, site: Site, part: Part, *, changes: bool
    ) -> tuple[datetime, dict[str, Any]]:
        dice = self._dice
        is_pupil = person < PUPILS
        blocked = site.category in _BLOCKED and is_pupil
        path = part.path
        if changes and path.startswith("/assets/"):
            path = f"/api/{path.split('/')[2]}/{dice.getrandbits(40):x}"
        duration = int(dice.lognormvariate(3.9, 0.9))
        size = int(dice.lognormvariate(7, 1.2)) if changes else part.size
        category = site.category if part.host.endswith(site.host[4:]) else None
        record = {
            "event": "request.decided",
            "client": f"10.20.{person // 250}.{person % 250 + 2}",
            "device": f"{'cb' if is_pupil else 'lt'}-{person:04}",
            "device_kind": "chromebook" if is_pupil else "laptop",
            "user": f"{person:04}.{_WORDS[person % len(_WORDS)]}",
            "group": f"year-{person // 130 + 1}" if is_pupil else "staff",
            "also": None,
            "network": "classrooms" if is_pupil else "staff-wifi",
            "period": "lesson" if at.hour not in (12, 15, 16) else "break",
            "tls": "decrypt",
            "method": "POST" if changes and dice.random() < 0.3 else "GET",
            "scheme": "https",
            "host": part.host,
            "url": f"https://{part.host}{path}",
            "search": None,
            "inner_host": None,
            "verdict": "block" if blocked else "allow" if category == "education" else "monitor",
            "reason": "category" if category else "default",
            "clause": f"W-6.3.1-{category}" if blocked else "W-6.3.1-monitor",
            "category": category,
            "shape": None,
            "entry": site.host[4:] if category else None,
            "feed": "curated" if category else None,
            "rule": category or "otherwise",
            "grant": None,
            "policy": "wellstead",
            "status": 403 if blocked else dice.choices((200, 304, 204, 404), (86, 9, 4, 1))[0],
            "bytes_up": int(dice.lognormvariate(5, 1)) if changes else 0,
            "bytes_down": 9_120 if blocked else size,
            "duration_ms": 1 if blocked else duration,
            "decision_us": int(dice.lognormvariate(2.6, 0.4)),
        }
        return at + timedelta(milliseconds=duration), {"at": at, **record}

    def _line(self, ended: datetime, record: dict[str, Any]) -> bytes:
        at = record.pop("at").isoformat(timespec="milliseconds")
        # Each client address has its worker (docs/architecture.md).
        worker = int(record["client"].rpartition(".")[2]) % 2 + 1
        self._sequences[worker - 1] += 1
        head = {"ts": at, "id": f"{worker}-5f3a1b2c3d4e5-{self._sequences[worker - 1]}",
                "gateway": "gateway", "worker": worker}  # fmt: skip
        return orjson.dumps({**head, **record}) + b"\n"


_sums: dict[int, list[float]] = {}


def _cumulated(web: Web) -> list[float]:
    if id(web) not in _sums:
        total, sums = 0.0, []
        for weight in web.weights:
            total += weight
            sums.append(total)
        _sums[id(web)] = sums
    return _sums[id(web)]
