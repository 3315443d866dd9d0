"""Whether what was seen is within the bounds, as a table for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.soak.watch import Watch

if TYPE_CHECKING:
    from tests.soak.traffic import Scale

# What may go wrong with whole visits while ten thousand others push in.
TOLERATED_FAILURES = 0.01


@dataclass(frozen=True)
class Verdict:
    """The end of a soak.

    Attributes:
        faults: bounds that were not kept, in words.
    """

    table: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        end = "\n".join(f"FAULT: {fault}" for fault in self.faults) or "Every bound was kept."
        return f"{self.table}\n{end}"


def judge(
    scale: "Scale",
    watch: Watch,
    said: Counter[str],
    before: Sequence[Counter[str]],
    after: Sequence[Counter[str]],
    errors: float,
) -> Verdict:
    """Compare what was seen with the bounds.

    Args:
        said: what the clients did.
        before: descriptors of each worker before the first cycle, by kind.
        after: the same when everything was closed.
        errors: faults of the filter that the gateway counted.
    """
    faults = [f"worker {pid} ended" for pid in sorted(watch.gone)]
    rows = [
        (
            "| worker | first tenth, MB | last tenth, MB | growth | most, MB | most, PSS MB "
            "| threads | fds before | most fds | fds after |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number, pid in enumerate(watch.pids, 1):
        samples = watch.all_of(pid)
        if not watch.of(pid, scale.cycles):
            continue
        first, last = watch.median(pid, 1), watch.median(pid, scale.cycles)
        growth = last / first - 1
        most = max(one.resident for one in samples)
        held, left = before[number - 1], after[number - 1]
        rows.append(
            f"| {number} | {first:.1f} | {last:.1f} | {growth:+.1%} | {most:.1f} "
            f"| {max(one.proportional for one in samples):.1f} "
            f"| {max(one.threads for one in samples)} | {held.total()} "
            f"| {max(one.descriptors for one in samples)} | {left.total()} |"
        )
        if most > scale.most_mb:
            faults.append(f"worker {number} held {most:.0f} MB of {scale.most_mb:.0f}")
        if abs(growth) > scale.growth:
            faults.append(f"worker {number} went from {first:.1f} MB to {last:.1f} MB")
        if left.total() > held.total():
            more = ", ".join(f"{count} {kind}" for kind, count in (left - held).items())
            faults.append(f"worker {number} has descriptors left: {more}")
    failed = sum(count for what, count in said.items() if what.startswith("FAILED"))
    if failed > TOLERATED_FAILURES * said["requests"]:
        faults.append(f"{failed} of {said['requests']} visits failed")
    faults += _not_carried(scale, said)
    if errors:
        faults.append(f"{errors:.0f} faults of the filter")
    told = [f"{what}: {count:,}" for what, count in sorted(said.items())]
    return Verdict("\n".join([*rows, "", *told]), tuple(faults))


def _not_carried(scale: "Scale", said: Counter[str]) -> list[str]:
    """Name what was to be carried and was not, so that a slow machine does not make a good soak."""
    wanted = {
        "requests": int(scale.requests * scale.cycles / (scale.cycles + 1) * 0.9),
        "kept connections": scale.kept * scale.cycles * 9 // 10,
        "slow ClientHellos": scale.slow,
        "downloads to the end": scale.downloads,
    }
    return [
        f"only {said[what]:,} of {least:,} {what}"
        for what, least in wanted.items()
        if said[what] < least
    ]
