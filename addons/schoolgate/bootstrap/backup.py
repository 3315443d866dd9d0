"""The whole state of a gateway in one file, and back: what belongs to it, and where it goes."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from schoolgate import __version__
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.occupancy import LOCK, PLAN, alone, finish
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.monitoring.journal_files import keeping
from schoolgate.services.archive import Manifest, unpack, write_archive
from schoolgate.services.switching import Step, commit
from schoolgate.settings import Settings, load_settings
from schoolgate.storage import is_postgresql, sqlite_path
from schoolgate.storage.copies import COMPANIONS, copy_database, load_dump, verified_copy
from schoolgate.storage.migrations import REVISIONS

SQLITE, DUMP = "database/schoolgate.db", "database/postgresql.dump"
SETTINGS = "config/schoolgate.yaml"
# A member's first parts → what it is.
_STATE, _JOURNAL = "state", "journal"
_POLICIES, _AROUND, _LOCAL = "config/policies", "config/around", "config/local"
_PEOPLE, _BESIDE = "config/people.yaml", "config/beside"
_READY, _COPIED, _KEPT = ".restore-", ".backup-", "before-restore-"
_A_DAY = 86_400
_NO_GATEWAY = "it is no back-up of a gateway"
_CATEGORIES = (
    Path(__file__).parents[3] / "categories",
    Path("/usr/share/schoolgate/categories"),  # of the Debian package
)
_POLICY_FILES = (".yaml", ".ics", ".csv")


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What was written.

    Attributes:
        members: how many files are in it.
        left_out: what the settings name and is not in it: files that lie elsewhere, and
            directories of categories other than the program's.
    """

    members: int
    left_out: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Attributes:
        made_at: when the back-up was made.
        version: by which schoolgate.
        entries: of the audit trail, which is whole; None where a server keeps it.
        kept: directories that hold what was there before.
    """

    made_at: str
    version: str
    entries: int | None
    kept: tuple[Path, ...]


def back_up(
    settings: Settings, file: Path, *, journal: bool = False, lists: bool = False
) -> BackedUp:
    """Write the state into a new file, whether or not the gateway runs.

    Args:
        settings: of this machine.
        file: that is made, readable by its owner alone.
        journal: whether the journal is in it.
        lists: whether the lists that were fetched are in it.

    Raises:
        RefusedError: when the file is there already, or lies in the state directory.
        UnavailableError: when something cannot be read or written.
    """
    if file.is_relative_to(settings.state_dir):
        raise RefusedError(f"{file} would be in the next back-up: name one outside of the state")
    on_server = is_postgresql(settings.database_url)
    if not on_server and not sqlite_path(settings.database_url).exists():
        raise UnavailableError(f"There is no database yet in {settings.state_dir}.")
    _sweep(settings.state_dir, _COPIED, now().timestamp() - _A_DAY)
    with ExitStack() as stack:
        directory = stack.enter_context(_aside(settings.state_dir, _COPIED))
        copy = directory / "database"
        copy_database(settings.database_url, copy)
        members = [(DUMP if on_server else SQLITE, copy), *_of_state(settings, lists=lists)]
        beside, left_out = _beside(settings)
        key = settings.journal_key_file
        if journal:
            stack.enter_context(_still(settings.journal_dir))
            members += (one for one in _below(_JOURNAL, settings.journal_dir) if "/." not in one[0])
            # Whoever finds the file must not find with the journal what says who its people are.
            members = [(name, path) for name, path in members if path != key]
            left_out += (key,) if key.exists() else ()
        members += [*_of_config(settings), *beside]
        facts = {
            "version": __version__,
            "made_at": now().isoformat(timespec="seconds"),
            "schema": REVISIONS[-1],
            "gateway": settings.gateway,
            "policy": settings.policy,
        }
        manifest = write_archive(file, members, facts)
    return BackedUp(len(manifest.sums), left_out)


@contextmanager
def _still(journal: Path) -> Iterator[None]:
    """Let no day of the journal be closed meanwhile."""
    if not journal.is_dir():
        yield
        return
    try:
        with keeping(journal):
            yield
    except OSError as error:
        raise UnavailableError(f"{journal}: {error.strerror}") from error


def settings_to_restore(file: Path, config: Path, state_dir: Path | None) -> Settings:
    """Give the settings of the machine on which a back-up is restored: its own, or those of the file.

    Args:
        file: that `back_up` wrote.
        config: where the settings are, or are to be.
        state_dir: wins over both.

    Raises:
        ConfigurationError: when they have faults.
        RefusedError: when they are the file's, and it is damaged, foreign or newer.
        UnavailableError: when it cannot be read.
    """
    if config.exists():
        return load_settings(config, state_dir=state_dir)
    with tempfile.TemporaryDirectory() as made:
        # The CA's key has no business in a directory of all users.
        manifest = unpack(file, Path(made), only=SETTINGS)
        if SETTINGS not in manifest.sums:
            raise RefusedError(_NO_GATEWAY)
        return load_settings(Path(made) / SETTINGS, state_dir=state_dir, place=config)


def restore(settings: Settings, file: Path) -> Restored:
    """Put what a back-up holds in the place of what is there; nothing may run meanwhile.

    All of it is unpacked, verified and laid beside its place first. What was there is kept in dated
    directories beside it. Killed at any moment, it leaves what was before or what is new: what began
    to be put in place is finished by the next command.

    Args:
        settings: of this machine.
        file: that `back_up` wrote.

    Raises:
        RefusedError: when something runs, or the file is damaged, foreign or newer.
        UnavailableError: when something cannot be read or written; nothing is changed then.
    """
    with alone(settings), ExitStack() as undo:
        _sweep(settings.state_dir, _READY, now().timestamp())
        directory = undo.enter_context(_aside(settings.state_dir, _READY))
        manifest = unpack(file, directory)
        entries = _verified(directory, manifest, settings)
        new = _new_settings(settings, directory)
        stamp = f"{now():%Y%m%dT%H%M%SZ}"
        try:
            steps = list(_steps(_placed(new, directory, manifest), stamp, directory, undo))
        except OSError as error:
            raise UnavailableError(
                f"{error.filename}: {error.strerror}. Nothing was changed."
            ) from error
        kept = sorted({Path(step.kept).parent for step in steps if os.path.lexists(step.place)})
        if DUMP in manifest.sums:
            _keep_and_load(new, directory / DUMP, settings.state_dir / f"{_KEPT}{stamp}")
            kept = sorted({*kept, settings.state_dir / f"{_KEPT}{stamp}"})
        try:
            commit(settings.state_dir / PLAN, steps)
        except OSError as error:
            changed = (
                "The database is the back-up's already: run the same restore again."
                if DUMP in manifest.sums
                else "Nothing was changed."
            )
            raise UnavailableError(f"{settings.state_dir}: {error.strerror}. {changed}") from error
        # From here on the new state is in force, whatever happens.
        undo.pop_all()
        finish(settings)
        shutil.rmtree(directory, ignore_errors=True)
    return Restored(manifest.facts["made_at"], manifest.facts["version"], entries, tuple(kept))


# -- what belongs to it ------------------------------------------------------------------------


def _of_state(settings: Settings, *, lists: bool) -> Iterator[tuple[str, Path]]:
    """Give the files of the state directory that are kept nowhere else in the back-up."""
    # The trust's bundles come again by "schoolgate bundle fetch".
    apart = {settings.journal_dir, settings.state_dir / "journal", settings.bundles_dir}
    if not lists:
        apart.add(settings.lists_dir)
    if not is_postgresql(settings.database_url):
        database = sqlite_path(settings.database_url)
        apart |= {database, *(Path(f"{database}{end}") for end in COMPANIONS)}
    for path in sorted(settings.state_dir.iterdir()):
        if path in apart or path.name in (LOCK, PLAN) or path.suffix == ".lock":
            continue
        if not path.name.startswith((".", _KEPT)):
            yield from _below(f"{_STATE}/{path.name}", path)


def _of_config(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield SETTINGS, settings.file
    for name, path in _below(_POLICIES, settings.policies_dir):
        if path.suffix in _POLICY_FILES:
            yield name, path
    # What policies share: services, ages, calendars.
    for path in sorted(settings.policies_dir.parent.iterdir()):
        if path.suffix in _POLICY_FILES and path not in (settings.file, settings.people):
            yield from _below(f"{_AROUND}/{path.name}", path)
    yield from _below(_LOCAL, settings.lists.local)
    yield from _below(_PEOPLE, settings.people)


def _beside(settings: Settings) -> tuple[list[tuple[str, Path]], tuple[Path, ...]]:
    """Give the other files that the settings name: those below their directory, and the others."""
    mail = settings.mail
    named = [mail.password_file, mail.ca_file, settings.proxy.upstream_ca]
    for provider in settings.portal.oidc:
        named += [provider.client_secret_file, provider.ca_file]
    inside: list[tuple[str, Path]] = []
    outside: list[Path] = []
    for path in (one for one in named if one is not None):
        if path.is_relative_to(settings.file.parent):
            rest = path.relative_to(settings.file.parent).as_posix()
            inside += _below(f"{_BESIDE}/{rest}", path)
        else:
            outside.append(path)
    # Categories of the school's own are kept where they are written.
    own = {*_CATEGORIES, Path(os.path.normpath(settings.file.parent / "../categories"))}
    outside += (path for path in settings.lists.dirs if path not in own)
    return inside, tuple(outside)


def _below(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Give a file, or the files below a directory; links, sockets and a restore's are left out."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        yield name, path
    elif stat.S_ISDIR(mode):
        for inner in sorted(path.iterdir()):
            # Root's, maybe, which nobody else can look into.
            if not inner.name.startswith((_KEPT, _READY)):
                yield from _below(f"{name}/{inner.name}", inner)


# -- where it goes -----------------------------------------------------------------------------


def _verified(directory: Path, manifest: Manifest, settings: Settings) -> int | None:
    facts = manifest.facts
    lacking = [name for name in ("version", "made_at", "schema") if name not in facts]
    if lacking or SETTINGS not in manifest.sums:
        raise RefusedError(_NO_GATEWAY)
    if facts["schema"] not in REVISIONS:
        raise RefusedError(
            f"it was made by a newer schoolgate ({facts['version']}): restore it with that one"
        )
    on_server = is_postgresql(_new_settings(settings, directory).database_url)
    if (DUMP if on_server else SQLITE) not in manifest.sums:
        raise RefusedError(
            "its database is of another kind than the one that the setting `database` names"
        )
    if on_server:
        return None
    found = verified_copy(directory / SQLITE)
    if found.fault is not None:
        raise RefusedError(f"its audit trail is broken: {found.fault}")
    return found.entries


def _new_settings(settings: Settings, directory: Path) -> Settings:
    """Give the settings of the back-up as they will be in the place of this machine's.

    Raises:
        RefusedError: when the next command would look for the state where it is not.
    """
    named = load_settings(directory / SETTINGS, place=settings.file).state_dir
    if named.resolve() != settings.state_dir.resolve():
        raise RefusedError(
            f"its settings keep the state in {named}, and it would go to {settings.state_dir}: give "
            f"--state {named}, or set SCHOOLGATE_STATE_DIR={settings.state_dir} for all of schoolgate"
        )
    return load_settings(directory / SETTINGS, state_dir=settings.state_dir, place=settings.file)


def _placed(
    new: Settings, directory: Path, manifest: Manifest
) -> Iterator[tuple[Path, Path | None]]:
    """Give each place that changes, and what comes there; None where nothing does."""
    roots: Mapping[str, Path] = {
        _STATE: new.state_dir,
        _JOURNAL: new.journal_dir,
        _POLICIES: new.policies_dir,
        _AROUND: new.policies_dir.parent,
        _LOCAL: new.lists.local,
        _PEOPLE: new.people,
        _BESIDE: new.file.parent,
    }
    if SQLITE in manifest.sums:
        database = sqlite_path(new.database_url)
        # What belongs to the old one must not be taken for the new one's.
        yield from ((Path(f"{database}{end}"), None) for end in COMPANIONS)
        yield database, directory / SQLITE
    seen = {new.file}
    for name in manifest.sums:
        for prefix, root in roots.items():
            if name == prefix or name.startswith(f"{prefix}/"):
                rest = PurePosixPath(name).relative_to(prefix).parts
                # A directory of the state is one thing, and changes as a whole.
                rest = rest[:1] if prefix == _STATE else rest
                place, source = root.joinpath(*rest), directory.joinpath(prefix, *rest)
                if place not in seen and not _is_same(place, source):
                    yield place, source
                seen.add(place)
    yield from ((path, None) for path in _no_more(new) if path not in seen)
    # Last: until then this machine's lead to the plan.
    if not _is_same(new.file, directory / SETTINGS):
        yield new.file, directory / SETTINGS


def _no_more(new: Settings) -> Iterator[Path]:
    """Give the files of policies and local lists that there are now."""
    for root, suffixes in ((new.policies_dir, _POLICY_FILES), (new.lists.local, (".txt",))):
        for _, path in _below("", root):
            if path.suffix in suffixes:
                yield path


def _is_same(place: Path, source: Path) -> bool:
    return place.is_file() and source.is_file() and place.read_bytes() == source.read_bytes()


def _steps(
    placed: Iterable[tuple[Path, Path | None]], stamp: str, directory: Path, undo: ExitStack
) -> Iterator[Step]:
    """Lay what is new beside its place, on the disk; what was made is undone with the stack."""
    made: set[Path] = set()
    for place, source in placed:
        parent = place.parent
        kept = parent / f"{_KEPT}{stamp}" / place.name
        if source is None:
            # A companion of the database may come until the plan is carried out.
            if os.path.lexists(place) or place.name.endswith(COMPANIONS):
                yield Step(str(place), "", str(kept))
            continue
        ready = parent / f"{_READY}{stamp}"
        if ready not in made:
            _make(parent)
            _sweep(parent, _READY, now().timestamp(), directory)
            ready.mkdir(mode=0o700)
            made.add(ready)
            undo.callback(shutil.rmtree, ready, ignore_errors=True)
        laid = ready / place.name
        if source.is_dir():
            shutil.copytree(source, laid)
        else:
            shutil.copy2(source, laid)
        _settle(laid, place, parent.stat())
        yield Step(str(place), str(laid), str(kept))
    # Only now, as nobody else may write where root does; whoever finishes the plan has to.
    for ready in made:
        _give(ready, ready.parent.stat())


def _make(directory: Path) -> None:
    """Make a directory with those above it, of the owner of what is there already."""
    if not directory.is_dir():
        _make(directory.parent)
        directory.mkdir()
        _give(directory, directory.parent.stat())


def _give(path: Path, owner: os.stat_result) -> None:
    if os.getuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _settle(path: Path, place: Path, above: os.stat_result) -> None:
    """Give a file or a tree owner and mode of what it replaces, and have it on the disk.

    What replaces nothing gets the owner of the directory that it comes into.
    """
    try:
        before = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        before = None
    if before is not None and stat.S_IFMT(before.st_mode) != stat.S_IFMT(path.lstat().st_mode):
        before = None
    owner = before or above
    for inner in path.iterdir() if path.is_dir() else ():
        _settle(inner, place / inner.name, owner)
    _give(path, owner)
    if before is not None:
        path.chmod(before.st_mode & 0o777)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep_and_load(new: Settings, dump: Path, kept: Path) -> None:
    """Load a server's database; what it held is kept as a dump."""
    kept.mkdir(mode=0o700)
    copy_database(new.database_url, kept / "postgresql.dump")
    load_dump(new.database_url, dump)


def _sweep(directory: Path, prefix: str, until: float, but: Path | None = None) -> None:
    """Remove what was left behind by one that was killed."""
    for left in directory.glob(f"{prefix}*"):
        if left.lstat().st_mtime <= until and (but is None or left.resolve() != but.resolve()):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _aside(directory: Path, prefix: str) -> Iterator[Path]:
    """Make a private directory within another, and remove it at the end."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=directory))
    except OSError as error:
        raise UnavailableError(f"{directory}: {error.strerror}") from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
