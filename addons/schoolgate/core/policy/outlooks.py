"""What is known of a host by its name, before any page of it is asked for."""

from schoolgate.core.policy.decision import Decision
from schoolgate.core.policy.inspection import (
    METHODS,
    PATHS,
    InspectionMode,
    NamesOnly,
    Need,
    Never,
    settle,
)
from schoolgate.core.policy.rows import Row


class Outlook:
    """What is known of a host by its name, in one profile and by what lists say of it and its parts.

    Attributes:
        row: of the host.
        parts: rows that parts of it may have, those alone that differ in outcome.
        by_method: rows that it may have for methods that rules name, those alone that differ.
        never: what has it never decrypted.
        needs: of the policy, that reach it.
        names_only: what has nothing decrypted for whoever asks.
        locked_part: what closes the host to whom nothing is decrypted, where a locked list names a part.
        settled: the answer where nobody opened or withdrew anything by hand.
    """

    __slots__ = (
        "by_method", "locked_part", "names_only", "needs", "never", "parts", "row", "settled",
    )  # fmt: skip

    def __init__(
        self,
        row: Row,
        parts: tuple[Row, ...],
        by_method: tuple[Row, ...],
        never: Never | None,
        needs: tuple[Need, ...],
        mode: InspectionMode,
        names_only: NamesOnly | None = None,
        locked_part: Decision | None = None,
    ) -> None:
        self.row = row
        self.parts = parts
        self.by_method = by_method
        self.never = never
        self.needs = needs
        self.names_only = names_only
        self.locked_part = locked_part
        changing = tuple(
            need
            for need, rows in ((PATHS, parts), (METHODS, by_method))
            if any(other.settled.verdict is not row.settled.verdict for other in rows)
        )
        self.settled = settle(
            row.settled,
            changing,
            never,
            needs,
            mode,
            has_locked_parts=self.has_locked(row.settled),
            names_only=names_only,
            locked_part=locked_part,
        )

    def has_locked(self, decision: Decision) -> bool:
        """Ask whether nobody here may lift what is said of a part or method, other than on the host."""
        return any(
            lock is not None and lock.verdict is not decision.verdict
            for part in (*self.parts, *self.by_method)
            for lock in (part.locked, part.by_parent)
        )
