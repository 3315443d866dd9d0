"""The answers to the UK Safer Internet Centre's guide to appropriate monitoring."""

from collections.abc import Iterator

from schoolgate.services.evidence import dfe
from schoolgate.services.evidence.answers import (
    NOT_KNOWN,
    Answer,
    Line,
    State,
    lacking,
    languages,
    listed,
    many,
    number,
    partly,
    school,
    shown,
)
from schoolgate.services.evidence.facts import Facts

MONITORING = "UKSIC appropriate monitoring"


def lines(facts: Facts) -> Iterator[Line]:
    """Answer every line.

    Args:
        facts: what is known.
    """
    for which, title, answer in (
        ("0", "Which ways of monitoring there are", _strategies(facts)),
        ("1", "Fit for the age", _age(facts)),
        ("2", "Alerts: who, how fast, and what then", dfe.reports(facts)),
        ("3", "An audit trail", _trail(facts)),
        ("4", "People's own devices", _own_devices(facts)),
        ("5", "How long data is kept, and where", _kept(facts)),
        ("6", "Devices that are covered", _covered(facts)),
        ("7", "Words can be added and taken out", _words(facts)),
        ("8", "Several sites", _sites(facts)),
        ("9", "Harmful pictures", lacking("Pictures are not looked at.")),
        ("10", "What it brings about can be judged", dfe.incidents(facts)),
        ("11", "People are told of the monitoring policy", dfe.told(facts)),
        ("12", "Languages", _languages(facts)),
        ("13", "Alerts have a rank", _ranks(facts)),
        ("14", "Off site", _off_site(facts)),
        ("15", "Reports and how logs are shown", _shown(facts)),
        ("16", "It fits policies and the impact assessment", _fits()),
        ("17", "Mobile devices are tested", _mobile()),
    ):
        yield Line(MONITORING, which, title, *answer)


def _strategies(facts: Facts) -> Answer:
    return partly(
        "Logs of the web, and active alerts on searches, addresses and kinds of site.",
        f"Themes: {listed(facts.setup.themes)}.",
        "Supervision in the room is the school's; software on devices is not a part of this.",
    )


def _age(facts: Facts) -> Answer:
    return partly(f"Rules and alerts are by group: {listed(facts.setup.groups)}.")


def _trail(facts: Facts) -> Answer:
    if facts.changes is None:
        return State.UNKNOWN, "The audit trail could not be read."
    if facts.trail_fault:
        return lacking(f"The chain is broken: {facts.trail_fault}.")
    return shown(f"{many(sum(facts.changes.values()), 'entry', 'entries')}; the chain is whole.")


def _own_devices(facts: Facts) -> Answer:
    return partly(
        f"Networks with rules of their own: {listed(facts.setup.networks)}.",
        "A device that does not trust the certificate is watched by the names of sites alone.",
    )


def _kept(facts: Facts) -> Answer:
    setup = facts.setup
    page = setup.keep_days if setup.keep_address_days is None else setup.keep_address_days
    away = f"is also taken to {listed(setup.shipped)}" if setup.shipped else "stays on this machine"
    return shown(
        f"Lines are kept {setup.keep_days} days, the address of a page {page}; the journal {away}.",
    )


def _covered(facts: Facts) -> Answer:
    home = facts.setup.at_home
    tunnel = "no tunnel for those at home" if home is None else f"{many(home, 'device')} at home"
    return partly(f"What goes through this gateway; {tunnel}.")


def _words(facts: Facts) -> Answer:
    return shown(
        f"Phrases are files of the gateway, by theme ({len(facts.setup.themes)} in use); a change is in "
        "force within seconds.",
    )


def _sites(facts: Facts) -> Answer:
    extends = listed(facts.setup.trust, "no other policy")
    return partly(
        f"Each site has its gateway ({facts.gateway} here); the policy extends {extends}."
    )


def _languages(facts: Facts) -> Answer:
    if not facts.setup.languages:
        return lacking("The policy has nothing looked for.")
    return shown(f"Phrases are in {languages(facts)}.")


def _ranks(facts: Facts) -> Answer:
    found = facts.safeguarding
    if found is None:
        return State.UNKNOWN, "Alerts could not be read."
    counts = listed(
        (f"{one.name} {number(one.number)}" for one in found.severities), "none, or about too few"
    )
    return shown(f"Danger, caution, advisory. In these days: {counts}.")


def _off_site(facts: Facts) -> Answer:
    if facts.setup.at_home is None:
        return lacking("No tunnel for devices at home is set up.")
    return shown(f"{many(facts.setup.at_home, 'device')} at home are watched as at school.")


def _shown(facts: Facts) -> Answer:
    asked = facts.figures.total.events if facts.figures else None
    requests = NOT_KNOWN if facts.figures is None else number(asked)
    return shown(
        "Charts, tables, PDF and CSV in the portal, without names; weekly and termly figures by mail.",
        f"Requests in these days: {requests}.",
    )


def _fits() -> Answer:
    return school(
        "Which policies speak of it, and the impact assessment, are the school's to name."
    )


def _mobile() -> Answer:
    return school(
        "The gateway cannot be a telephone: open “Am I filtered?” on one of each kind and note the day."
    )
