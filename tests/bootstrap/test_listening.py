"""An address that cannot be had is named with the setting that says so."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from schoolgate.bootstrap import listening
from schoolgate.core.errors import UnavailableError
from schoolgate.settings import Settings, load_settings
from tests.school import write_school

type Opening = Callable[[Settings], AbstractContextManager[object]]


@pytest.mark.parametrize(
    ("opening", "section", "key"),
    [
        (listening.metrics_listener, "metrics", "listen"),
        (listening.proxy_listeners, "proxy", "listen"),
        (listening.transparent_listeners, "proxy", "transparent_listen"),
        (listening.portal_listener, "portal", "listen"),
        (listening.tunnel_sockets, "wireguard", "listen"),
    ],
)
def test_an_address_in_use_is_named_with_its_setting(
    tmp_path: Path, opening: Opening, section: str, key: str
) -> None:
    kind = socket.SOCK_DGRAM if section == "wireguard" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        school, place = write_school(tmp_path / "school"), f"127.0.0.1:{taken.getsockname()[1]}"
        school.write_config(**{section: {key: place}})
        settings = load_settings(school.config, {})
        with pytest.raises(UnavailableError, match=f"set {section}.{key} to"), opening(settings):
            pass


def test_without_a_way_in_for_devices_at_home_there_are_no_sockets(tmp_path: Path) -> None:
    settings = load_settings(write_school(tmp_path / "school").config, {})
    with listening.tunnel_sockets(settings) as sockets:
        assert sockets == ()


def test_an_address_is_given_as_people_write_it() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as one:
        one.bind(("::1", 0))
        assert listening.place_of(one) == f"[::1]:{one.getsockname()[1]}"
