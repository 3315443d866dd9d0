"""Signed bundles of the school's trust: the section ``bundles`` of the machine's settings."""

from pathlib import Path

from pydantic import Field, field_validator

from schoolgate.core.errors import BadAddressError
from schoolgate.core.urls import parse_url
from schoolgate.documents import Strict


class BundleSettings(Strict):
    """Where bundles come from, and what the school's own policy must rest on.

    Attributes:
        url: of the centre; empty where there is none.
        root_file: the trust's root; that of the enrolment where it is left out.
        ring: whether this gateway has bundles first, or when they are released.
        base: policy of the bundle that the school's own must extend; empty for none.
        every_seconds: between two looks.
        keep: how many bundles are kept.
        most_mb: that one bundle may have.
    """

    url: str = ""
    root_file: Path | None = None
    ring: str = Field(default="all", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    base: str = Field(default="", pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")
    every_seconds: float = Field(default=900, ge=10, le=86_400)
    keep: int = Field(default=5, ge=2, le=100)
    most_mb: int = Field(default=500, ge=1, le=100_000)

    @field_validator("url")
    @classmethod
    def _is_web(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = parse_url(value)
        except BadAddressError as error:
            raise ValueError(str(error)) from error
        if url.scheme not in ("http", "https") or url.query:
            raise ValueError(f"'{value}' is not an address such as https://centre.trust.example")
        return value

    def anchored(self, directory: Path) -> "BundleSettings":
        """Give them with every path absolute, from a directory."""
        return self.model_copy(update={"root_file": self.root_file and directory / self.root_file})
