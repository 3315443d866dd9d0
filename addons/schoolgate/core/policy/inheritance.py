"""Policies that extend others: what a school takes over, and what is locked against it.

A policy above (a national baseline, a trust) binds those below it by locks, and never the reverse:

- what it locks against the school (`Lock.SCHOOL`) is decided before grants, lists and rules of the
  school, and no locked or always reachable rule of the school answers otherwise
- what it locks against rules (`Lock.RULES`) is decided before every rule of the school
- its other rules are asked after the school's own
- the mode of a service that it locks comes before any of the school's
- a group of the school lies within one of its groups, so that its rules reach everybody

Where the school's own rule says the same as a locked one, the page names the school's clause.
"""

from dataclasses import replace

from schoolgate.core.policy.inspection import Inspection
from schoolgate.core.policy.model import LOCKED_CLAUSE, AttemptTerms, Lock, Policy, Rule


def extend(own: Policy, above: Policy) -> Policy:
    """Give a policy with all that it takes over.

    Args:
        own: what the policy says itself; an absent timetable, declaration, roles, lessons, requests and
            ages are taken over.
        above: the policy that it extends, whole.
    """

    def risen(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(replace(rule, level=rule.level + 1) for rule in rules)

    inherited = risen(above.rules)
    return replace(
        own,
        groups={**above.groups, **own.groups},
        clauses={
            **{
                id_: replace(clause, level=clause.level + 1)
                for id_, clause in above.clauses.items()
            },
            **own.clauses,
        },
        networks={**above.networks, **own.networks},
        devices={**above.devices, **own.devices},
        locked=(*own.locked, *risen(above.locked)),
        always_reachable=(*own.always_reachable, *risen(above.always_reachable)),
        circumvention=(*own.circumvention, *risen(above.circumvention)),
        rules=(
            *(rule for rule in inherited if rule.lock is not Lock.NONE),
            *own.rules,
            *(rule for rule in inherited if rule.lock is Lock.NONE),
        ),
        inspection=Inspection(
            own.inspection.mode,
            (*own.inspection.never, *above.inspection.never),
            (*own.inspection.needs, *above.inspection.needs),
            (*own.inspection.names_only, *above.inspection.names_only),
        ),
        timetable=own.timetable or above.timetable,
        roles=own.roles or above.roles,
        reviews=(*own.reviews, *above.reviews),
        lessons=own.lessons or above.lessons,
        attempts=above.attempts if own.attempts == AttemptTerms() else own.attempts,
        requests=own.requests or above.requests,
        ages=own.ages or above.ages,
        carriers=own.carriers or above.carriers,
        searches=(*own.searches, *above.searches),
        safeguards=(*own.safeguards, *above.safeguards),
        concerns=own.concerns or above.concerns,
        budgets=(*own.budgets, *above.budgets),
        services={**above.services, **own.services},
        obligations=(
            *(obligation for obligation in above.obligations if obligation.is_locked),
            *own.obligations,
            *(obligation for obligation in above.obligations if not obligation.is_locked),
        ),
        declaration=own.declaration or above.declaration,
        contents=(*own.contents, *above.contents),
        locked_clause=(
            above.locked_clause if own.locked_clause == LOCKED_CLAUSE else own.locked_clause
        ),
        extends=(above.id, *above.extends),
    )
