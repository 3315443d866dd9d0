"""The check before any timing: do all engines answer as the dict of suffixes does?"""

from collections.abc import Collection, Mapping, Sequence

from benchmarks.index.data import Mixes
from benchmarks.index.engines import Session

CHECKED = 100_000
SHOWN = 5


class DisagreementError(Exception):
    """An engine gave other categories than the dict of suffixes."""


def check(
    reference: Session, sessions: Mapping[str, Session], mixes: Mixes, refused: Collection[str]
) -> list[str]:
    """Compare the answers; give what to say about programs that only answer yes or no.

    Args:
        reference: the dict of suffixes.
        sessions: the engines to check.
        mixes: the queries.
        refused: lines that one of our builders did not take, so that no host under them counts.
    """
    notes = []
    gone = frozenset(refused)
    for key, session in sessions.items():
        asked = passed = stopped = 0
        for mix, queries in mixes.items():
            hosts = [host for host in queries[:CHECKED] if not gone or not under(host, gone)]
            exact = session.categories(hosts)
            if exact is not None:
                wanted = reference.categories(hosts) or []
                compare(f"{key}, {mix}", hosts, wanted, exact)
                continue
            asked += len(hosts)
            pairs = zip(reference.blocked(hosts), session.blocked(hosts), strict=True)
            for ours, theirs in pairs:
                passed += ours and not theirs
                stopped += theirs and not ours
        if passed or stopped:
            notes.append(
                f"{key}: of {asked:,} answers {passed:,} let a listed host pass "
                f"and {stopped:,} blocked one that is not listed."
            )
    return notes


def compare[T](what: str, hosts: Sequence[bytes], wanted: Sequence[T], given: Sequence[T]) -> None:
    """Raise DisagreementError with a few examples when the answers differ."""
    wrong = [
        f"{host.decode()}: {theirs} instead of {ours}"
        for host, ours, theirs in zip(hosts, wanted, given, strict=True)
        if ours != theirs
    ]
    if wrong:
        raise DisagreementError(f"{what}: {len(wrong)} differ: {'; '.join(wrong[:SHOWN])}")


def under(host: bytes, domains: Collection[str]) -> bool:
    """Ask whether a host is one of the domains or in one."""
    labels = host.decode().split(".")
    return any(".".join(labels[at:]) in domains for at in range(len(labels)))
