"""Test sites of the gateway's own, one for each category: harmless, and answered by nobody else.

Their names are below a top-level domain that nobody on the internet has (ICANN's ``internal``). The lists
know them like any other site, so that what the filter does with a category can be seen without one of
its sites being asked for.
"""

ZONE = "canary.schoolgate.internal"
FEED = "canary"
"""Of their entries, as evidence shows it."""
OPEN = f"open.{ZONE}"
"""In no category."""
PICTURE = "/picture.svg"

_ENDING = f".{ZONE}"


def host_of(category: str) -> str:
    """Give the test site of a category, by its id."""
    return category + _ENDING


def is_canary(host: str) -> bool:
    """Ask whether a normalised host is a test site."""
    return host.endswith(_ENDING)
