"""The answers to the Department for Education's standards: filtering and monitoring, generative AI."""

from collections.abc import Iterator

from schoolgate.services.evidence.answers import (
    NOT_KNOWN,
    Answer,
    Line,
    kinds,
    lacking,
    languages,
    listed,
    many,
    number,
    partly,
    role,
    school,
    shown,
    tested,
    unknown,
)
from schoolgate.services.evidence.facts import Facts, TestState

DFE = "DfE filtering and monitoring"
AI = "DfE generative AI product safety"


def lines(facts: Facts) -> Iterator[Line]:
    """Answer every line.

    Args:
        facts: what is known.
    """
    for standard, which, title, answer in (
        (DFE, "1.1", "Somebody of the leadership and a governor answer for it", _leaders(facts)),
        (DFE, "1.2", "What is blocked or allowed, and why, is documented", _documented(facts)),
        (DFE, "1.3", "The safeguarding lead and IT support have their parts", _parts(facts)),
        (DFE, "1.4", "Changes are made promptly, and it is clear by whom", _prompt(facts)),
        (DFE, "1.5", "Generated content in applications and browsers is considered", _ai(facts)),
        (DFE, "2.6", "A review each academic year, with results and actions", _reviews(facts)),
        (DFE, "2.7", "A review when something changes or goes wrong", _occasions(facts)),
        (DFE, "2.8", "What a review looks at", _looked_at(facts)),
        (DFE, "2.9", "Checks on each kind of device, site and group, logged", _checks(facts)),
        (DFE, "2.10", "A test that the illegal and adult core is blocked", _core(facts)),
        (DFE, "3.11", "Lists of illegal content that nobody can switch off", locked(facts)),
        (DFE, "3.12", "Filtering is active on all devices, also off site", _devices(facts)),
        (DFE, "3.13", "Different people are filtered differently", _profiles(facts)),
        (DFE, "3.14", "Languages, misspellings, encryption, ways round", _depth(facts)),
        (DFE, "3.15", "Who, which device, when and what", identification(facts)),
        (DFE, "3.16", "Safe search is locked; no other browsers or plug-ins", safe_search(facts)),
        (DFE, "3.17", "Limits are known and stated; teaching is not hindered", _limits(facts)),
        (DFE, "4.18", "A plan for monitoring; monitoring does not block", _plan(facts)),
        (DFE, "4.19", "Weekly reports, and at once when the risk is high", reports(facts)),
        (DFE, "4.20", "Everyone is told", told(facts)),
        (DFE, "4.21", "Incidents have a process, an action and an outcome", incidents(facts)),
        (DFE, "4.22", "Data that staff understand, and people who can be found", _data(facts)),
        (DFE, "4.23", "Impact assessment, notices and training", _assessment(facts)),
        (AI, "1", "Harmful output is filtered; attempts are reported", _ai_safety(facts)),
    ):
        yield Line(standard, which, title, *answer)


def _leaders(facts: Facts) -> Answer:
    held = {one.role: one.accounts for one in facts.roles}
    asked = ("headteacher", "slt", "governor", "chair-of-governors")
    accounts = [f"{role(one)} {number(held.get(one, 0), NOT_KNOWN)}" for one in asked]
    if not any(held.get(one) is None or held[one] for one in asked if one in held):
        return school(
            "No account of leadership or governors is open here: write who they are, and who answers for it."
        )
    return partly(
        f"Accounts that are open, by role: {', '.join(accounts)}.",
        "Who of them is named as responsible is for the school to write here.",
    )


def _documented(facts: Facts) -> Answer:
    well = sum(one.state == "yes" for one in facts.clauses)
    rules = (
        f"The policy “{facts.document}” has {many(len(facts.clauses), 'clause')}, {well} of them "
        "carried out in full; each block page names its clause."
    )
    if facts.opened is None or facts.own_lines is None:
        return unknown(rules, "What was opened by hand could not be read.")
    bare = sum(not one.remark for one in facts.own_lines)
    opened = (
        f"{many(len(facts.opened), 'exception')} with reasons and the role that decided are listed "
        f"below, and {many(len(facts.own_lines), 'line')} of the school's own lists."
    )
    if bare:
        return partly(rules, opened, f"{many(bare, 'line')} of the own lists say no reason.")
    return shown(rules, opened)


def _parts(facts: Facts) -> Answer:
    held = {one.role: one.accounts for one in facts.roles}
    told_ = listed(map(role, facts.setup.concerns))
    parts = (
        f"Alerts about pupils go to {told_}. Accounts: DSL {number(held.get('dsl', 0), NOT_KNOWN)}, "
        f"technician {number(held.get('technician', 0), NOT_KNOWN)}."
    )
    return partly(parts, "That they know their parts and have the time is for the school.")


def _prompt(facts: Facts) -> Answer:
    if facts.access is None:
        return unknown("Requests could not be read.")
    access = facts.access
    took = "none was decided" if access.hours is None else f"half within {access.hours:.1f} hours"
    return shown(
        f"{many(access.submitted, 'request')} for access: {access.approved} approved, {access.declined} "
        f"declined ({took}), {access.waiting} waiting. Decided changes are in force within seconds.",
    )


def _ai(facts: Facts) -> Answer:
    state, words = kinds(facts, "chat-ai")
    return (
        state,
        f"{words} What assistants inside other sites and programs answer is not looked at.",
    )


def _reviews(facts: Facts) -> Answer:
    if not facts.reviews:
        return school("The policy names no review: write its dates into the policy.")
    late = [one for one in facts.reviews if one.is_overdue]
    said = " ".join(
        f"{one.title} ({role(one.owner)}): last {one.last:%d.%m.%Y}, due {one.due:%d.%m.%Y}"
        f"{', overdue' if one.is_overdue else ''}."
        for one in facts.reviews
    )
    return lacking(said) if late else partly(said, "Results and actions are kept by the school.")


def _occasions(facts: Facts) -> Answer:
    if facts.changes is None:
        return unknown("The audit trail could not be read.")
    return partly(
        f"Since {facts.since:%d.%m.%Y}: policy version {facts.policy_version}, lists "
        f"{facts.lists_version}; {facts.changed('list.', 'lists.')} changes to lists, "
        f"{facts.changed('account.')} to accounts, {facts.changed('ca.')} to the certificate.",
        "What changed elsewhere (networks, devices, ways of working) is for the school.",
    )


def _looked_at(facts: Facts) -> Answer:
    return partly(
        f"Here: clauses, exceptions, {many(len(facts.limits), 'stated limit')}, alerts and outcomes.",
        "The pupils' risk profile (age, needs, language) is for the school.",
    )


def _checks(facts: Facts) -> Answer:
    if facts.tests.state is not TestState.RUNNING:
        return lacking(f"The self-test is not running ({facts.tests.state}).", tested(facts))
    where = listed(facts.tests.networks, "no network that a rule names")
    return partly(
        tested(facts),
        f"It asks in {where}, once a minute as a rule.",
        "Kinds of devices it cannot be: open “Am I filtered?” on one of each and note it here: "
        + "; ".join(facts.setup.devices or ("each kind of device",))
        + ".",
    )


def _core(facts: Facts) -> Answer:
    state, words = kinds(facts, "adult", "illegal", "hate")
    return (
        state,
        f"{words} {tested(facts)} A test by somebody else (such as SWGfL's) is for the school.",
    )


def locked(facts: Facts) -> Answer:
    """Say which lists nobody can lift."""
    if not facts.locked:
        return lacking(
            "No locked list is installed. The lists of the IWF and of the police are given to licensed "
            "members alone; the mechanism for them is here and empty."
        )
    told_ = " ".join(
        f"{one.name}: version {one.version or NOT_KNOWN}, SHA-256 {one.digest[:16] or NOT_KNOWN}"
        f"{', fault: ' + one.fault if one.fault else ''}."
        for one in facts.locked
    )
    if any(one.fault for one in facts.locked):
        return lacking(told_)
    return shown(told_, "Neither policy, approval nor an account of the portal can lift an entry.")


def _devices(facts: Facts) -> Answer:
    setup = facts.setup
    way = (
        "The network leads devices here by itself."
        if setup.transparent
        else "Devices are filtered that are told to use this gateway; the network does not lead others here."
    )
    home = (
        "No tunnel for devices at home is set up."
        if setup.at_home is None
        else f"{many(setup.at_home, 'device')} at home come through the tunnel."
    )
    return partly(way, home, f"Networks with rules of their own: {listed(setup.networks)}.")


def _profiles(facts: Facts) -> Answer:
    differ = [one for one in facts.kinds if one.closed_to and one.open_to]
    said = (
        f"{many(len(facts.setup.groups), 'group')}: {listed(facts.setup.groups)}. "
        f"{many(len(differ), 'kind')} of site are closed to some and open to others."
    )
    return shown(said) if differ else lacking(said)


def _depth(facts: Facts) -> Answer:
    ways = sum(row.events or 0 for row in facts.figures.ways) if facts.figures else None
    text = "Pages are judged by their text." if facts.setup.bodies else "Texts are not judged."
    seen = NOT_KNOWN if ways is None else f"{ways:,}"
    return partly(
        text,
        f"Signs of harm are looked for in {languages(facts)}, misspellings included.",
        f"Attempts to get round the filter that were stopped: {seen}.",
        "Pictures are not looked at.",
    )


def identification(facts: Facts) -> Answer:
    """Say what a line of the journal knows."""
    said = (
        "A line has time, address, device and person as far as they are known, site, verdict, clause "
        "and the rule that decided"
    )
    if facts.setup.searches:
        return shown(f"{said}; searches are kept for some groups.")
    return partly(f"{said}; searches are not kept, but where they raise an alert.")


def safe_search(facts: Facts) -> Answer:
    """Say which services are held to a mode."""
    if not facts.setup.services:
        return lacking("The policy obliges no service to a mode.")
    found = [one for one in facts.tests.results if one.check == "safe-search"]
    wrong = [one.group for one in found if not one.ok]
    state = (
        f"The self-test fails for {listed(wrong)}."
        if wrong
        else f"Tested for {many(len(found), 'group')}."
    )
    _, downloads = kinds(facts, "software-downloads")
    said = f"Held to a mode on the way: {listed(facts.setup.services)}. {state} {downloads}"
    if wrong:
        return lacking(said)
    return partly(said, "Plug-ins and programs on devices are for their management.")


def _limits(facts: Facts) -> Answer:
    blocked = len(facts.figures.over_blocks) if facts.figures else None
    over = NOT_KNOWN if blocked is None else many(blocked, "site")
    return shown(
        f"{many(len(facts.limits), 'clause')} are carried out in part or not at all, and are listed with "
        f"what is missing. Blocked first and then approved: {over}.",
    )


def _plan(facts: Facts) -> Answer:
    themes = listed(facts.setup.themes)
    return partly(
        f"The network's log is watched for signs of {themes}, whether a page was blocked or not.",
        "The plan, and what people watch in the room, are for the school.",
    )


def reports(facts: Facts) -> Answer:
    """Say who is told each week and at once."""
    setup = facts.setup
    weekly = listed(map(role, setup.weekly), "nobody: no role has an address")
    at_once = (
        f"at once to {listed(map(role, setup.concerns))}, and to {many(setup.webhooks, 'webhook')}"
    )
    said = f"Weekly figures go to {weekly}; alerts {at_once}."
    if not setup.mail:
        return lacking(said, "No mail server is set, so no mail is sent.")
    return shown(said) if setup.weekly else lacking(said)


def told(facts: Facts) -> Answer:
    """Say how people are told that they are filtered and monitored."""
    page = (
        "Block pages and the portal's page for parents and pupils say what is filtered and watched."
    )
    if not facts.setup.declaration:
        return partly(page, "The policy has nobody sign a declaration.")
    signed = number(facts.setup.signed, NOT_KNOWN)
    said = f"Declaration {facts.setup.declaration}: signed by {signed}."
    return shown(page, said) if facts.setup.signed else partly(page, said)


def incidents(facts: Facts) -> Answer:
    """Say what became of alerts and incidents."""
    found = facts.safeguarding
    if found is None:
        return unknown("Alerts and incidents could not be read.")
    outcomes = listed(
        (f"{one.name} {one.number}" for one in found.closed), "none, or about too few"
    )
    return shown(
        f"Alerts about pupils: {number(found.alerts)}; incidents opened {number(found.opened)}, closed "
        f"{number(found.closed_number)} (outcomes: {outcomes}), open now {number(found.open_now)}, of them "
        f"with nobody {number(found.unassigned)}.",
        "What concerns staff is told to those above them alone and is not counted.",
    )


def _data(facts: Facts) -> Answer:
    return shown(
        "Figures in plain words, charts and PDF are in the portal; a person's record is given to some "
        f"roles on a recorded concern: {number(facts.changed('history.'), NOT_KNOWN)} times in these days.",
    )


def _assessment(facts: Facts) -> Answer:
    setup = facts.setup
    return school(
        f"For the assessment: lines are kept {setup.keep_days} days, figures are about at least "
        f"{setup.least_people} people, closed days hold pseudonyms. The assessment itself, notices and "
        "training are the school's.",
    )


def _ai_safety(facts: Facts) -> Answer:
    _, words = kinds(facts, "chat-ai")
    return partly(
        words,
        "Assistants are opened or closed as sites; what they are asked and answer is not filtered here.",
    )
