"""What must be so before a request is taken or approved."""

from datetime import datetime, timedelta

from schoolgate.core.approvals.arrangements import Arrangements, Standing
from schoolgate.core.approvals.precautions import PrecautionKind
from schoolgate.core.approvals.requests import AccessRequest, Form, checked_form
from schoolgate.core.approvals.roles import Actor, Role
from schoolgate.core.approvals.scope import Scope
from schoolgate.core.errors import RefusedError


def acceptable(form: Form, now: datetime, school: Arrangements) -> Form:
    """Give a form that may be submitted.

    Raises:
        RefusedError: when it is not complete, or nobody could approve it.
    """
    if school.standing.locked:
        raise RefusedError(school.standing.locked)
    form = checked_form(form)
    check_times(form.scope, now, school)
    for precaution in school.standing.asked(PrecautionKind.AGE):
        if form.minimum_age is None or not form.parents_informed:
            raise RefusedError(
                "for use with pupils give the site's minimum age, and inform their parents "
                f"({precaution.clause})"
            )
    return form


def check_times(scope: Scope, now: datetime, school: Arrangements) -> None:
    """See that a scope has an end that is still to come, and not too far.

    Raises:
        RefusedError: when it has not.
    """
    if scope.ends <= max(scope.starts, now):
        raise RefusedError("the end must lie after the start, and be still to come")
    longest = timedelta(days=school.terms.longest_days)
    if scope.ends - max(scope.starts, now) > longest:
        raise RefusedError(f"at this school a site is opened for {longest.days} days at most")


def check_review(request: AccessRequest, actor: Actor, *, delegated: bool) -> None:
    """See that it was reviewed where this person cannot decide without.

    Raises:
        RefusedError: when it was not, or by the person who decides for another.
    """
    review = request.review
    if review is None:
        if delegated:
            raise RefusedError("who decides for somebody absent waits for the review")
        if not request.requester:
            raise RefusedError("nobody signed in to ask for this, so it must be reviewed first")
    elif review.by == actor.id and (delegated or not request.requester):
        raise RefusedError("you reviewed this request: somebody else must decide it")


def check_precautions(request: AccessRequest, standing: Standing) -> None:
    """See that all is done that clauses ask for before an approval.

    Raises:
        RefusedError: with what is missing, and the clause.
    """
    for precaution in standing.precautions:
        match precaution.kind:
            case PrecautionKind.NOTIFICATION if request.notification is None:
                raise RefusedError(
                    f"the site must first be made known to {any_of(precaution.roles)} "
                    f"({precaution.clause})"
                )
            case PrecautionKind.CONTROLS if not (
                request.review
                and request.review.controls_in_place
                and (not precaution.roles or request.review.role in precaution.roles)
            ):
                whose = precaution.roles or (Role.ONLINE_SAFETY_LEAD,)
                raise RefusedError(
                    f"{any_of(whose)} must first confirm that the controls are in place "
                    f"({precaution.clause})"
                )
            case PrecautionKind.AGE if (
                request.form.minimum_age is None or not request.form.parents_informed
            ):
                raise RefusedError(
                    "for use with pupils the site's minimum age and the information of parents "
                    f"are missing ({precaution.clause}): send it back with a question"
                )
            case _:
                pass


def any_of(roles: tuple[Role, ...]) -> str:
    """Name some roles: ``the headteacher or the deputy``."""
    said = [role.value.replace("-", " ") for role in dict.fromkeys(roles)]
    return "the " + " or the ".join(said) if said else "nobody"
