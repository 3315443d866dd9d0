"""What must be read of a site: whether its name alone settles a connection, or what more is needed.

Whoever is under ``names_only`` trusts no certificate of ours: what is open passes, all else is refused.
For all others a connection to a host is settled in this order:

0. the host is on a locked list: refuse, for everybody
1. the host is decided as ``https://HOST/`` is, by the order of precedence of the engine
2. warn or limit: decrypt; the page of a warning and what a limit counts lie inside the connection
3. block: refuse, but decrypt where a part of the host may be answered otherwise
4. allowed, and never decrypted by the policy: pass, in both modes
5. allowed, and a part of the host may be answered otherwise: decrypt
6. allowed, and the policy's mode is to decrypt all: decrypt
7. allowed, and a need of the policy reaches the host for this group: decrypt
8. allowed otherwise: pass

A part may be answered otherwise where an entry with a path (of a list, of the school's own lists or
rules) or a grant in force for this client would change the verdict there. Each is taken alone: where
two are about one page, the host may be read although that page is answered as the others are, never
the reverse.

Why 4 stands before 5: ``mail.google.com`` is below ``google.com``, of which parts are listed by people
who never thought of mail; a line of a list must not start to intercept correspondence, nor break
the updates that cannot be decrypted. What such a line says about a part of the host is then not
carried out, and the answer says so; a school that wants it takes the host out of ``never``. What
nobody at the school may lift (steps 1 and 4 of the engine) is carried out on every host: a part that is
locked has it decrypted. Where nothing can be read, a host of which a locked list names a part is refused
whole; a list of hashes that does not say on which hosts it has parts has every host decrypted that is
not under ``never``.

Why 4 stands after 2 and 3: what is warned of or blocked carries no correspondence until somebody has
been let through. A grant on a part of a blocked host can be carried out only by reading. Where a
warning is all that is needed (``needs`` is just ``warning``), whoever has accepted it may pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schoolgate.core.categories import ListEntry
from schoolgate.core.policy.decision import Decision, Verdict


class TlsAction(StrEnum):
    """What happens to a TLS connection to a host."""

    DECRYPT = "decrypt"
    PASS = "pass"  # noqa: S105
    REFUSE = "refuse"


class InspectionMode(StrEnum):
    """Which connections are decrypted."""

    NEEDED = "needed"
    ALL = "all"


# Needs that follow from the rest of the policy; a need of a policy file has another id.
PATHS = "paths"
GRANTS = "grants"
WARNING = "warning"
LIMIT = "limit"
EVERYTHING = "everything"
METHODS = "methods"
INSIDE = "inner-addresses"
LOCKED_LISTS = "locked-lists"
DERIVED_NEEDS = frozenset(
    {PATHS, GRANTS, METHODS, INSIDE, WARNING, LIMIT, EVERYTHING, LOCKED_LISTS}
)


@dataclass(frozen=True, slots=True)
class HostDecision:
    """What happens to a connection to a host, known from its name.

    Attributes:
        action: decrypt, pass or refuse.
        decision: the engine's answer for ``https://HOST/``.
        because: one sentence for people, with the clauses.
        needs: ids of what must be read beyond the name; of the policy, or `DERIVED_NEEDS`.
        by_alert: a refusal, now or later, is told by TLS alone; nobody there trusts a page of ours.
    """

    action: TlsAction
    decision: Decision
    because: str
    needs: tuple[str, ...] = ()
    by_alert: bool = False


@dataclass(frozen=True, slots=True)
class NamesOnly:
    """Whose connections are settled by the site's name alone: they do not trust the gateway's CA.

    All of the conditions that it gives must hold, as in a rule.

    Attributes:
        clause: id of the clause it rests on.
        groups: only these, with those within them; empty for all.
        networks: only from these; empty for all.
        devices: only these kinds; empty for all.
    """

    clause: str
    groups: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()

    def concerns(self, groups: frozenset[str], network: str, device: str) -> bool:
        """Ask whether it is about somebody in these groups, from there, with that kind of device."""
        return (
            (not self.groups or not self.groups.isdisjoint(groups))
            and (not self.networks or network in self.networks)
            and (not self.devices or device in self.devices)
        )


@dataclass(frozen=True, slots=True)
class Never:
    """Sites that are not decrypted when they are allowed.

    Attributes:
        clause: id of the clause it rests on.
        categories: a site in any of these.
        hosts: or covered by any of these, without paths.
    """

    clause: str
    categories: frozenset[str] = frozenset()
    hosts: tuple[ListEntry, ...] = ()

    @property
    def condition(self) -> str:
        """The pseudo-category of its hosts."""
        return f"never:{self.clause}"

    def covers(self, categories: Iterable[str], named: Iterable[str]) -> bool:
        """Ask whether a host is meant: a promise of privacy is not undone by another category."""
        return not self.categories.isdisjoint(categories) or self.condition in named


@dataclass(frozen=True, slots=True)
class Need:
    """Something that can only be carried out on what is read: it reaches every site but some.

    Attributes:
        id: unique in the policy.
        clause: id of the clause it rests on.
        except_categories: trusted categories; a site is excepted that is in no other.
        except_hosts: sites that are trusted whatever category they are in; a part of one is left alone,
            and its connections are read.
        groups: only for these groups; empty for all.
    """

    id: str
    clause: str
    except_categories: frozenset[str] = frozenset()
    except_hosts: tuple[ListEntry, ...] = ()
    groups: frozenset[str] = frozenset()

    @property
    def condition(self) -> str:
        """The pseudo-category of the sites that are excepted."""
        return f"except:{self.id}"

    def concerns(self, groups: frozenset[str]) -> bool:
        """Ask whether it is about somebody in these groups."""
        return not self.groups or not self.groups.isdisjoint(groups)

    def reaches(
        self, categories: tuple[str, ...], parts: Iterable[str], named: Iterable[str]
    ) -> bool:
        """Ask whether a host must be read for those whom it concerns.

        Args:
            categories: of the host; one in none is not known and not trusted.
            parts: categories that parts of it add: these are not trusted with the host.
            named: pseudo-categories of the host.
        """
        if self.condition in named:
            return False
        return not categories or not self.except_categories.issuperset((*categories, *parts))


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a policy says of reading; one that says nothing has everything read."""

    mode: InspectionMode = InspectionMode.ALL
    never: tuple[Never, ...] = ()
    needs: tuple[Need, ...] = ()
    names_only: tuple[NamesOnly, ...] = ()


def settle(
    decision: Decision,
    changing: tuple[str, ...],
    never: Never | None,
    needs: tuple[Need, ...],
    mode: InspectionMode,
    *,
    has_locked_parts: bool = False,
    names_only: NamesOnly | None = None,
    locked_part: Decision | None = None,
) -> HostDecision:
    """Answer for a host in the order above.

    Args:
        decision: on the host.
        changing: `PATHS`, `METHODS` or `GRANTS` where these would answer otherwise on a part of it.
        never: what of the policy has it never decrypted.
        needs: of the policy, that reach it for this group.
        mode: of the policy.
        has_locked_parts: whether a part of it is answered otherwise by what nobody here may lift.
        names_only: what has nothing decrypted for whoever asks.
        locked_part: what closes the host where nothing is decrypted, as a locked list names a part of it.
    """
    if names_only is not None:
        if locked_part is not None and decision.verdict.passes:
            because = "A locked list names a part of it, and nothing is decrypted here"
            because += f", under {names_only.clause}."
            return HostDecision(TlsAction.REFUSE, locked_part, because, by_alert=True)
        return _by_name(decision, (*changing, *(need.id for need in needs)), names_only)
    if decision.verdict is Verdict.BLOCK:
        if changing:
            return _decrypted(decision, changing)
        because = f"It is blocked by its name under {decision.clause}, with all that is on it."
        return HostDecision(TlsAction.REFUSE, decision, because)
    stopped = () if decision.verdict.passes else (_STOPPED[decision.verdict],)
    if never is not None and not has_locked_parts:
        if stopped:
            return _decrypted(decision, stopped)
        because = f"It is never decrypted, under {never.clause}."
        if changing:
            because = f"{because[:-1]}; what is listed of its parts is not carried out."
        return HostDecision(TlsAction.PASS, decision, because)
    if mode is InspectionMode.ALL:
        return _decrypted(decision, (*stopped, *changing, EVERYTHING))
    if stopped or changing or needs:
        return _decrypted(decision, (*stopped, *changing), needs)
    return HostDecision(TlsAction.PASS, decision, "Its name is enough: no rule needs to read more.")


def _by_name(decision: Decision, unmet: tuple[str, ...], why: NamesOnly) -> HostDecision:
    """Answer where nothing can be read: what would have to be is not carried out, or closed."""
    if not decision.verdict.passes:
        said = "blocked" if decision.verdict is Verdict.BLOCK else "open only after a page of ours"
        because = (
            f"It is {said} under {decision.clause}; without a page, since nothing is decrypted"
            f" here under {why.clause}."
        )
        return HostDecision(TlsAction.REFUSE, decision, because, by_alert=True)
    because = f"Nothing is decrypted here, under {why.clause}"
    if unmet:
        because += f"; not carried out is {', '.join(unmet)}"
    return HostDecision(TlsAction.PASS, decision, f"{because}.", unmet, by_alert=True)


def remind(decision: Decision) -> HostDecision:
    """Give what a connection meets in which a warning is shown, whatever the site is."""
    return _decrypted(decision, (WARNING,))


_STOPPED = {Verdict.WARN: WARNING, Verdict.LIMIT: LIMIT}
_WORDS = {
    PATHS: "parts of it that are decided otherwise",
    METHODS: "methods that are decided otherwise",
    GRANTS: "a part of it that somebody in charge has opened",
    WARNING: "the page of the warning",
    LIMIT: "the limit of its use",
    EVERYTHING: "the policy, which has all sites decrypted but a few",
}


def _decrypted(
    decision: Decision, derived: tuple[str, ...], needs: tuple[Need, ...] = ()
) -> HostDecision:
    reasons = [
        _WORDS[id_] + (f" ({decision.clause})" if id_ in (WARNING, LIMIT) else "")
        for id_ in derived
    ]
    reasons += [f"{need.id} ({need.clause})" for need in needs]
    *before, last = reasons
    listed = f"{', '.join(before)} and {last}" if before else last
    because = f"It must be read because of {listed}."
    ids = (*derived, *(need.id for need in needs))
    return HostDecision(TlsAction.DECRYPT, decision, because, ids)
