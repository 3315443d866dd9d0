"""Debian 13 as files, the package for it, and a newer one that is made of that."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.gateway import ROOT
from tests.system.conftest import program

# What the package depends on or recommends, so that nothing is fetched when it is installed.
INCLUDED = (
    "systemd-sysv", "dbus", "python3", "iproute2", "passwd", "tzdata", "ucf", "nftables",
    "libstdc++6", "libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core",
)  # fmt: skip
# What a trust needs beside, with what brings it there: kept in the tree and not installed, as those who run
# Ansible have it from a mirror.
KEPT = (
    "ansible-core", "ansible-lint", "curl", "haproxy", "keepalived", "nats-server", "openssh-server",
    "openssl", "postgresql", "python3-apt",
)  # fmt: skip
ARCHIVE = "/srv/debian"
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"

# $1 is the tree. The index has paths as they are seen from within.
_KEEP = """
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq --yes --no-install-recommends --download-only install {kept}
mkdir -p "$1{archive}"
mv "$1"/var/cache/apt/archives/*.deb "$1{archive}"
cd "$1{archive}" && dpkg-scanpackages --multiversion . > Packages
"""


def needs_root() -> None:
    """Skip for whoever may not mount."""
    if os.geteuid() != 0:
        message = "needs root to make a Debian 13"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def built(file: Path) -> Path:
    """Build the package of this checkout."""
    run([str(ROOT / "deploy/build-deb"), str(file)])
    return file


def newer(package: Path, file: Path, changes: dict[str, str]) -> Path:
    """Make a newer package of one.

    Args:
        package: the one.
        file: that is made.
        changes: text that each of these files has at its end.
    """
    files = file.with_suffix(".files")
    run(["dpkg-deb", "--raw-extract", str(package), str(files)])
    control = files / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nArchitecture:", "+newer\nArchitecture:"))
    for name, text in changes.items():
        with (files / name).open("a") as changed:
            changed.write(text)
    run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(files), str(file)])
    shutil.rmtree(files)
    return file


def tree(place: Path) -> Path:
    """Make a Debian 13 from where this machine has its own Debian, or take that of the last time."""
    needs_root()
    made_of = place.with_name(f"{place.name}.txt")
    wanted = "\n".join((*INCLUDED, *KEPT))
    if made_of.exists() and made_of.read_text() == wanted:
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    run(
        [
            program("mmdebstrap"), "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
            *(f"--aptopt={option}" for option in _apt_options()),
            f"--include={','.join(INCLUDED)}",
            f"--customize-hook={_KEEP.format(kept=' '.join(KEPT), archive=ARCHIVE)}",
            "trixie", str(place), f"deb [signed-by={_KEYS}] {_archive()} trixie main",
        ]
    )  # fmt: skip
    made_of.write_text(wanted)
    return place


def run(command: Sequence[str], stdin: str = "") -> str:
    """Run a command that must succeed, and give what it said."""
    ended = subprocess.run(
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{command[0]} ended with {ended.returncode}:\n{ended.stdout}"
    return ended.stdout


def _archive() -> str:
    """Give where this machine's apt has Debian from."""
    targets = run(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)",
         "Created-By: Packages"]
    )  # fmt: skip
    return next(uri for uri in targets.split() if "security" not in uri)


def _apt_options() -> list[str]:
    """Give what this machine's apt has to be told to reach Debian."""
    said = run(["apt-config", "dump"]).splitlines()
    names = ("Acquire::Check-", "Acquire::http", "Acquire::https")
    return [
        line.rstrip(";") for line in said if line.startswith(names) and not line.endswith('"";')
    ]
