"""Names of things of core, and texts that people typed, as pages say them."""

import re
import unicodedata
from typing import Any

from schoolgate.core.approvals import Role

# What turns a text round, so that it reads as another one, and controls (Unicode TR 36, 3.3).
_MISLEADING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)

ROLES = {
    Role.HEADTEACHER: "Headteacher",
    Role.DEPUTY: "Deputy headteacher",
    Role.SLT: "Member of the senior leadership team",
    Role.TECHNICIAN: "ICT technician",
    Role.ONLINE_SAFETY_LEAD: "Online safety lead",
    Role.DSL: "Designated safeguarding lead",
    Role.TEACHER: "Teacher",
    Role.STAFF: "Member of staff",
    Role.CHAIR_OF_GOVERNORS: "Chair of governors",
    Role.GOVERNOR: "Governor",
}


# What the audit trail calls a change of an account, as pages say it.
ACCOUNT_CHANGES = {
    "account.added": "made the account of",
    "account.roles": "changed the roles of",
    "account.disabled": "closed the account of",
    "account.enabled": "opened the account again of",
    "account.link": "made a link for a new password of",
}


def said(error: Exception) -> str:
    """Give the sentence of a refusal as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def visible(value: Any) -> Any:
    """Give what a page shows: a mark that would make a text read as another one is seen as such."""
    if isinstance(value, str) and _MISLEADING.search(str(value)):
        # What is marked as HTML stays so.
        return type(value)(_MISLEADING.sub("\N{REPLACEMENT CHARACTER}", value))
    return value


def legible(text: object, longest: int = 5_000) -> str:
    """Give a text as paper can hold it: what is no text, or turns its direction, is a mark instead.

    What was typed into a form has none of it; a reason given on the command line may.

    Args:
        text: or what stands for one.
        longest: of how many characters the rest is left out.
    """
    said = str(text)
    shown = "".join("\ufffd" if _is_hidden(one) else one for one in said[:longest])
    return shown + ("…" if len(said) > longest else "")


def _is_hidden(character: str) -> bool:
    # Control characters, halves of pairs, marks of direction and others without a shape.
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cf", "Cs", "Co", "Cn") and character not in "\n\t\u200c\u200d\u00ad"
