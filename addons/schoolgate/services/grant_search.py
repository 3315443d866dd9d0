"""Finds grants in the register: by words, state, who, category and dates."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schoolgate.core.approvals import AccessRequest, Grant

# A grant that ends within this time is one that ends soon.
SOON = timedelta(days=7)


class Standing(StrEnum):
    """Which grants are looked for, by what the time has made of them."""

    LIVE = "live"
    SOON = "soon"
    ENDED = "ended"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; what is left empty is not asked.

    Attributes:
        words: each stands in the site, the reason, or the form of the request.
        standing: what the time has made of it.
        who: stands in for whom it is, who asked, or who decided.
        category: id of one that a list puts the site in.
        since: it was in force then or later.
        until: it was in force before then.
    """

    words: str = ""
    standing: Standing = Standing.LIVE
    who: str = ""
    category: str = ""
    since: datetime | None = None
    until: datetime | None = None


def found(
    grants: Iterable[Grant],
    sought: Sought,
    now: datetime,
    *,
    requests: Callable[[], Iterable[AccessRequest]],
    named: Callable[[Grant], str],
    categories: Callable[[Grant], frozenset[str]],
) -> list[Grant]:
    """Give the grants that are looked for, the newest first.

    Args:
        grants: of the register.
        sought: what is looked for.
        now: the time, aware.
        requests: gives those that grants were decided on; asked only where their words matter.
        named: gives for whom a grant is, in words.
        categories: gives the categories of what a grant opens.
    """
    in_time = [grant for grant in grants if _in_time(grant, sought, now)]
    words, who = sought.words.casefold().split(), sought.who.casefold().strip()
    known = {one.id: one for one in requests()} if words or who else {}
    kept = []
    for grant in in_time:
        request = known.get(grant.request) if grant.request else None
        if (
            _all_in(words, (grant.site, grant.reason, *_typed(request)))
            and _all_in([who], (str(grant.subject), named(grant), *_people(grant, request)))
            and (not sought.category or sought.category in categories(grant))
        ):
            kept.append(grant)
    return kept[::-1]


def _in_time(grant: Grant, sought: Sought, now: datetime) -> bool:
    match sought.standing:
        case Standing.LIVE:
            stands = now < grant.ends
        case Standing.SOON:
            stands = now < grant.ends <= now + SOON
        case Standing.ENDED:
            stands = grant.ends <= now
        case Standing.ALL:
            stands = True
    # A grant that was taken back before its start was never in force.
    return (
        stands
        and (sought.since is None or grant.ends > sought.since)
        and (sought.until is None or grant.starts < sought.until)
    )


def _typed(request: AccessRequest | None) -> tuple[str, ...]:
    if request is None:
        return ()
    form = request.form
    return (form.url, form.site_content, form.reasons, form.risks_and_controls)


def _people(grant: Grant, request: AccessRequest | None) -> tuple[str, ...]:
    decided = grant.decided_by.value.replace("-", " ")
    if request is None:
        return (decided,)
    signed = request.decision.signature if request.decision else ""
    return (decided, request.requester, request.form.staff_name, signed)


def _all_in(words: Iterable[str], texts: Iterable[str]) -> bool:
    text = "\n".join(texts).casefold()
    return all(word in text for word in words)
