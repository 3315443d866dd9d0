"""Which gateway of which school of a trust this is, or that it is its centre: the section ``trust``."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from schoolgate.documents import Strict

# A token of a subject of NATS and a name of a role of PostgreSQL: neither dots nor stars (docs/trust.md).
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")]


class TrustSettings(Strict):
    """Names of the school and of this gateway there, which no other in the trust has; "" outside of one.

    Attributes:
        portal: whether the portal here is that of the trust, at its centre.
        schools_dir: the centre's copies of the schools' settings, a directory for each; None for
            `schools` beside its own.
    """

    school: Slug = ""
    gateway: Slug = ""
    portal: bool = False
    schools_dir: Path | None = None

    @model_validator(mode="after")
    def _are_both(self) -> Self:
        if bool(self.school) != bool(self.gateway):
            raise ValueError("a gateway of a trust has a school and a gateway")
        return self

    @model_validator(mode="after")
    def _is_either(self) -> Self:
        if self.portal and self.school:
            raise ValueError("the portal of the trust is at its centre, which is no school")
        return self

    def anchored(self, directory: Path) -> Self:
        """Make every path absolute, from a directory."""
        if self.schools_dir is None:
            return self
        made = Path(os.path.normpath(directory / self.schools_dir))
        return self.model_copy(update={"schools_dir": made})
