"""A centre on loopback that lets bundles out, and a gateway that fetches them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schoolgate.bundles.client import Centre
from schoolgate.bundles.fetching import Gateway, fetch
from schoolgate.bundles.keys import make_keys
from schoolgate.bundles.manifest import Manifest
from schoolgate.bundles.repository import ALL, Repository
from schoolgate.bundles.store import BundleStore
from tests.publisher import Handler, Publisher, publishing

# TUF looks at the clock by itself, so that what is to be fresh is signed now.
NOW = datetime.now(UTC).replace(microsecond=0)
FILES = {"policies/trust.yaml": b"id: trust\n", "lists/one.bets.txt": b"bet.example\n" * 400}


def fine(_directory: Path) -> None:
    """Find nothing wrong with a bundle."""


@dataclass
class Trust:
    """A centre: its keys and its repository, and where it is asked."""

    root: Path
    publisher: Publisher
    repository: Repository = field(init=False)

    def __post_init__(self) -> None:
        self.repository = Repository(self.root / "repository")

    @property
    def keys(self) -> Path:
        """The folder of the keys."""
        return self.root / "keys"

    def begin(self, now: datetime = NOW) -> None:
        """Make keys and repository."""
        make_keys(self.keys)
        self.repository.found(self.keys, now)
        self.serve()

    def let_out(
        self, files: dict[str, bytes], ring: str = ALL, now: datetime = NOW, days: int = 90
    ) -> Manifest:
        """Make a bundle and let it out."""
        given = {}
        for number, (path, content) in enumerate(files.items()):
            given[path] = self.root / f"file-{number}"
            given[path].write_bytes(content)
        number = self.repository.make(given)
        manifest = self.repository.let_out(ring, number, self.keys, now, days)
        self.serve()
        return manifest

    def serve(self) -> None:
        """Have every file of the repository served as it is now."""
        self.publisher.lists.clear()
        self.publisher.lists.update(self.files())

    def files(self) -> dict[str, bytes]:
        """Give what is served, by path."""
        return served(self.repository.directory)


@contextmanager
def trusted(root: Path) -> Iterator[Trust]:
    """Serve a trust of its own, with keys and an empty repository."""
    root.mkdir(parents=True, exist_ok=True)
    with publishing() as publisher:
        trust = Trust(root, publisher)
        trust.begin()
        yield trust


@dataclass
class Fetching:
    """A gateway of a trust."""

    trust: Trust
    root: Path
    ring: str = ALL
    check: Callable[[Path], None] = fine
    most_bytes: int = 10_000_000
    most_seconds: float = 60.0
    silent_seconds: float = 20.0
    now: datetime = NOW
    root_file: Path | None = None

    @property
    def store(self) -> BundleStore:
        """What it keeps."""
        return BundleStore(self.root / "bundles")

    def fetch(self) -> Manifest | None:
        """Fetch once."""
        root = (self.root_file or self.trust.repository.root_file).read_bytes()
        centre = Centre(
            self.trust.publisher.base, root, self.ring, None, self.most_seconds, self.silent_seconds
        )
        gateway = Gateway(self.store, self.check, 3, self.most_bytes, lambda: self.now)
        return fetch(gateway, lambda: centre)

    def in_force(self) -> dict[str, bytes]:
        """Give what is in force, by path, without the manifest."""
        live = self.store.live()
        if live is None:
            return {}
        return {
            path.relative_to(live).as_posix(): path.read_bytes()
            for path in live.rglob("*")
            if path.is_file() and path.name != "bundle.json"
        }


def answering_ranges(content: bytes, cut_after: int | None = None) -> Callable[[Handler], None]:
    """Give what answers with a file or the rest of one; cut off after some bytes each time."""

    def answer(handler: Handler) -> None:
        asked = handler.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        handler.close_connection = True
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Connection", "close")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        end = len(content) if cut_after is None else start + cut_after
        handler.wfile.write(content[start:end])

    return answer


def closing_once(content: bytes) -> Callable[[Handler], None]:
    """Give what closes the connection at the first question, and answers the second."""
    asked = []

    def answer(handler: Handler) -> None:
        asked.append(handler.path)
        if len(asked) == 1:
            handler.close_connection = True
        else:
            handler.say(200, content)

    return answer


def later(days: float) -> datetime:
    """Give a time some days from now."""
    return NOW + timedelta(days=days)


def served(repository: Path) -> dict[str, bytes]:
    """Give what a web server would serve of a repository, by path."""
    return {
        path.relative_to(repository).as_posix(): path.read_bytes()
        for path in repository.rglob("*")
        if path.is_file()
    }
