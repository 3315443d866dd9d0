"""Which school of a trust this gateway is of, and which of its gateways: the section ``trust``."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schoolgate.documents import Strict

# A token of a subject of NATS and a name of a role of PostgreSQL: neither dots nor stars (docs/trust.md).
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")]


class TrustSettings(Strict):
    """Names of the school and of this gateway there, which no other in the trust has; "" outside of one."""

    school: Slug = ""
    gateway: Slug = ""

    @model_validator(mode="after")
    def _are_both(self) -> Self:
        if bool(self.school) != bool(self.gateway):
            raise ValueError("a gateway of a trust has a school and a gateway")
        return self
