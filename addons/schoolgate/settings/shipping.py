"""Where the journal is taken: the section ``shipping`` of the machine's settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from schoolgate.core.errors import BadAddressError
from schoolgate.core.urls import parse_url
from schoolgate.documents import Strict


class JournaldSettings(Strict):
    """The journal of systemd on this machine."""

    kind: Literal["journald"]
    name: str = "journald"
    socket: Path = Path("/run/systemd/journal/socket")


class SyslogSettings(Strict):
    """A syslog server: RFC 5424 over TLS."""

    kind: Literal["syslog"]
    name: str = "syslog"
    host: Annotated[str, Field(min_length=1)]
    port: int = Field(default=6514, gt=0, le=65_535)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


class _PushSettings(Strict):
    url: str
    ca_file: Path | None = None
    token_file: Path | None = None
    tenant: str = ""

    @field_validator("url")
    @classmethod
    def _is_web(cls, value: str) -> str:
        try:
            url = parse_url(value)
        except BadAddressError as error:
            raise ValueError(str(error)) from error
        if url.scheme not in ("http", "https"):
            raise ValueError(f"'{value}' is not an address such as https://logs.example/v1/logs")
        return value


class LokiSettings(_PushSettings):
    """Grafana Loki's push address."""

    kind: Literal["loki"]
    name: str = "loki"


class OtlpSettings(_PushSettings):
    """A collector of OpenTelemetry's, by HTTP."""

    kind: Literal["otlp"]
    name: str = "otlp"


class NatsSettings(Strict):
    """NATS JetStream: the leaf node beside this gateway, which stores and forwards (docs/trust.md)."""

    kind: Literal["nats"]
    name: str = "nats"
    url: Annotated[str, Field(pattern=r"^(nats|tls)://[^/@\s]+$")] = "nats://127.0.0.1:4222"
    keep_days: float = Field(default=14, gt=0, le=3_650)
    keep_megabytes: int = Field(default=8_192, ge=1)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    credentials_file: Path | None = None
    nkey_file: Path | None = None
    user_file: Path | None = None


type Target = Annotated[
    JournaldSettings | SyslogSettings | LokiSettings | OtlpSettings | NatsSettings,
    Field(discriminator="kind"),
]


class ShippingSettings(Strict):
    """What of the journal goes where; without targets nothing leaves."""

    personal: Literal["none", "pseudonyms", "names"] = "pseudonyms"
    sites: Literal["none", "hosts", "urls"] = "none"
    to: tuple[Target, ...] = ()

    @field_validator("to")
    @classmethod
    def _differ(cls, value: tuple[Target, ...]) -> tuple[Target, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError("two of them have the same name")
        for name in names:
            if not name.replace("-", "").isalnum() or not name.isascii():
                raise ValueError(f"'{name}' is no name of letters, digits and hyphens")
        return value

    def anchored(self, directory: Path) -> "ShippingSettings":
        """Give them with every path absolute, from a directory."""
        return self.model_copy(update={"to": tuple(_anchored(one, directory) for one in self.to)})


def _anchored(target: Target, directory: Path) -> Target:
    paths = {
        key: directory / value
        for key, value in ((key, getattr(target, key)) for key in type(target).model_fields)
        if isinstance(value, Path)
    }
    return target.model_copy(update=paths)
