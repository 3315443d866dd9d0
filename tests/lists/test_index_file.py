"""The site index on disk: put in place whole, kept as it is, and refused when anything is wrong."""

import errno
import os
import random
import resource
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import ConfigurationError, UnavailableError
from schoolgate.core.index import Built, SiteIndex, build_index, read_index
from schoolgate.core.index.layout import HEADER_BYTES, MAGIC, VERSION, Header, read_header
from schoolgate.core.index.native import native_module
from schoolgate.lists import open_index, write_index
from schoolgate.lists.index_file import previous_of
from tests.lists.kept import as_another_user

READERS = [False, True] if native_module else [False]
LINES = ("chess.example", "=alone.example", "*.below.example", "shop.example/games", "10.0.0.5")
HOSTS = [
    *("chess.example", "www.chess.example", "alone.example", "www.alone.example", "10.0.0.5"),
    *("below.example", "www.below.example", "shop.example", "chess", "example", "notchess.example"),
]
KIB = 1 << 10


def built(*lines: str) -> Built:
    """Build an index of entries that are all games."""
    entries = [ListEntry.parse(line, "games", "curated") for line in lines]
    return build_index(entries, seed=5, catalogue={"version": "of these lines"})


def many(count: int) -> Built:
    return built(*(f"n{number}.example" for number in range(count)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the index is to be, in a folder of its own."""
    folder = tmp_path / "lists"
    folder.mkdir()
    return folder / "sites.index"


def listed(sites: SiteIndex) -> list[bool]:
    """Say which of the hosts are listed."""
    return [sites.get(host) != 0 for host in HOSTS]


def refusal(path: Path, native: bool | None = None) -> str:
    """Give what is wrong with an index, after seeing that file and remedy are named."""
    with pytest.raises(ConfigurationError) as caught:
        open_index(path, native=native)
    [fault] = caught.value.faults
    assert str(fault) == f"{path}: {fault.message} (schoolgate lists build makes it anew)"
    return fault.message


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


# -- what is written is what opens ----------------------------------------------------------------


@pytest.mark.parametrize("native", READERS)
def test_an_index_from_disk_answers_like_the_one_that_was_built(path: Path, native: bool) -> None:
    made = built(*LINES)
    write_index(path, made)
    opened, in_memory = open_index(path, native=native), read_index(b"".join(made.pieces))
    assert path.read_bytes() == b"".join(made.pieces)
    assert opened.is_native is native
    assert opened.catalogue == {"version": "of these lines"}
    assert listed(opened) == listed(in_memory)
    for host in HOSTS:
        for page in ("/", "/games", "/games/chess", "/gamesome", "/a/../games"):
            assert opened.entries(host, page) == in_memory.entries(host, page)
            set_id = opened.get(host, page)
            assert opened.categories(set_id) == in_memory.categories(in_memory.get(host, page))


def test_the_index_before_is_kept_beside_the_new_one(path: Path) -> None:
    for line in ("first.example", "second.example", "third.example"):
        write_index(path, built(line))
    assert previous_of(path).name == "sites.index.previous"
    assert open_index(path).get("third.example")
    assert open_index(previous_of(path)).get("second.example")
    assert names(path.parent) == {"sites.index", "sites.index.previous"}


def test_the_first_index_has_none_before_it(path: Path) -> None:
    write_index(path, built(*LINES))
    assert names(path.parent) == {"sites.index"}


def test_what_an_earlier_writer_left_half_done_is_in_nobodys_way(path: Path) -> None:
    write_index(path, built("first.example"))
    (path.parent / ".sites.index.spare").write_text("left by a power cut")
    write_index(path, built("second.example"))
    assert open_index(previous_of(path)).get("first.example")
    assert names(path.parent) == {"sites.index", "sites.index.previous"}


def test_nobody_is_to_write_into_an_index(path: Path) -> None:
    for _ in range(2):
        write_index(path, built(*LINES))
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert stat.S_IMODE(previous_of(path).stat().st_mode) == 0o444


@pytest.mark.parametrize("native", READERS)
def test_an_open_index_is_not_disturbed_by_what_becomes_of_its_file(
    path: Path, native: bool
) -> None:
    write_index(path, many(5000))
    opened = open_index(path, native=native)
    for line in ("second.example", "third.example"):
        write_index(path, built(line))
    path.unlink()
    previous_of(path).unlink()
    assert all(opened.get(f"www.n{number}.example") for number in range(5000))
    assert not any(opened.get(f"n{number}.example") for number in range(5000, 9000))


# -- what is no sound index is refused ------------------------------------------------------------


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to(os.devnull)


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _text(path: Path) -> None:
    path.write_text("chess.example\n" * 1000)


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _doubled(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def _other_byte_order(path: Path) -> None:
    image = bytearray(path.read_bytes())
    mark = len(MAGIC)
    image[mark : mark + 4] = image[mark : mark + 4][::-1]
    path.write_bytes(image)


def _newer(path: Path) -> None:
    image = bytearray(path.read_bytes())
    struct.pack_into("=I", image, len(MAGIC) + 4, VERSION + 1)
    path.write_bytes(image)


def _line_ends_changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("native", READERS)
@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (_missing, "cannot be read: No such file or directory"),
        (_empty, "is empty"),
        (_directory, "is not a file"),
        (_pipe, "is not a file"),
        (_device, "is not a file"),
        (_loop, "cannot be read: Too many levels of symbolic links"),
        (_text, "is not an index of schoolgate"),
        (_zeros, "is not an index of schoolgate"),
        (_line_ends_changed, "is not an index of schoolgate"),
        (_longer, "bytes where"),
        (_doubled, "bytes where"),
        (_other_byte_order, f"was built on a machine that is not {sys.byteorder}-endian"),
        (_newer, f"has format {VERSION + 1}, written by another version of schoolgate"),
    ],
)
def test_what_is_no_index_for_this_machine_is_refused_in_a_sentence(
    path: Path, native: bool, spoil: Callable[[Path], None], want: str
) -> None:
    path.write_bytes(b"".join(built(*LINES).pieces))
    spoil(path)
    assert want in refusal(path, native)


def test_an_index_that_may_not_be_read_is_refused(path: Path) -> None:
    write_index(path, built(*LINES))
    path.parent.chmod(0o755)
    path.chmod(0o000)
    said = as_another_user(path.parent, "open_index(Path('sites.index'))").stdout
    assert said == (
        "ConfigurationError sites.index: cannot be read: Permission denied "
        "(schoolgate lists build makes it anew)\n"
    )


@pytest.mark.parametrize("native", READERS)
def test_an_index_that_was_cut_off_is_refused_wherever_it_ends(path: Path, native: bool) -> None:
    image = b"".join(many(25_000).pieces)
    assert len(image) > 200 * KIB
    path.write_bytes(image)
    cuts = {around + beside for around in range(0, len(image), 4 * KIB) for beside in (-1, 0, 1)}
    with path.open("r+b") as file:
        # From the end on, so that every cut leaves the true beginning.
        for size in sorted(cuts - {-1}, reverse=True):
            file.truncate(size)
            want = f"has {size} bytes where {len(image)} were written" if size else "is empty"
            assert refusal(path, native) in (want, f"ends after {size} bytes, within its header")


@pytest.mark.parametrize("native", READERS)
def test_an_index_with_one_wrong_bit_is_refused_wherever_that_is(path: Path, native: bool) -> None:
    """The zeros between header and tables too: every byte counts."""
    image = b"".join(many(250).pieces)
    path.write_bytes(image)
    accepted = []
    bits = random.Random(native)  # the same bits in every run
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(image):
            bit = bits.randrange(8)
            os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)
            try:
                open_index(path, native=native)
            except ConfigurationError:
                pass
            else:
                accepted.append((place, bit))
            os.pwrite(file.fileno(), bytes([byte]), place)
    assert accepted == []
    assert open_index(path, native=native).get("n1.example")


def moved(header: Header, name: str, by: int) -> dict[str, tuple[int, int]]:
    """Give the sections with one that begins elsewhere."""
    start, size = header.sections[name]
    return header.sections | {name: (start + by, size)}


@pytest.mark.parametrize("native", READERS)
@pytest.mark.parametrize(
    ("change", "want"),
    [
        (lambda _: {"tag_bits": 0}, "has a header that contradicts itself"),
        (lambda _: {"tag_bits": 40}, "has a header that contradicts itself"),
        (lambda _: {"max_probes": 256}, "has a header that contradicts itself"),
        (lambda _: {"buckets": 0}, "has a header that contradicts itself"),
        (lambda h: {"buckets": h.buckets + 1}, "has a header that contradicts itself"),
        (lambda h: {"buckets": h.buckets | 1 << 58}, "has a header that contradicts itself"),
        (lambda _: {"body_start": 0}, "has sections that do not fill it"),
        (lambda h: {"body_start": h.body_start + 4096}, "has sections that do not fill it"),
        (lambda h: {"sections": moved(h, "buckets", 64)}, "has sections that do not fill it"),
        (lambda h: {"sections": moved(h, "rows", -16)}, "has sections that do not fill it"),
        (lambda h: {"sections": moved(h, "checksums", 4)}, "has sections that do not fill it"),
        (lambda h: {"sections": moved(h, "about", 1 << 63)}, "has sections that do not fill it"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused_even_with_the_right_checksum(
    path: Path, native: bool, change: Callable[[Header], dict[str, Any]], want: str
) -> None:
    image = b"".join(many(250).pieces)
    header = read_header(memoryview(image))
    rest = image[HEADER_BYTES : header.body_start]
    changed = replace(header, **change(header)).pack(len(image), rest)
    assert header.pack(len(image), rest) + rest == image[: header.body_start]
    path.write_bytes(changed + image[HEADER_BYTES:])
    assert refusal(path, native) == want


# -- what cannot be written -----------------------------------------------------------------------


@contextmanager
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the disk be full when what was written is to reach it."""

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fsync)
        yield


@contextmanager
def small_files_only(_: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the system refuse a file after its first 4 KiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * KIB, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("disk", "want"),
    [(no_room, "No space left on device"), (small_files_only, "File too large")],
)
def test_an_index_that_cannot_be_written_leaves_the_one_before_in_place_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, disk: Any, want: str
) -> None:
    write_index(path, built("first.example"))
    write_index(path, built("second.example"))
    with disk(monkeypatch), pytest.raises(UnavailableError) as caught:
        write_index(path, many(1000))
    assert str(caught.value) == (
        f"The index {path} cannot be written: {want}. "
        "Give schoolgate's user write access and room on the disk."
    )
    assert names(path.parent) == {"sites.index", "sites.index.previous"}
    assert open_index(path).get("second.example")
    assert open_index(previous_of(path)).get("first.example")


def test_in_a_folder_that_may_not_be_written_the_index_stays(path: Path) -> None:
    write_index(path, built("first.example"))
    path.parent.chmod(0o555)
    said = as_another_user(path.parent, "write_index(Path('sites.index'), build_index(seed=1))")
    assert said.stdout.startswith(
        "UnavailableError The index sites.index cannot be written: Permission denied. "
    )
    path.parent.chmod(0o755)
    assert names(path.parent) == {"sites.index"}
    assert open_index(path).get("first.example")


@pytest.mark.parametrize("folder", ["nowhere", "a-file"])
def test_where_there_is_no_folder_no_index_can_be_written(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(UnavailableError, match=r"No such file or directory|Not a directory"):
        write_index(tmp_path / folder / "sites.index", built(*LINES))
    assert names(tmp_path) == {"a-file"}


def test_a_folder_in_the_place_of_the_index_is_not_removed(path: Path) -> None:
    path.mkdir()
    (path / "something").write_text("of somebody's")
    with pytest.raises(UnavailableError, match="cannot be written"):
        write_index(path, built(*LINES))
    assert (path / "something").exists()
    assert names(path.parent) == {"sites.index"}


# -- replaced while it is in use ------------------------------------------------------------------


def test_who_looks_up_while_the_index_is_replaced_gets_the_answers_of_one_of_the_two(
    tmp_path: Path,
) -> None:
    both = [built(*LINES), built("www.chess.example", "=below.example", "shop.example")]
    right = {tuple(listed(read_index(b"".join(made.pieces)))) for made in both}
    paths = [tmp_path / "one.index", tmp_path / "other.index"]
    for path, made in zip(paths, both, strict=True):
        write_index(path, made)
    in_force = [open_index(paths[0])]
    seen: set[tuple[bool, ...]] = set()
    faults: list[Exception] = []
    over = False

    def look_up() -> None:
        try:
            while True:
                seen.add(tuple(listed(in_force[0])))
                if over:
                    return
        except Exception as fault:  # noqa: BLE001 - told to the thread that judges
            faults.append(fault)

    threads = [Thread(target=look_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50):
        in_force[0] = open_index(paths[number % 2])
    over = True
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(right) == 2
    assert seen <= right
    assert seen
