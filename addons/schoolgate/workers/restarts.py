"""Says when a process that ended is started again: at once, and later and later if it keeps ending."""

# As long as this a process must have lived for its end to count as the first one.
STEADY_SECONDS = 60.0
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0


class Restarts:
    """The ends of the processes at one post.

    Attributes:
        total: how many there were.
        in_a_row: how many came one soon after the other.
    """

    def __init__(self) -> None:
        self.total = 0
        self.in_a_row = 0

    def delay(self, lived_seconds: float) -> float:
        """Note an end, and give how long to wait before the next start, in seconds."""
        self.total += 1
        self.in_a_row = 1 if lived_seconds >= STEADY_SECONDS else self.in_a_row + 1
        if self.in_a_row <= 2:
            # One poisonous request may have ended two.
            return 0.0
        return float(min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (self.in_a_row - 3)))
