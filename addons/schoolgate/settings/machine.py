"""The machine's settings: `config/schoolgate.yaml`, overridden by the environment."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from schoolgate.core.approvals import Role
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.hosts import normalise_host
from schoolgate.core.urls import DEFAULT_PORTS, parse_url
from schoolgate.documents import (
    Document,
    Loc,
    Strict,
    parse_document,
    read_text,
    suggestion,
    validate,
)
from schoolgate.settings.alerts import AlertSettings
from schoolgate.settings.bundles import BundleSettings
from schoolgate.settings.listen import ListenAddress
from schoolgate.settings.network import NetworkSettings
from schoolgate.settings.pictures import PictureSettings
from schoolgate.settings.regular_reports import ReportSettings
from schoolgate.settings.shipping import ShippingSettings
from schoolgate.settings.single_sign_on import ProviderSettings
from schoolgate.settings.trust import TrustSettings
from schoolgate.settings.wireguard import WireGuardSettings

ENVIRONMENT_PREFIX = "SCHOOLGATE_"
# Read elsewhere: where the settings are, and test data.
_NOT_SETTINGS = ("SCHOOLGATE_CONFIG", "SCHOOLGATE_TEST_")


def _host_name(value: str) -> str:
    try:
        return normalise_host(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error


def _origin(value: str) -> str:
    """Give a URL without a path: ``https://schoolgate.internal``, or with a port of its own."""
    try:
        url = parse_url(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error
    if url.scheme not in ("http", "https") or url.path != "/" or url.query or "@" in value:
        raise ValueError(f"'{value}' is not an address such as https://schoolgate.internal")
    port = "" if url.port == DEFAULT_PORTS[url.scheme] else f":{url.port}"
    return f"{url.scheme}://{url.host}{port}"


def _processors() -> int:
    """Give how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _clock_time(value: object) -> object:
    # YAML reads 16:00 as sixty times sixteen, and 08:00 as a text.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    return value


def _ports(value: str) -> str:
    first, dash, last = value.partition("-")
    numbers = (first, last if dash else first)
    if not all(part.isascii() and part.isdigit() for part in numbers) or not (
        0 < int(numbers[0]) <= int(numbers[1]) <= 65535
    ):
        raise ValueError(f"'{value}' is no port such as 443, and no range such as 5228-5230")
    return value


# 0 in the file; whoever reads the settings sees the number.
Workers = Annotated[int, Field(ge=0, le=256), AfterValidator(lambda n: n or _processors())]
Ports = Annotated[str, BeforeValidator(str), AfterValidator(_ports)]
Origin = Annotated[str, AfterValidator(_origin)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
HostName = Annotated[str, AfterValidator(_host_name)]


# HTTPS, what is HTTP in a tunnel, and the push services of Apple and Google.
WEB_PORTS = ("80", "443", "2197", "5223", "5228-5230", "8080", "8443")


class ProxySettings(Strict):
    """Where the proxy listens and how it reaches the web."""

    listen: ListenAddress = "127.0.0.1:8080"
    transparent_listen: ListenAddress | None = None
    workers: Workers = Field(default_factory=_processors)
    drain_seconds: float = Field(default=600, ge=0, le=86_400)
    allow_private_destinations: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: dict[HostName, IPv4Address | IPv6Address] = Field(default_factory=dict)
    upstream_ca: Path | None = None
    tunnel_ports: Annotated[tuple[Ports, ...], Field(min_length=1)] = WEB_PORTS

    @property
    def ports_of_tunnels(self) -> frozenset[int]:
        """Every port in `tunnel_ports`."""
        spans = [each.partition("-") for each in self.tunnel_ports]
        return frozenset(
            port for first, _, last in spans for port in range(int(first), int(last or first) + 1)
        )


class PortalSettings(Strict):
    """Where the portal listens, and under which name browsers find it through the proxy."""

    enabled: bool = True
    listen: ListenAddress = "127.0.0.1:8000"
    public_url: Origin = "https://schoolgate.internal"
    oidc: tuple[ProviderSettings, ...] = ()

    @field_validator("oidc")
    @classmethod
    def _differ(cls, value: tuple[ProviderSettings, ...]) -> tuple[ProviderSettings, ...]:
        if len({one.id for one in value}) < len(value):
            raise ValueError("two providers have the same id")
        return value

    @property
    def host(self) -> str:
        """The name in `public_url`."""
        return parse_url(self.public_url).host


class MetricsSettings(Strict):
    """Where Prometheus fetches the metrics."""

    listen: ListenAddress = "127.0.0.1:9180"


KeptDays = Annotated[int, Field(ge=1, le=36_500)]
KeptField = Literal[
    "url", "search", "file_name", "inner_host", "host", "entry", "client", "device", "user", "rest"
]
_USUAL_FIELDS: dict[KeptField, int] = {"url": 180, "search": 180, "file_name": 180}


class JournalSettings(Strict):
    """Where decisions are recorded, how long, and from how many people on figures are shown."""

    dir: Path | None = None
    queue_size: int = Field(default=50_000, ge=100, le=5_000_000)
    close: bool = True
    keep_days: KeptDays = 400
    keep_categories: dict[str, KeptDays] = Field(default_factory=dict)
    keep_fields: dict[KeptField, KeptDays] = Field(default_factory=lambda: dict(_USUAL_FIELDS))
    least_people: int = Field(default=5, ge=1, le=1_000)


class MailSettings(Strict):
    """How people are told by mail; without a host nothing is sent, and mail waits."""

    host: str = ""
    port: int = Field(default=587, gt=0, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    sender: str = ""
    roles: dict[Role, tuple[str, ...]] = Field(default_factory=dict)
    digest_at: ClockTime = time(16)


class SelfTestSettings(Strict):
    """Whether, and how often, the gateway asks itself whether it filters."""

    enabled: bool = True
    every_seconds: float = Field(default=60, ge=1, le=3_600)


class CaSettings(Strict):
    """When people are told that the gateway's certificate authority ends."""

    warn_days: int = Field(default=60, ge=1, le=3_650)


class ListSettings(Strict):
    """Where the categories, the school's own lists and the locked lists are, and which lists are fetched."""

    dirs: tuple[Path, ...] = (Path("../categories"),)
    local: Path = Path("local")
    locked: Path = Path("/etc/schoolgate/locked")
    locked_required: tuple[str, ...] = ()
    update: bool = False
    feeds: tuple[str, ...] = ()
    proxy: str = ""
    ca_file: Path | None = None
    own_domains: tuple[HostName, ...] = ()


class Settings(Strict):
    """All of `config/schoolgate.yaml`; relative paths are from the directory the file is in.

    Attributes:
        file: where it was read.
    """

    policy: str = "wellstead"
    policies_dir: Path = Path("policies")
    people: Path = Path("local/people.yaml")
    gateway: str = "gateway"
    state_dir: Path = Path("../var")
    database: str = ""
    proxy: ProxySettings = ProxySettings()
    network: NetworkSettings = NetworkSettings()
    wireguard: WireGuardSettings = WireGuardSettings()
    portal: PortalSettings = PortalSettings()
    metrics: MetricsSettings = MetricsSettings()
    journal: JournalSettings = JournalSettings()
    lists: ListSettings = ListSettings()
    mail: MailSettings = MailSettings()
    alerts: AlertSettings = AlertSettings()
    reports: ReportSettings = ReportSettings()
    ca: CaSettings = CaSettings()
    selftest: SelfTestSettings = SelfTestSettings()
    shipping: ShippingSettings = ShippingSettings()
    bundles: BundleSettings = BundleSettings()
    trust: TrustSettings = TrustSettings()
    pictures: PictureSettings = PictureSettings()
    file: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _is_of_a_trust(self) -> Self:
        if not self.trust.school and any(one.kind == "nats" for one in self.shipping.to):
            raise ValueError("shipping to NATS needs trust: {school: …, gateway: …}")
        return self

    @property
    def policy_file(self) -> Path:
        """The school's policy."""
        return self.policies_dir / f"{self.policy}.yaml"

    @property
    def sessions_file(self) -> Path:
        """Who signed in to the WiFi, as RADIUS accounting tells."""
        return self.state_dir / "sessions.json"

    @property
    def seen_sites_file(self) -> Path:
        """The sites that the school has seen in the last month."""
        return self.state_dir / "seen-sites"

    @property
    def meter_socket(self) -> Path:
        """Where the process is that owns the accounts of viewing."""
        return self.state_dir / "meter.sock"

    @property
    def portal_socket(self) -> Path:
        """Where the gateway hands requests to the portal."""
        return self.state_dir / "portal.sock"

    @property
    def selftest_file(self) -> Path:
        """What the self-test found last."""
        return self.state_dir / "selftest.json"

    @property
    def first_link_file(self) -> Path:
        """The secret of the link that makes the portal's first account, while there is none."""
        return self.state_dir / "portal.first"

    @property
    def ca_dir(self) -> Path:
        """Where the gateway's certificate authority is kept."""
        return self.state_dir / "ca"

    @property
    def wireguard_dir(self) -> Path:
        """The key of the tunnel for devices at home, and the devices."""
        return self.state_dir / "wireguard"

    @property
    def lists_dir(self) -> Path:
        """Lists of others and the index of all lists."""
        return self.state_dir / "lists"

    @property
    def bundles_dir(self) -> Path:
        """The bundles of the school's trust."""
        return self.state_dir / "bundles"

    @property
    def enrolment_dir(self) -> Path:
        """Key, certificate and root by which this gateway and its trust's centre know each other."""
        return self.state_dir / "enrolment"

    @property
    def journal_dir(self) -> Path:
        """Where the journal is written."""
        return self.journal.dir or self.state_dir / "journal"

    @property
    def journal_key_file(self) -> Path:
        """What turns pseudonyms of the journal back into names; never beside the journal."""
        return self.state_dir / "journal.key"

    @property
    def database_url(self) -> str:
        """The store, as SQLAlchemy names it."""
        return self.database or f"sqlite:///{self.state_dir / 'schoolgate.db'}"


def load_settings(
    file: Path,
    environment: Mapping[str, str] = os.environ,
    state_dir: Path | None = None,
    place: Path | None = None,
) -> Settings:
    """Read the settings of this machine.

    Args:
        file: the YAML file.
        environment: ``SCHOOLGATE_<SECTION>_<KEY>`` wins over the file.
        state_dir: wins over both.
        place: where the file is to be; where it is, without.

    Raises:
        ConfigurationError: with every fault.
    """
    text = read_text(file)
    document = parse_document(str(file), text if _has_keys(text) else "{}")
    document, faults = _overridden(document, environment)
    if isinstance(document.data, dict) and "file" in document.data:
        faults.append(document.fault(("file",), "unknown key 'file'"))
    try:
        settings = validate(document, Settings)
    except ConfigurationError as error:
        faults = [*faults, *error.faults]
    if faults:
        raise ConfigurationError(faults)
    if state_dir is not None:
        settings = settings.model_copy(update={"state_dir": state_dir.absolute()})
    return _anchored(settings, (place or file).absolute())


def _has_keys(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _overridden(document: Document, environment: Mapping[str, str]) -> tuple[Document, list[Fault]]:
    """Lay the environment over a document; a fault in a value names its variable."""
    if not isinstance(document.data, dict):
        return document, []
    # A section with nothing but comments below it has its defaults.
    data: dict[str, Any] = {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in document.data.items()
        if value is not None or key not in Settings.model_fields
    }
    names = _variables()
    faults: list[Fault] = []
    elsewhere: dict[Loc, str] = {}
    for variable, value in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(_NOT_SETTINGS):
            continue
        if variable not in names:
            hint = suggestion(variable, names)
            faults.append(Fault("environment", 0, f"unknown setting {variable}", hint))
            continue
        section, key = names[variable]
        place = data.setdefault(section, {}) if section else data
        if isinstance(place, dict):
            place[key] = _plain(value)
            elsewhere[(section, key) if section else (key,)] = variable
    return replace(document, data=data, elsewhere=elsewhere), faults


def _plain(value: str) -> Any:
    """Read a variable as YAML; what is none, such as ``[::1]:3128``, is a text."""
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def _variables() -> dict[str, tuple[str, str]]:
    names: dict[str, tuple[str, str]] = {}
    for key, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Strict):
            for inner in section.model_fields:
                names[f"{ENVIRONMENT_PREFIX}{key}_{inner}".upper()] = (key, inner)
        elif key != "file":
            names[f"{ENVIRONMENT_PREFIX}{key}".upper()] = ("", key)
    return names


def _anchored(settings: Settings, file: Path) -> Settings:
    """Make every path absolute, from the directory that the file is in."""

    def resolve(path: Path) -> Path:
        return Path(os.path.normpath(file.parent / path))

    proxy, journal, lists = settings.proxy, settings.journal, settings.lists
    mail, portal, network = settings.mail, settings.portal, settings.network
    return settings.model_copy(
        update={
            "file": file,
            "policies_dir": resolve(settings.policies_dir),
            "people": resolve(settings.people),
            "state_dir": resolve(settings.state_dir),
            "proxy": proxy.model_copy(
                update={"upstream_ca": proxy.upstream_ca and resolve(proxy.upstream_ca)}
            ),
            "network": network.model_copy(update={"counters_file": resolve(network.counters_file)}),
            "mail": mail.model_copy(
                update={
                    "password_file": mail.password_file and resolve(mail.password_file),
                    "ca_file": mail.ca_file and resolve(mail.ca_file),
                }
            ),
            "portal": portal.model_copy(
                update={
                    "oidc": tuple(
                        one.model_copy(
                            update={
                                "client_secret_file": one.client_secret_file
                                and resolve(one.client_secret_file),
                                "ca_file": one.ca_file and resolve(one.ca_file),
                            }
                        )
                        for one in portal.oidc
                    )
                }
            ),
            "alerts": settings.alerts.anchored(file.parent),
            "shipping": settings.shipping.anchored(file.parent),
            "bundles": settings.bundles.anchored(file.parent),
            "trust": settings.trust.anchored(file.parent),
            "journal": journal.model_copy(update={"dir": journal.dir and resolve(journal.dir)}),
            "lists": lists.model_copy(
                update={
                    "dirs": tuple(resolve(path) for path in lists.dirs),
                    "local": resolve(lists.local),
                    "locked": resolve(lists.locked),
                    "ca_file": lists.ca_file and resolve(lists.ca_file),
                }
            ),
        }
    )


def split_address(address: str) -> tuple[str, int]:
    """Give host and port of a listen address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
