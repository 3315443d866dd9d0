"""Names of things of core, as pages say them."""

from schoolgate.core.approvals import Role

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


def said(error: Exception) -> str:
    """Give the sentence of a refusal as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")
