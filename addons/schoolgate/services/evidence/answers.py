"""A line of a standard with its answer, and the words that answers have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schoolgate.services.evidence.facts import Facts, KindOfSite

NOT_KNOWN = "not known"


class State(StrEnum):
    """What an answer is worth: `SCHOOL` is for people to answer, from what the gateway cannot see."""

    SHOWN = "shown"
    PARTLY = "partly"
    LACKING = "not met"
    UNKNOWN = "not known"
    SCHOOL = "for the school"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        standard: short title of the standard.
        number: of the line within it.
        title: what it asks for, in our own words.
        state: what the answer is worth.
        answer: in full sentences.
    """

    standard: str
    number: str
    title: str
    state: State
    answer: str


type Answer = tuple[State, str]


def shown(*words: str) -> Answer:
    """Give an answer that the gateway's data shows."""
    return State.SHOWN, " ".join(words)


def partly(*words: str) -> Answer:
    """Give one that they show in part."""
    return State.PARTLY, " ".join(words)


def lacking(*words: str) -> Answer:
    """Say that it is not so."""
    return State.LACKING, " ".join(words)


def unknown(*words: str) -> Answer:
    """Say that it could not be found out."""
    return State.UNKNOWN, " ".join(words)


def school(*words: str) -> Answer:
    """Leave it to people, with what helps them."""
    return State.SCHOOL, " ".join(words)


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Give names as a sentence has them."""
    found = list(names)
    if len(found) < 2:
        return found[0] if found else nothing
    return f"{', '.join(found[:-1])} and {found[-1]}"


def number(value: int | None, few: str = "few") -> str:
    """Give a number; in words where it is about too few people."""
    return few if value is None else f"{value:,}"


def many(value: int, one: str, more: str = "") -> str:
    """Give a number with its noun."""
    return f"{value:,} {one if value == 1 else more or one + 's'}"


def role(id_: str) -> str:
    """Give a role in words."""
    return {"dsl": "safeguarding lead (DSL)", "slt": "senior leadership"}.get(
        id_, id_.replace("-", " ")
    )


def languages(facts: Facts) -> str:
    """Give the languages of the phrases of harm, in words."""
    return listed(_LANGUAGES.get(code, code) for code in facts.setup.languages)


_LANGUAGES = {
    "ar": "Arabic", "cy": "Welsh", "en": "English", "pl": "Polish", "ro": "Romanian", "ur": "Urdu",
}  # fmt: skip


def kinds(facts: Facts, *ids: str) -> Answer:
    """Say to whom some kinds of site are closed, and how many of them are known."""
    found = facts.kind(*ids)
    if not found:
        return lacking("No category of this gateway is about it.")
    told = " ".join(_closed(one, facts.setup.groups) for one in found)
    if not any(one.closed_to for one in found):
        return lacking(told)
    whole = all(one.sites and not one.open_to for one in found)
    if not any(one.entries for one in facts.feeds or ()):
        return partly(told, "No list of others is in force: most such sites are unknown here.")
    return shown(told) if whole else partly(told)


def _closed(kind: KindOfSite, groups: Sequence[str]) -> str:
    sites = f"{kind.title} ({kind.sites:,} sites known)"
    if not kind.open_to:
        return f"{sites}: closed to all {len(groups)} groups."
    if not kind.closed_to:
        return f"{sites}: open when this was made."
    return f"{sites}: closed to {listed(kind.closed_to)}; open to {listed(kind.open_to)}."


def tested(facts: Facts) -> str:
    """Say what the self-test found last."""
    tests = facts.tests
    if tests.at is None:
        return "The self-test has not ended a round, so nothing was tested."
    wrong = [one for one in tests.results if not one.ok]
    found = f"{len(tests.results) - len(wrong)} of {len(tests.results)} checks well"
    failed = NOT_KNOWN if tests.failed is None else many(tests.failed, "time")
    return (
        f"The self-test of {tests.at:%Y-%m-%d %H:%M} UTC found {found}, asking as somebody of each of "
        f"{many(len(tests.groups), 'group')}; checks began to fail in these days: {failed}."
    )
