"""The school's own lists changed by people: judged, previewed, recorded, replaced (W-6.3.1-arbiter)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from schoolgate.core.approvals import USUAL_ROLES, Told
from schoolgate.core.approvals.requests import LONGEST_LINE, checked_text
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.policy import Policy, PolicyEngine
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.lists import (
    ALLOW,
    BLOCK,
    LocalFile,
    LocalLine,
    Remarks,
    read_local_file,
    remarks_on,
    replacing,
    with_line,
    without_line,
)
from schoolgate.services.checking import Answer, check

_CATEGORIES = {ALLOW: LOCAL_ALLOW, BLOCK: LOCAL_BLOCK}


class Trail(Protocol):
    """Where a change is recorded, with the mail that tells of it."""

    def add(
        self,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any],
        told: Iterable[Told] = (),
    ) -> None:
        """Write an entry."""


@dataclass(frozen=True, slots=True)
class ForGroup:
    """What a change brings about for a group.

    Attributes:
        group: its title.
        before: the answer now.
        after: the answer then.
    """

    group: str
    before: Answer
    after: Answer

    @property
    def changes(self) -> bool:
        """Whether it is another answer."""
        return self.before.decision.verdict is not self.after.decision.verdict


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would bring about.

    Attributes:
        entry: that is added or taken away.
        asked: the address that was tried.
        listed: every other entry that covers it.
        remarks: what somebody may not have meant.
        groups: the answers.
    """

    entry: ListEntry
    asked: str
    listed: tuple[ListEntry, ...]
    remarks: tuple[str, ...]
    groups: tuple[ForGroup, ...]


def read_lists(directory: Path) -> tuple[LocalFile, LocalFile]:
    """Give block list and allow list as they are now.

    Raises:
        ConfigurationError: when one is there and cannot be read.
    """
    return read_local_file(directory, BLOCK), read_local_file(directory, ALLOW)


def entry_of(written: str, name: str) -> ListEntry:
    """Read an entry as the lists are read.

    Raises:
        RefusedError: when it is none.
    """
    try:
        return ListEntry.parse(checked_text(written, "a site"), _CATEGORIES[name], f"local/{name}")
    except BadAddressError as error:
        raise RefusedError(f"{error}: write only host or host/path") from error


def line_of(file: LocalFile, number: int) -> LocalLine:
    """Give a line of a list.

    Raises:
        RefusedError: when there is none of that number.
    """
    for line in file.lines:
        if line.number == number:
            return line
    raise RefusedError(f"{file.name} has no entry on line {number}: look at it again")


def preview(
    engine: PolicyEngine,
    files: Sequence[LocalFile],
    dirs: Sequence[Path],
    entry: ListEntry,
    now: datetime,
    *,
    adds: bool,
) -> Preview:
    """Say what an entry would match, and what would win, before it is added or taken away.

    Args:
        engine: the rules in force.
        files: both lists as they are.
        dirs: where the category files are.
        entry: that is added or taken away.
        now: when, aware.
        adds: whether it is added.

    Raises:
        ConfigurationError: when the category files cannot be read.
    """
    kept = [
        line.entry
        for file in files
        for line in file.lines
        if line.entry is not None and (line.entry.text, line.entry.category) != _key(entry)
    ]
    local = [*kept, entry] if adds else kept
    then = PolicyEngine(engine.policy, engine.catalogue, local, engine.overlay)
    host = f"www.{entry.host}" if entry.reach is Reach.BELOW else entry.host
    asked = f"https://{host}{entry.path}"
    groups = tuple(
        ForGroup(
            group.title,
            check(engine, asked, Client("", group.id), now),
            check(then, asked, Client("", group.id), now),
        )
        for group in engine.policy.groups.values()
    )
    others = (one for one in then.listed(host, entry.path) if _key(one) != _key(entry))
    remarks = _judged(dirs, entry).said if adds else ()
    return Preview(entry, asked, tuple(others), remarks, groups)


def add_entry(
    file: LocalFile,
    entry: ListEntry,
    *,
    dirs: Sequence[Path],
    policy: Policy,
    reason: str,
    trail: Trail,
    actor: str,
    now: datetime,
) -> None:
    """Add an entry to a list; in force on every worker within a second.

    Args:
        file: the list as it was seen.
        entry: that is added.
        dirs: where the category files are.
        policy: says who is told of what is opened.
        reason: why; it stands beside the entry.
        trail: where it is recorded first.
        actor: who does it.
        now: when, aware.

    Raises:
        RefusedError: when it covers too much or is there already, without a reason, when the file was
            changed meanwhile or cannot be written.
    """
    judged = _judged(dirs, entry)
    if judged.refused:
        raise RefusedError("; ".join(judged.refused))
    if any(line.entry is not None and _key(line.entry) == _key(entry) for line in file.lines):
        raise RefusedError(f"{entry.text} is in {file.name} already")
    reason = checked_text(reason, "a reason", LONGEST_LINE)
    remark = f"{reason} ({now.date()})"
    detail = {"before": "", "after": f"{entry.text}  # {remark}", "reason": reason}
    told = _told(policy, opens=file.name == ALLOW)
    with replacing(file, lambda text: with_line(text, entry, remark)):
        trail.add(now, actor, "list.added", f"list:{file.name}", detail, told)


def remove_line(
    file: LocalFile,
    line: LocalLine,
    *,
    policy: Policy,
    reason: str,
    trail: Trail,
    actor: str,
    now: datetime,
) -> None:
    """Take a line off a list; arguments and errors as `add_entry`."""
    reason = checked_text(reason, "a reason", LONGEST_LINE)
    before = f"{line.written}  # {line.remark}" if line.remark else line.written
    detail = {"before": before, "after": "", "reason": reason}
    told = _told(policy, opens=file.name == BLOCK and line.entry is not None)
    with replacing(file, lambda text: without_line(text, line.number)):
        trail.add(now, actor, "list.removed", f"list:{file.name}", detail, told)


def _judged(dirs: Sequence[Path], entry: ListEntry) -> Remarks:
    return remarks_on(dirs, entry, blocks=entry.category == LOCAL_BLOCK)


def _told(policy: Policy, *, opens: bool) -> tuple[Told, ...]:
    """Give who is told of what opens for everybody without a request."""
    roles = (policy.roles or USUAL_ROLES).decides
    return (Told("The school's own lists open a site for everybody", roles=roles),) if opens else ()


def _key(entry: ListEntry) -> tuple[str, str]:
    return entry.text, entry.category
