"""What ClientHellos look like, those of browsers among them, and how they are refused."""

import base64
import json

import pytest

from schoolgate.core.policy import Shape
from schoolgate.proxy.gate.hello import read_hello
from schoolgate.proxy.gate.refusals import shapes_of_hello
from tests.data import shared
from tests.hellos import NEWEST, TARGET, hello

OLD = (0x0302, 0x0301)


@pytest.mark.parametrize(
    ("said", "target", "want"),
    [
        (hello(), TARGET, ()),
        (hello(is_hybrid=True, has_ech=True), TARGET, ()),
        (hello(is_hybrid=True, record=100), TARGET, ()),
        # A client without the extension has no newer version than the field says.
        (hello(versions=None), TARGET, ()),
        (hello(None), TARGET, (Shape.NO_NAME,)),
        (hello(None), "93.184.215.14", ()),
        (hello(None), "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]", ()),
        (hello(has_esni=True), TARGET, (Shape.HIDDEN_NAME,)),
        (hello(None, has_esni=True), TARGET, (Shape.HIDDEN_NAME, Shape.NO_NAME)),
        (hello(versions=OLD), TARGET, (Shape.OLD_TLS,)),
        (hello(versions=None, legacy=0x0302), TARGET, (Shape.OLD_TLS,)),
        (hello(versions=None, legacy=0x0300), TARGET, (Shape.OLD_TLS,)),
        # The list says it all: the field is old in every TLS 1.3 client, and may be older.
        (hello(legacy=0x0301), TARGET, ()),
        # Numbers that stand for nothing (RFC 8701) offer nothing.
        (hello(versions=(0xFAFA, 0x0302)), TARGET, (Shape.OLD_TLS,)),
        (hello(versions=(0xFAFA,)), TARGET, (Shape.OLD_TLS,)),
    ],
)
def test_the_shapes_of_a_hello(said: bytes, target: str, want: tuple[Shape, ...]) -> None:
    read = read_hello(said)
    assert read is not None
    assert shapes_of_hello(read, read.server_name or "", target) == want


def test_an_own_hello_is_longer_than_a_packet() -> None:
    """So that what is tried with it is what browsers do."""
    assert len(hello(is_hybrid=True)) > 1_300
    assert NEWEST[0] == 0x0A0A


def test_hellos_of_browsers_name_their_site_and_look_like_nothing_else() -> None:
    file = shared("cases/04-tls/clienthellos-curl_cffi.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) >= 15
    for line in lines:
        raw = base64.b64decode(line["raw"])
        read = read_hello(raw)
        assert read is not None, line["client"]
        assert read.server_name == line["sni"], line["client"]
        assert shapes_of_hello(read, line["sni"], line["sni"]) == (), line["client"]
        # In pieces, as TCP brings them: never another answer, and none too early.
        for at in range(0, len(raw), 97):
            assert read_hello(raw[:at]) is None, line["client"]
