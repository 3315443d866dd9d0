"""An answer is looked at as far as something about it may still matter."""

import pytest

from schoolgate.core.media import Format, Head
from schoolgate.core.policy import Content, ContentRule, ContentRules
from schoolgate.core.policy.inspection import Need
from schoolgate.core.urls import parse_url
from schoolgate.proxy.decoding import decoder_for
from schoolgate.proxy.watching import Watch
from tests.core.media.made import FTYP, box, mvhd

RULES = ContentRules(
    (
        ContentRule(Need("live", "C-1"), frozenset({Content.LIVE})),
        ContentRule(Need("clips", "C-2"), longer_than=600),
    )
)
LIVE = b"#EXTM3U\n#EXTINF:4,\na.ts\n"
FILM = FTYP + box("moov", mvhd(1_800_000)) + box("mdat", bytes(9000))


def watch() -> Watch:
    decoder = decoder_for("")
    assert decoder is not None
    return Watch(RULES, Head(parse_url("https://a.example/x")), 0, None, decoder)


def test_a_list_is_held_to_its_end_and_then_decided() -> None:
    made = watch()
    assert made.look(LIVE) is None
    assert (made.holds, made.holds_whole) == (True, True)
    decision = made.end()
    assert decision is not None
    assert (decision.clause, made.found, made.is_done) == ("C-1", Format.HLS, True)


@pytest.mark.parametrize("size", [100, 5000, 20_000])
def test_a_film_is_decided_as_soon_as_it_says_how_long_it_is(size: int) -> None:
    made = watch()
    chunks = (FILM[at : at + size] for at in range(0, len(FILM), size))
    found = [decision for chunk in chunks if (decision := made.look(chunk)) is not None]
    assert [decision.clause for decision in found] == ["C-2"]


def test_a_page_is_let_go_at_its_first_bytes() -> None:
    made = watch()
    assert made.look(b"<!doctype html>") is None
    assert (made.is_done, made.holds) == (True, False)
