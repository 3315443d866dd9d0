"""Audio and video by their first bytes."""

import pytest

from schoolgate.core.files.media import is_media


@pytest.mark.parametrize(
    ("head", "want"),
    [
        (b"\0\0\0\x20ftypmp42", True),
        (b"\0\0\0\x20ftypM4A ", True),
        (b"\0\0\0\x18ftypavif", False),
        (b"\x1aE\xdf\xa3", True),
        (b"OggS\0\x02", True),
        (b"fLaC\0", True),
        (b"ID3\x03", True),
        (b"\xff\xfb\x90\x64", True),
        (b"\xff\xf1\x50\x80", True),
        (b"\xff\xfe<\0h\0", False),
        (b"\xff\xd8\xff\xe0", False),
        (b"RIFF\0\0\0\0WAVE", True),
        (b"RIFF\0\0\0\0AVI ", True),
        (b"RIFF\0\0\0\0WEBP", False),
        (b"FORM\0\0\0\0AIFF", True),
        (b"FLV\x01", True),
        ((b"G" + bytes(187)) * 3, True),
        (b"G" * 20, False),
        (b"", False),
    ],
)
def test_first_bytes(head: bytes, *, want: bool) -> None:
    assert is_media(head) is want
