"""What players get is a list that ended, or a plain refusal; both name the clause."""

import m3u8
import pytest

from schoolgate.core.media import Format, ManifestReader
from schoolgate.core.policy import Decision, Reason, Verdict
from schoolgate.proxy.media_answers import answer_for_player

DECISION = Decision(
    Verdict.BLOCK, Reason.CONTENT, "C-1", "live", "streaming", note="It has no end."
)


@pytest.mark.parametrize("found", [Format.HLS, Format.DASH])
def test_a_list_has_ended_and_plays_nothing(found: Format) -> None:
    answer = answer_for_player(DECISION, found, "GET")
    reader = ManifestReader(found)
    reader.feed(answer.content or b"")
    assert answer.status_code == 200
    assert reader.finish().length.seconds == 0
    assert reader.finish().length.course != "live"
    assert answer.headers["x-schoolgate-clause"] == "C-1"


def test_another_parser_reads_the_list() -> None:
    read = m3u8.loads(answer_for_player(DECISION, Format.HLS, "GET").text or "")
    assert (read.is_endlist, read.segments) == (True, [])


@pytest.mark.parametrize("found", [Format.MP4, Format.SMOOTH, None])
def test_all_else_is_refused_in_a_sentence(found: Format | None) -> None:
    answer = answer_for_player(DECISION, found, "GET")
    assert (answer.status_code, answer.text) == (403, "It has no end.")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-schoolgate-category"] == "streaming"


def test_a_head_has_no_body() -> None:
    assert answer_for_player(DECISION, None, "HEAD").content == b""
