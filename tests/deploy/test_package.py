"""What is in the package, and what it does to a Debian 13 that is not running."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy import debian
from tests.deploy.machine import in_files
from tests.gateway import ROOT

SITE = "./usr/lib/schoolgate/lib/python3.13/site-packages"


@pytest.fixture(scope="module")
def contents(package: Path) -> dict[str, str]:
    """Every file of the package → its mode and owner."""
    lines = debian.run(["dpkg-deb", "--contents", str(package)]).splitlines()
    return {line.split()[5]: " ".join(line.split()[:2]) for line in lines}


def test_two_builds_are_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = debian.built(tmp_path / "again.deb")
    assert again.read_bytes() == package.read_bytes()


def test_it_holds_the_program_and_nothing_of_who_built_it(contents: dict[str, str]) -> None:
    assert f"{SITE}/schoolgate/core/index/_native.abi3.so" in contents
    assert f"{SITE}/mitmproxy/version.py" in contents
    assert f"{SITE}/psycopg/__init__.py" in contents
    assert f"{SITE}/nats/__init__.py" in contents
    assert f"{SITE}/nkeys/__init__.py" in contents
    assert not [name for name in contents if name.endswith((".pyc", "/RECORD", "direct_url.json"))]
    assert {mode for mode in contents.values() if not mode.startswith("l")} == {
        "drwxr-xr-x root/root",
        "-rw-r--r-- root/root",
        "-rwxr-xr-x root/root",
    }
    assert [name for name, mode in contents.items() if mode.startswith("-rwx")] == [
        "./usr/bin/schoolgate",
        # Of the centre of a trust, called by a timer.
        "./usr/lib/schoolgate/back-up-centre",
        # Of a pair of gateways, called by keepalived.
        "./usr/lib/schoolgate/check-gateway",
    ]


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("config", "usr/share/schoolgate/config"),
        ("deploy/systemd", "usr/lib/systemd/system"),
        ("deploy/trust", "usr/lib/systemd/system"),
        ("categories", "usr/share/schoolgate/categories"),
        ("docs", "usr/share/doc/schoolgate"),
        ("deploy/prometheus", "usr/share/doc/schoolgate/examples/prometheus"),
        ("deploy/prometheus/rules", "usr/share/doc/schoolgate/examples/prometheus/rules"),
        ("deploy/alertmanager", "usr/share/doc/schoolgate/examples/alertmanager"),
        ("deploy/grafana/dashboards", "usr/share/doc/schoolgate/examples/grafana/dashboards"),
    ],
)
def test_what_is_beside_the_program_is_in_it(
    contents: dict[str, str], place: str, where: str
) -> None:
    kept = [
        file
        for file in (ROOT / place).iterdir()
        if file.suffix in (".yaml", ".yml", ".json", ".service", ".timer", ".md")
    ]
    assert kept
    assert {f"./{where}/{file.name}" for file in kept} <= set(contents)


def test_no_text_of_it_names_where_it_was_built(package: Path, tmp_path: Path) -> None:
    debian.run(["dpkg-deb", "--extract", str(package), str(tmp_path)])
    found = subprocess.run(
        [
            "grep",
            "--recursive",
            "--files-with-matches",
            "--fixed-strings",
            str(ROOT),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (1, "")


def test_it_is_installed_used_removed_and_purged_without_a_network(
    tree: Path, package: Path, tmp_path: Path
) -> None:
    said = in_files(
        tree,
        tmp_path,
        package,
        """
        apt-get install -qq -y /schoolgate.deb </dev/null >/tmp/installed 2>&1 ||
            { cat /tmp/installed; exit 1; }
        echo "== user" $(stat -c '%U %a' /var/lib/schoolgate /etc/schoolgate/local \
            /etc/schoolgate/locked)
        cd /tmp
        schoolgate check www.bet365.com --json
        /usr/lib/schoolgate/bin/python3 -I -c 'from schoolgate.core.index import native
print("== native", native.native_module is not None)'
        /usr/lib/schoolgate/bin/python3 -I -c 'from weasyprint import HTML
print("== pdf", HTML(string="<p>Form").write_pdf()[:5].decode())'
        dpkg --verify schoolgate
        echo "== links $(cd /etc/systemd/system/multi-user.target.wants && echo schoolgate-*)"
        mkdir -p /var/lib/schoolgate/journal
        echo '{}' > /var/lib/schoolgate/journal/2026-11-20.jsonl
        apt-get remove -qq -y schoolgate </dev/null >/dev/null 2>&1
        left=$(ls -d /usr/lib/schoolgate /etc/schoolgate /var/lib/schoolgate 2>/dev/null) || true
        echo "== removed" $left
        apt-get purge -qq -y schoolgate </dev/null >/dev/null 2>&1
        echo "== purged" $(find / -xdev -name '*schoolgate*' ! -path /schoolgate.deb)
        cat /var/backups/schoolgate-*/journal/2026-11-20.jsonl
        stat -c '== kept %U %a' /var/backups/schoolgate-*
        getent passwd schoolgate || echo "== nobody"
        """,
    )
    told = {line.split()[1]: line.split()[2:] for line in said.splitlines() if line[:3] == "== "}
    assert told["user"] == ["schoolgate", "700", "schoolgate", "755", "root", "750"], said
    assert '"clause": "W-6.3.1-gambling"' in said
    assert told["native"] == ["True"], said
    assert told["pdf"] == ["%PDF-"], said
    units = [f"schoolgate-{name}.service" for name in ("jobs", "portal", "proxy")]
    assert told["links"] == units
    assert told["removed"] == ["/etc/schoolgate", "/var/lib/schoolgate"]
    # The evidence, and what systemd remembers of enabled units is gone.
    assert all(name.startswith("/var/backups/schoolgate-") for name in told["purged"]), said
    assert told["kept"] == ["root", "700"]
    assert "nobody" in told
