"""`schoolgate wireguard`: devices at home, and what each is told."""

import re
from pathlib import Path

import pytest

from schoolgate.wireguard import new_key, public_key, read_peers
from schoolgate.wireguard.seen import Seen, Sight, write_seen
from tests.cli.ended import DONE, NO, WRONG, Here, lines, refused
from tests.school import School

TUNNELS = {"listen": "[::]:51820", "endpoint": "vpn.school.example:51820"}
KEY = public_key(new_key())


@pytest.fixture(autouse=True)
def _tunnels(school: School) -> None:
    school.write_config(wireguard=TUNNELS)


def test_a_device_is_added_and_its_key_is_shown_once(school: School, here: Here) -> None:
    told = "\n".join(lines(here("wireguard", "add", "tablet", "--group", "staff", "--user", "ann")))
    private = re.search(r"^PrivateKey = (.+)$", told, re.MULTILINE)
    assert private is not None
    assert "Address = 10.99.0.2/32, fd00:99::2/128" in told
    assert "DNS = 10.99.0.1, fd00:99::1" in told
    assert "Endpoint = vpn.school.example:51820" in told
    (peer,) = read_peers(school.state / "wireguard")
    assert (peer.public_key, peer.group, peer.user) == (public_key(private[1]), "staff", "ann")
    for file in (school.state / "wireguard").iterdir():
        assert private[1] not in file.read_text()
    again = "\n".join(lines(here("wireguard", "config", "tablet")))
    assert again == told.replace(private[0], "# PrivateKey = the device's own")


def test_a_device_may_keep_its_key_to_itself(school: School, here: Here) -> None:
    told = lines(here("wireguard", "add", "tablet", "--public-key", KEY))
    assert "# PrivateKey = the device's own" in told
    assert read_peers(school.state / "wireguard")[0].public_key == KEY


def test_a_code_is_shown_and_written(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "tablet.png"
    ended = here("wireguard", "add", "tablet", "--qr", "--png", str(file))
    assert ended.returncode == DONE
    assert ended.stdout.count("█") > 100
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_mode & 0o777 == 0o600


def test_another_key_takes_the_place_of_the_old_one(school: School, here: Here) -> None:
    lines(here("wireguard", "add", "tablet"))
    before = read_peers(school.state / "wireguard")
    told = lines(here("wireguard", "config", "tablet", "--renew", "--qr"))
    after = read_peers(school.state / "wireguard")
    assert before[0].addresses == after[0].addresses
    key = next(line for line in told if line.startswith("PrivateKey")).split()[2]
    assert after[0].public_key == public_key(key) != before[0].public_key


def test_devices_are_listed_with_when_they_were_heard_of_and_removed(
    school: School, here: Here
) -> None:
    assert lines(here("wireguard", "list")) == ["There are no devices at home."]
    for name in ("one", "two"):
        lines(here("wireguard", "add", name))
    peer = read_peers(school.state / "wireguard")[1]
    seen = Seen(1.0, {peer.public_key: Sight(1.0, 90_000.0, 12_345, 6_789_000_000)})
    write_seen(school.state / "wireguard", seen)
    _, one, two = lines(here("wireguard", "list"))
    assert one.startswith("one")
    assert one.count("never") == 2
    assert " d ago" in two
    assert "12.3 kB" in two
    assert "6.8 GB" in two
    assert lines(here("wireguard", "remove", "one")) == ["one is cut off."]
    assert [each.name for each in read_peers(school.state / "wireguard")] == ["two"]
    # What is free is given again.
    assert "Address = 10.99.0.2/32, fd00:99::2/128" in lines(here("wireguard", "add", "three"))


@pytest.mark.parametrize(
    ("arguments", "code", "want"),
    [
        (["add", "a b"], NO, "is not a name"),
        (["add", "two", "--public-key", "x"], NO, "not a public key"),
        (["add", "two", "--public-key", KEY, "--qr"], NO, "leave out --qr"),
        (["add", "two", "--public-key", KEY], NO, "is another device's already"),
        (["add", "tablet"], NO, "name tablet is another device's already"),
        (["remove", "table"], NO, "there is no device 'table'"),
        (["config", "phone"], NO, "there is no device"),
        (["config", "tablet", "--qr"], NO, "--renew"),
        (["config", "phone", "--renew"], NO, "there is no device"),
    ],
)
def test_what_cannot_be_is_refused(here: Here, arguments: list[str], code: int, want: str) -> None:
    lines(here("wireguard", "add", "tablet", "--public-key", KEY))
    refused(here("wireguard", *arguments), code, want)


@pytest.mark.parametrize("option", ["--group", "--kind"])
def test_what_the_policy_does_not_have_is_refused(here: Here, option: str) -> None:
    ended = here("wireguard", "add", "tablet", option, "nobody")
    assert ended.returncode == WRONG
    assert "the policy has no" in ended.stderr


@pytest.mark.parametrize("missing", TUNNELS)
def test_without_a_way_in_there_are_no_devices(school: School, here: Here, missing: str) -> None:
    school.write_config(wireguard={key: v for key, v in TUNNELS.items() if key != missing})
    ended = here("wireguard", "list")
    assert ended.returncode == WRONG
    assert f"wireguard.{missing} is not set" in ended.stderr
