"""The cases of a policy as they stand beside it in `config/policies/<school>.cases.yaml`."""

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field

from schoolgate.core.approvals import Role
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.policy import Case, Content, Given, Policy, TlsAction, Verdict
from schoolgate.core.urls import parse_web_url
from schoolgate.documents import (
    Document,
    Loc,
    Strict,
    parse_document,
    read_text,
    suggestion,
    validate,
)
from schoolgate.settings.policy_text import Seconds, Text

_SCHOOL_TIME = ZoneInfo("Europe/London")


class GivenText(Strict):
    """What people decided by hand before."""

    granted: str = ""
    by: Role = Role.HEADTEACHER
    suspended: bool = False
    signed: str = ""
    allow_list: tuple[str, ...] = ()
    block_list: tuple[str, ...] = ()


class AnswerText(Strict):
    """What the site answers."""

    is_: Content | None = Field(default=None, alias="is")
    clip: Seconds | None = None
    says: str = ""


class CaseText(Strict):
    """Who asks for what and when, and what must come of it."""

    clause: Text
    says: Text
    near_miss: bool = False
    ask: Text
    at: datetime | None = None
    want: Verdict
    under: str = ""
    tls: TlsAction | None = None
    obliges: tuple[str, ...] | None = None
    method: str = "GET"
    group: str = ""
    also: tuple[str, ...] = ()
    user: str = ""
    network: str = ""
    device: str = ""
    given: GivenText = GivenText()
    answer: AnswerText = AnswerText()


class CasesText(Strict):
    """The whole file; ``at`` is when a case happens that says nothing of it."""

    at: datetime
    cases: tuple[CaseText, ...] = Field(min_length=1)


def load_cases(file: Path, policy: Policy) -> tuple[Case, ...]:
    """Read the cases of a policy.

    Args:
        file: the YAML file.
        policy: whose cases they are.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    document = parse_document(str(file), read_text(file))
    text = validate(document, CasesText)
    faults = [
        fault for i, case in enumerate(text.cases) for fault in _faults(document, i, case, policy)
    ]
    if faults:
        raise ConfigurationError(faults)
    return tuple(
        _case(case, text.at, document.line(("cases", i))) for i, case in enumerate(text.cases)
    )


def _faults(document: Document, i: int, case: CaseText, policy: Policy) -> Iterator[Fault]:
    loc: Loc = ("cases", i)
    names: list[tuple[str, str, Collection[str]]] = [
        ("clause", case.clause, policy.clauses),
        ("under", case.under, policy.clauses),
        ("group", case.group, policy.groups),
        ("network", case.network, policy.networks),
        ("device", case.device, policy.devices),
        *(("also", group, policy.groups) for group in case.also),
    ]
    for key, name, known in names:
        if name and name not in known:
            kind = "clause" if key == "under" else "group" if key == "also" else key
            hint = suggestion(name, known)
            yield document.fault((*loc, key), f"the policy has no {kind} '{name}'", hint)
    modes = {obligation.name for obligation in policy.obligations}
    for j, name in enumerate(case.obliges or ()):
        if name not in modes:
            message = f"the policy obliges nobody to '{name}'"
            yield document.fault((*loc, "obliges", j), message, suggestion(name, modes))
    if case.near_miss and case.under == case.clause:
        message = f"a near miss of {case.clause} is not decided under it"
        yield document.fault((*loc, "under"), message)
    if not case.near_miss and case.under not in ("", case.clause):
        message = f"a case of {case.clause} is decided under it, or it is a near miss"
        yield document.fault((*loc, "under"), message, "say 'near_miss: true'")
    if case.given.signed and not case.user:
        yield document.fault((*loc, "given", "signed"), "nobody has signed: the case has no 'user'")
    try:
        parse_web_url(case.ask)
    except BadAddressError as error:
        yield document.fault((*loc, "ask"), str(error))


def _case(text: CaseText, at: datetime, line: int) -> Case:
    moment = text.at or at
    given = text.given
    return Case(
        clause=text.clause,
        says=text.says,
        near_miss=text.near_miss,
        url=text.ask,
        at=moment if moment.tzinfo else moment.replace(tzinfo=_SCHOOL_TIME),
        want=text.want,
        under=text.under if text.near_miss else text.clause,
        tls=text.tls,
        obliges=None if text.obliges is None else frozenset(text.obliges),
        method=text.method,
        group=text.group,
        also=frozenset(text.also),
        user=text.user,
        network=text.network,
        device=text.device,
        given=Given(
            granted=given.granted,
            by=given.by,
            suspended=given.suspended,
            signed=given.signed,
            local_allow=given.allow_list,
            local_block=given.block_list,
        ),
        content=text.answer.is_,
        clip_seconds=text.answer.clip,
        text=text.answer.says,
        line=line,
    )
