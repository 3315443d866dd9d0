"""Sessions: a number known before somebody proved who they are is worth nothing after."""

from allauth.usersessions.models import UserSession
from django.http import HttpRequest


def renumbered(request: HttpRequest, *, reauthenticated: bool = False, **_: object) -> None:
    """Give a session another number when its owner has proved again who they are.

    A sign-in makes one in any case; this is for what may be done for some minutes after it.
    """
    if not (reauthenticated and request.user.is_authenticated):
        return
    before = request.session.session_key
    request.session.cycle_key()
    # The list of sessions knows them by number.
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
