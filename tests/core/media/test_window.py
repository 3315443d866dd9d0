from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media.window import Window


def test_what_is_skipped_is_not_kept() -> None:
    window = Window(100)
    window.offer(b"abcdef", 0)
    window.skip(10)
    assert (window.at, bytes(window.data)) == (10, b"")
    assert not window.offer(b"ghi", 6)
    assert window.offer(b"jklm", 9)
    assert bytes(window.data) == b"klm"


def test_what_comes_after_a_gap_is_left_out() -> None:
    window = Window(100)
    window.offer(b"abc", 0)
    assert not window.offer(b"xyz", 5)
    assert bytes(window.data) == b"abc"


def test_no_more_is_kept_than_the_bound() -> None:
    window = Window(4)
    window.offer(b"abcdef", 0)
    assert bytes(window.data) == b"abcd"
    assert not window.offer(b"ef", 4)
    assert window.is_full


@given(st.binary(max_size=200), st.lists(st.integers(1, 40)), st.integers(0, 250))
def test_chunks_however_cut_give_the_file_from_the_place_on(
    file: bytes, cuts: list[int], skipped: int
) -> None:
    window = Window(1000)
    window.skip(skipped)
    at = 0
    for cut in [*cuts, len(file)]:
        window.offer(file[at : at + cut], at)
        at += cut
    assert bytes(window.data) == file[skipped:at]
