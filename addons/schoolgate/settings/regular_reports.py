"""Who is sent figures by mail each week and term: the section ``reports`` of the machine's settings."""

from pydantic import Field

from schoolgate.core.approvals import Role
from schoolgate.documents import Strict


class ReportSettings(Strict):
    """Which roles get the report of a week and of a term, from what hour of the school's time on."""

    weekly: tuple[Role, ...] = (Role.DSL,)
    termly: tuple[Role, ...] = (Role.CHAIR_OF_GOVERNORS, Role.GOVERNOR)
    hour: int = Field(default=7, ge=0, le=23)
