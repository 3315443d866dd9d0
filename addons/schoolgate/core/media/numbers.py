"""Numbers and durations as manifests write them."""

import re

# ISO 8601; a year and a month are as long as they ever are.
_DURATION = re.compile(
    r"P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d*)?)S)?)?"
)
_SECONDS = (31_622_400, 2_678_400, 604_800, 86_400, 3_600, 60, 1)


def iso_duration(text: str) -> float | None:
    """Give the seconds of a duration of ISO 8601 such as ``PT1H2M3.5S``; None where it is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    return sum(float(part or 0) * size for part, size in zip(found.groups(), _SECONDS, strict=True))


def number(text: str | None) -> float | None:
    """Give a number that is written in digits; None for what is none or below nothing."""
    if text is None or len(text) > 20:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e20 else None
