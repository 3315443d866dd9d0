"""The settings of a machine: the file, the environment over it, and every fault named."""

import os
import re
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.settings import Settings, load_settings
from schoolgate.settings.machine import split_address

SHIPPED = Path(__file__).parents[2] / "config" / "schoolgate.yaml"


def load(
    directory: Path,
    text: str = "",
    environment: dict[str, str] | None = None,
    state_dir: Path | None = None,
) -> Settings:
    file = directory / "schoolgate.yaml"
    file.write_text(text)
    return load_settings(file, environment or {}, state_dir)


def faults(directory: Path, text: str, environment: dict[str, str] | None = None) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, text, environment)
    return list(caught.value.faults)


def value(settings: Settings, key: str) -> Any:
    """Give the value of a key such as ``proxy.listen``."""
    found: Any = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found


# -- the file that is shipped ---------------------------------------------------------------------


def uncommented() -> str:
    """Give the shipped file with every key in force: keys are commented with a bare #."""
    return re.sub(r"^( *)#([a-z_]+:)", r"\1\2", SHIPPED.read_text(), flags=re.MULTILINE)


def keys_of(data: dict[str, Any]) -> set[str]:
    sections = {"proxy", "network", "portal", "metrics", "journal", "lists", "ca"}
    plain = set(data) - sections
    return plain | {f"{section}.{key}" for section in sections for key in data[section]}


def test_the_shipped_file_shows_every_key_with_its_default() -> None:
    shown = yaml.safe_load(uncommented())
    defaults = Settings().model_dump()
    assert keys_of(shown) == keys_of(defaults)
    assert Settings.model_validate(shown) == Settings()


def test_the_shipped_file_has_the_defaults_and_names_the_policy() -> None:
    assert yaml.safe_load(SHIPPED.read_text())["policy"] == Settings().policy == "wellstead"
    loaded = load_settings(SHIPPED, {})
    for key in keys_of(Settings().model_dump()) - {"policies_dir", "people", "state_dir"}:
        if not key.startswith("lists."):
            assert value(loaded, key) == value(Settings(), key)
    assert loaded.policy_file.is_file()
    assert all(directory.is_dir() for directory in (*loaded.lists.dirs, loaded.lists.local))


# -- where things are -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "# nothing\n", "proxy:\n  # nothing\nlists:\n"])
def test_what_is_not_given_has_its_default(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, text)
    assert (settings.policy, settings.gateway) == ("wellstead", "gateway")
    assert settings.proxy.listen == "127.0.0.1:8080"
    assert settings.portal.listen == "127.0.0.1:8000"
    assert settings.metrics.listen == "127.0.0.1:9180"
    assert settings.proxy.workers == len(os.sched_getaffinity(0))
    assert settings.proxy.drain_seconds == 600


@pytest.mark.parametrize(
    ("text", "key", "want"),
    [
        ("", "policies_dir", "etc/policies"),
        ("", "policy_file", "etc/policies/wellstead.yaml"),
        ("policy: hill", "policy_file", "etc/policies/hill.yaml"),
        ("policies_dir: ../p", "policy_file", "p/wellstead.yaml"),
        ("", "state_dir", "var"),
        ("state_dir: s", "state_dir", "etc/s"),
        ("state_dir: ./a/../s/.", "state_dir", "etc/s"),
        ("state_dir: s", "ca_dir", "etc/s/ca"),
        ("state_dir: s", "journal_dir", "etc/s/journal"),
        ("state_dir: s\njournal: {dir: j}", "journal_dir", "etc/j"),
        ("", "lists.local", "etc/local"),
        ("lists: {local: ../mine}", "lists.local", "mine"),
        ("proxy: {upstream_ca: ca.pem}", "proxy.upstream_ca", "etc/ca.pem"),
    ],
)
def test_relative_paths_start_at_the_directory_of_the_file(
    tmp_path: Path, text: str, key: str, want: str
) -> None:
    directory = tmp_path / "etc"
    directory.mkdir()
    assert value(load(directory, text), key) == tmp_path / want


def test_each_directory_of_lists_starts_at_the_directory_of_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "lists: {dirs: [a, /b, ../c]}")
    assert settings.lists.dirs == (tmp_path / "a", Path("/b"), tmp_path.parent / "c")


def test_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    settings = load(tmp_path, "state_dir: /srv/state\njournal: {dir: /srv/journal}")
    assert (settings.state_dir, settings.journal_dir) == (Path("/srv/state"), Path("/srv/journal"))


def test_a_relative_file_is_where_the_command_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schoolgate.yaml").write_text("state_dir: s")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(Path("schoolgate.yaml"), {})
    assert settings.file == tmp_path / "schoolgate.yaml"
    assert settings.state_dir == tmp_path / "s"


def test_a_given_state_directory_wins_and_starts_where_the_command_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    environment = {"SCHOOLGATE_STATE_DIR": "/from/environment"}
    settings = load(tmp_path / "etc", "state_dir: /from/file", environment, Path("here"))
    assert settings.state_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("state_dir: /s", "sqlite:////s/schoolgate.db"),
        ("state_dir: /s\ndatabase: sqlite:////d/x.db", "sqlite:////d/x.db"),
        ("state_dir: /s\ndatabase: ''", "sqlite:////s/schoolgate.db"),
    ],
)
def test_the_store_is_in_the_state_directory_unless_it_is_named(
    tmp_path: Path, text: str, want: str
) -> None:
    assert load(tmp_path, text).database_url == want


@pytest.mark.parametrize(
    ("address", "want"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), ("a.example:1", ("a.example", 1))],
)  # fmt: skip
def test_an_address_is_a_host_and_a_port(address: str, want: tuple[str, int]) -> None:
    assert split_address(address) == want


# -- the environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "given", "key", "want"),
    [
        ("SCHOOLGATE_POLICY", "hill", "policy", "hill"),
        ("SCHOOLGATE_GATEWAY", "north", "gateway", "north"),
        ("SCHOOLGATE_STATE_DIR", "/srv/s", "state_dir", Path("/srv/s")),
        ("SCHOOLGATE_POLICIES_DIR", "/srv/p", "policies_dir", Path("/srv/p")),
        ("SCHOOLGATE_DATABASE", "sqlite:////x.db", "database", "sqlite:////x.db"),
        ("SCHOOLGATE_PROXY_LISTEN", "0.0.0.0:3128", "proxy.listen", "0.0.0.0:3128"),
        ("SCHOOLGATE_PROXY_LISTEN", "[::1]:3128", "proxy.listen", "[::1]:3128"),
        ("SCHOOLGATE_PROXY_WORKERS", "3", "proxy.workers", 3),
        ("SCHOOLGATE_PROXY_WORKERS", "0", "proxy.workers", len(os.sched_getaffinity(0))),
        ("SCHOOLGATE_PROXY_ALLOW_PRIVATE_DESTINATIONS", "[10.0.0.0/8]",
         "proxy.allow_private_destinations", (IPv4Network("10.0.0.0/8"),)),
        ("SCHOOLGATE_PROXY_HOSTS", "{Intranet.School: 10.0.0.5}", "proxy.hosts",
         {"intranet.school": IPv4Address("10.0.0.5")}),
        ("SCHOOLGATE_METRICS_LISTEN", "127.0.0.1:1", "metrics.listen", "127.0.0.1:1"),
        ("SCHOOLGATE_JOURNAL_QUEUE_SIZE", "100", "journal.queue_size", 100),
        ("SCHOOLGATE_LISTS_DIRS", "[/a, /b]", "lists.dirs", (Path("/a"), Path("/b"))),
        ("SCHOOLGATE_PORTAL_PUBLIC_URL", "https://x.example", "portal.public_url",
         "https://x.example"),
    ],
)  # fmt: skip
def test_the_environment_wins_over_the_file(
    tmp_path: Path, variable: str, given: str, key: str, want: object
) -> None:
    text = (
        "policy: other\ngateway: other\nproxy: {listen: '127.0.0.1:1'}\njournal: {queue_size: 9999}"
    )
    settings = load(tmp_path, text, {variable: given})
    assert value(settings, key) == want
    untouched = {"policy", "proxy.listen", "journal.queue_size"} - {key}
    assert [value(settings, k) for k in untouched] == [
        value(load(tmp_path, text), k) for k in untouched
    ]


def test_only_our_own_variables_are_looked_at(tmp_path: Path) -> None:
    others = {"PATH": "/bin", "SCHOOLGATE_CONFIG": "x", "SCHOOLGATE_TEST_DATA": "y", "POLICY": "z"}
    assert load(tmp_path, "", others) == load(tmp_path)


def test_unknown_variables_are_all_refused_with_what_was_meant(tmp_path: Path) -> None:
    given = {
        "SCHOOLGATE_PROXY_LISTN": "x",
        "SCHOOLGATE_POLICY": "hill",
        "SCHOOLGATE_ZZZZZZ": "y",
        "SCHOOLGATE_FILE": "z",
    }
    found = faults(tmp_path, "", given)
    assert [str(fault).partition(" (")[0] for fault in found] == [
        "environment: unknown setting SCHOOLGATE_PROXY_LISTN",
        "environment: unknown setting SCHOOLGATE_ZZZZZZ",
        "environment: unknown setting SCHOOLGATE_FILE",
    ]
    assert found[0].hint == "did you mean 'SCHOOLGATE_PROXY_LISTEN'?"


def test_a_variable_that_is_no_value_is_refused_by_its_name(tmp_path: Path) -> None:
    assert faults(tmp_path, "", {"SCHOOLGATE_LISTS_DIRS": "[a"}) == [
        Fault("SCHOOLGATE_LISTS_DIRS", 0, "'lists.dirs': input should be a valid tuple")
    ]


def test_a_fault_in_a_value_of_the_environment_names_the_variable_not_the_file(
    tmp_path: Path,
) -> None:
    [fault] = faults(tmp_path, "\nproxy:\n  listen: 127.0.0.1:1", {"SCHOOLGATE_PROXY_LISTEN": "x"})
    assert "SCHOOLGATE_PROXY_LISTEN" in str(fault)
    assert "schoolgate.yaml" not in str(fault)


def test_faults_of_the_environment_and_of_the_file_are_named_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, "polcy: hill", {"SCHOOLGATE_ZZZZZZ": "x"})
    assert len(found) == 2


# -- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "want"),
    [
        ("polcy: hill", 1, "unknown key 'polcy' (did you mean 'policy'?)"),
        ("policy: hill\nproxy:\n  listn: x", 3, "unknown key 'listn' (did you mean 'listen'?)"),
        ("policy: hill\nzebra: 1", 2, "unknown key 'zebra'"),
        ("file: x", 1, "unknown key 'file'"),
        ("policy: [hill]", 1, "'policy': input should be a valid string"),
        ("gateway: a\nproxy: 5", 2, "'proxy': input should be"),
        ("proxy:\n  workers: 257", 2, "'proxy.workers': input should be less than or equal to 256"),
        ("proxy:\n  workers: -1", 2, "'proxy.workers': input should be greater than or equal to 0"),
        ("journal:\n  queue_size: 5", 2, "'journal.queue_size': input should be greater than"),
        ("proxy:\n  allow_private_destinations:\n    - 10.0.0.0/8\n    - 10.0.0.1/8", 4,
         "'proxy.allow_private_destinations.1"),
        ("proxy:\n  hosts:\n    a.example: 10.0.0.1\n    b.example: nowhere", 4, "'proxy.hosts.b"),
        ("proxy:\n  hosts:\n    a/b: 10.0.0.1", 3, "'a/b' is not a host name"),
        ("a: 1\na: 2", 2, "gives 'a' twice"),
        ("- a", 1, "holds no keys"),
        ("policy: [", 1, "is not valid YAML"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line(tmp_path: Path, text: str, line: int, want: str) -> None:
    place = f"{tmp_path / 'schoolgate.yaml'}:{line}: "
    shown = [str(fault) for fault in faults(tmp_path, text)]
    assert all(fault.startswith(place) for fault in shown)
    assert any(want in fault for fault in shown)


@pytest.mark.parametrize("section", ["proxy", "portal", "metrics"])
@pytest.mark.parametrize(
    "address",
    ["8080", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", "127.0.0.1:-1",
     "127.0.0.1:8.0", "127.0.0.1:٣", "http://127.0.0.1:8080/", "::1", ""],
)  # fmt: skip
def test_an_address_to_listen_on_is_a_host_and_a_port(
    tmp_path: Path, section: str, address: str
) -> None:
    [fault] = faults(tmp_path, f"\n{section}:\n  listen: '{address}'")
    assert fault.line == 3
    assert f"'{address}' is not an address such as 127.0.0.1:8080" in fault.message


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = "polcy: hill\nproxy:\n  listen: x\n  workers: 999\nmetrics:\n  liste: y\njournal: {dir: 5}\n"
    assert sorted(fault.line for fault in faults(tmp_path, text)) == [1, 3, 4, 6, 7]


@pytest.mark.parametrize("environment", [{}, {"SCHOOLGATE_PROXY_LISTEN": "127.0.0.1:1"}])
def test_a_section_that_is_no_section_is_a_fault_whatever_the_environment_says(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert [fault.line for fault in faults(tmp_path, "policy: hill\nproxy: 5", environment)] == [2]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    assert caught.value.faults == (
        Fault(str(file), 0, "cannot be read: No such file or directory"),
    )


@pytest.mark.parametrize(
    ("given", "want", "host"),
    [
        ("https://schoolgate.internal", "https://schoolgate.internal", "schoolgate.internal"),
        (
            "https://Filter.School.example/",
            "https://filter.school.example",
            "filter.school.example",
        ),
        ("https://filter.school:8443", "https://filter.school:8443", "filter.school"),
        ("http://10.0.0.1:80", "http://10.0.0.1", "10.0.0.1"),
    ],
)
def test_the_portal_has_an_address_without_a_path(
    tmp_path: Path, given: str, want: str, host: str
) -> None:
    portal = load(tmp_path, f"portal: {{public_url: '{given}'}}").portal
    assert (portal.public_url, portal.host) == (want, host)


@pytest.mark.parametrize(
    "given",
    ["schoolgate.internal", "ftp://schoolgate.internal", "https://x.example/path", "https://", "",
     "https://x.example/?q=1", "https://a@x.example"],
)  # fmt: skip
def test_what_is_no_address_for_the_portal_is_a_fault(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, f"portal: {{public_url: '{given}'}}")
    [fault] = refused.value.faults
    assert "portal.public_url" in fault.message
