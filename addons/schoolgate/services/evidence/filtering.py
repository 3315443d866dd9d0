"""The answers to the UK Safer Internet Centre's guide to appropriate filtering."""

from collections.abc import Iterator

from schoolgate.services.evidence import dfe
from schoolgate.services.evidence.answers import (
    NOT_KNOWN,
    Answer,
    Line,
    State,
    kinds,
    lacking,
    languages,
    listed,
    many,
    number,
    partly,
    shown,
)
from schoolgate.services.evidence.facts import Facts

FILTERING = "UKSIC appropriate filtering"


def lines(facts: Facts) -> Iterator[Line]:
    """Answer every line.

    Args:
        facts: what is known.
    """
    for which, title, answer in (
        ("1", "Child abuse material: the IWF's list", dfe.locked(facts)),
        ("2", "Terrorist content: the list that the police assess", dfe.locked(facts)),
        ("3", "Further illegal content since 2025", _illegal(facts)),
        ("4", "Discrimination", kinds(facts, "hate")),
        ("5", "Hate speech", kinds(facts, "hate")),
        ("6", "Drugs and substance abuse", kinds(facts, "drugs", "alcohol", "tobacco")),
        ("7", "Extremism", _extremism(facts)),
        ("8", "Gambling", kinds(facts, "gambling")),
        ("9", "Malware and hacking", kinds(facts, "malware", "phishing")),
        ("10", "Misinformation and disinformation", _untrue()),
        ("11", "Piracy and theft of copyright", kinds(facts, "piracy", "filesharing")),
        ("12", "Pornography", kinds(facts, "adult")),
        ("13", "Self-harm and eating disorders", _self_harm(facts)),
        ("14", "Violence", kinds(facts, "violence", "weapons")),
        (
            "15",
            "Violence against women and girls",
            _without_own(facts, "violence", "hate", "adult"),
        ),
        ("16", "Bullying, dangerous stunts, extreme violence", _without_own(facts, "violence")),
        ("17", "Filtering by age, need and role", _by(facts, "3.13")),
        ("18", "Content is judged as it streams", _stream(facts)),
        ("19", "Ways round the filter are found and managed", _ways(facts)),
        ("20", "The school decides itself, and it is logged", _control(facts)),
        ("21", "How it is deployed", _by(facts, "3.12")),
        ("22", "A published rationale, and a stance on over-blocking", _rationale(facts)),
        ("23", "Several sites under one policy", _group(facts)),
        ("24", "People and devices are identified", dfe.identification(facts)),
        ("25", "Mobile devices and applications", _mobile(facts)),
        ("26", "Languages", _languages(facts)),
        ("27", "It works without software on devices", _network(facts)),
        ("28", "Devices elsewhere are filtered as at school", _remote(facts)),
        ("29", "People can ask for access, and for blocking", _asked(facts)),
        ("30", "Reports of what people visited", _history(facts)),
        ("31", "Safe search", dfe.safe_search(facts)),
    ):
        yield Line(FILTERING, which, title, *answer)


def _by(facts: Facts, which: str) -> Answer:
    """Give the answer to a line of the Department's that asks for the same."""
    [found] = [one for one in dfe.lines(facts) if (one.standard, one.number) == (dfe.DFE, which)]
    return found.state, found.answer


def _illegal(facts: Facts) -> Answer:
    state, words = kinds(facts, "illegal")
    worth = State.PARTLY if state is State.SHOWN else state
    return worth, f"{words} No list of its own for each of these kinds is in place."


def _extremism(facts: Facts) -> Answer:
    _, words = kinds(facts, "hate", "violence")
    watched = "radicalisation" in facts.setup.themes
    said = "Signs of radicalisation raise an alert." if watched else "Nothing is alerted of."
    return partly(words, said, "There is no category of extremism alone.")


def _untrue() -> Answer:
    return lacking("Nothing here tells true from untrue.")


def _self_harm(facts: Facts) -> Answer:
    themes = {"self-harm", "eating-disorders"} & set(facts.setup.themes)
    if not themes:
        return lacking("No category is about it, and the policy has nothing looked for.")
    return partly(
        f"Signs of {listed(sorted(themes))} raise alerts, and block pages then name help lines.",
        "No category closes such sites as a kind; help is always reachable.",
    )


def _without_own(facts: Facts, *ids: str) -> Answer:
    state, words = kinds(facts, *ids)
    worth = State.PARTLY if state is State.SHOWN else state
    return worth, f"There is no category of its own; near it are: {words}"


def _stream(facts: Facts) -> Answer:
    if not facts.setup.bodies:
        return lacking("The policy has no page judged by its text.")
    return partly(
        "Texts are judged as they pass, where a connection is read.",
        "Pictures, what scripts add later and what assistants answer are not.",
    )


def _ways(facts: Facts) -> Answer:
    state, words = kinds(facts, "circumvention", "translate-cache")
    found = facts.figures.ways if facts.figures else None
    if found is None:
        return state, f"{words} Attempts: {NOT_KNOWN}."
    seen = listed((f"{row.name} {number(row.events)}" for row in found), "none, or of too few")
    return state, f"{words} Attempts that were stopped, by way: {seen}."


def _control(facts: Facts) -> Answer:
    if facts.changes is None or facts.trail_fault is None:
        return lacking("The audit trail could not be read.")
    made = facts.changed("grant.", "request.", "list.", "block.") or 0
    said = f"{many(made, 'decision')} on access and lists stand in the audit trail"
    if facts.trail_fault:
        return lacking(f"{said}, which is broken: {facts.trail_fault}.")
    return shown(f"{said}, whose chain is whole.")


def _rationale(facts: Facts) -> Answer:
    blocked = len(facts.figures.over_blocks) if facts.figures else None
    over = NOT_KNOWN if blocked is None else many(blocked, "site")
    return shown(
        "The portal publishes what is filtered and why, by clause, for parents and pupils.",
        f"Blocked too much, by later approval: {over}.",
    )


def _group(facts: Facts) -> Answer:
    if facts.setup.trust:
        return partly(
            f"The policy extends {listed(facts.setup.trust)}, whose locked rules bind it.",
            "Which sites have gateways of their own, one of them does not know.",
        )
    return partly("The policy extends no other.")


def _mobile(facts: Facts) -> Answer:
    kinds_of = listed(facts.setup.devices, "no kind of device has rules of its own")
    return partly(
        f"Kinds of device with rules of their own: {kinds_of}.",
        "Applications that trust no other certificate pass unread or not at all, as the school decides; "
        "mobile data beside the network is not filtered.",
    )


def _languages(facts: Facts) -> Answer:
    return partly(
        f"Signs of harm: {languages(facts)}. Pages: by the phrases that are installed.",
        "Whether these are the languages of the pupils is for the school.",
    )


def _network(facts: Facts) -> Answer:
    if facts.setup.transparent:
        return shown("Nothing is installed on devices but the certificate by which pages are read.")
    return partly("Devices are told to use the gateway; nothing else is installed on them.")


def _remote(facts: Facts) -> Answer:
    home = facts.setup.at_home
    if home is None:
        return lacking("No tunnel for devices at home is set up.")
    return shown(f"{many(home, 'device')} come through a tunnel and are filtered as at school.")


def _asked(facts: Facts) -> Answer:
    if facts.access is None or facts.reported is None:
        return lacking("Requests and reports could not be read.")
    return shown(
        "Every block page leads to the form for access, every visitor to the one for blocking.",
        f"{many(facts.access.submitted, 'request')} for access, {many(facts.reported, 'report')}.",
    )


def _history(facts: Facts) -> Answer:
    return shown(
        f"Lines of {facts.setup.keep_days} days; a person's record opens on a recorded concern alone.",
        f"Opened: {number(facts.changed('history.'), NOT_KNOWN)} times in these days.",
    )
