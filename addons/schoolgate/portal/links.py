"""Where a page is: in a school of the trust, that school's own."""

from django.urls import reverse

from schoolgate.portal.house import inside

OF_SCHOOL = "school_"
"""Before the name of a page, for that of the same in a school of the trust."""


def link(name: str, *arguments: object) -> str:
    """Give the address of a page by its name."""
    within = inside()
    if within is not None and name in within.pages:
        name, arguments = OF_SCHOOL + name, (within.school, *arguments)
    path: str = reverse(name, args=arguments)
    return path
