"""Who is told of safeguarding alerts beside the mail: the section ``alerts`` of the machine's settings."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from schoolgate.core.errors import BadAddressError
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About
from schoolgate.core.urls import parse_url
from schoolgate.documents import Strict

_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")


class WebhookSettings(Strict):
    """A program of the school's that is told of alerts by HTTPS, without whom or what they are about."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "webhook"
    url: str
    secret_file: Path
    ca_file: Path | None = None
    severities: tuple[Severity, ...] = (Severity.DANGER,)
    concerning: tuple[About, ...] = (About.PUPILS,)

    @field_validator("url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        try:
            url = parse_url(value)
        except BadAddressError as error:
            raise ValueError(str(error)) from error
        if url.scheme == "https" or (url.scheme == "http" and url.host in _THIS_MACHINE):
            return value
        raise ValueError("it must begin with https://, but for this machine's own 127.0.0.1")


class AlertSettings(Strict):
    """Which programs are told of alerts."""

    webhooks: tuple[WebhookSettings, ...] = ()

    @field_validator("webhooks")
    @classmethod
    def _differ(cls, value: tuple[WebhookSettings, ...]) -> tuple[WebhookSettings, ...]:
        if len({one.name for one in value}) < len(value):
            raise ValueError("two of them have the same name")
        return value

    def anchored(self, directory: Path) -> "AlertSettings":
        """Give them with every path absolute, from a directory."""
        return AlertSettings(
            webhooks=tuple(
                one.model_copy(
                    update={
                        "secret_file": directory / one.secret_file,
                        "ca_file": one.ca_file and directory / one.ca_file,
                    }
                )
                for one in self.webhooks
            )
        )
