"""Which file is sent and how large it is, in the ways in which browsers and programs send files."""

# ruff: noqa: E501 - a way a line

import base64
import json
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.files.uploads import MOST_FILES, is_for_storage, upload_of
from schoolgate.core.urls import parse_url

SITE = "https://drive.example/upload"


def sent(
    body: bytes = b"x" * 90,
    *,
    method: str = "POST",
    url: str = SITE,
    cuts: list[int] | None = None,
    **headers: str,
) -> list[tuple[str, int]] | None:
    names = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    upload = upload_of(method, parse_url(url), names)
    if upload is None:
        return None
    places = [0, *sorted(cuts or []), len(body)]
    for start, end in pairwise(places):
        upload.feed(body[start:end])
    return [(file.name, file.size) for file in upload.end()]


def form(files: dict[str, bytes], fields: dict[str, str] | None = None) -> tuple[bytes, str]:
    """Write a form as a browser does."""
    request = httpx.Request(
        "POST", SITE, data=fields or {}, files=[("f", (name, data)) for name, data in files.items()]
    )
    return request.read(), request.headers["content-type"]


@given(
    st.dictionaries(
        st.sampled_from(["a.txt", "é b.docx", "c"]), st.binary(max_size=900), min_size=1
    ),
    st.lists(st.integers(0, 3000), max_size=9),
)
def test_files_of_a_form(files: dict[str, bytes], cuts: list[int]) -> None:
    body, content_type = form(files, {"comment": "secret words"})
    told = sent(body, content_type=content_type, cuts=[cut % (len(body) + 1) for cut in cuts])
    assert told == [(name, len(data)) for name, data in files.items()]


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ({"content_type": "application/octet-stream", "content_disposition": 'attachment; filename="a b.txt"'}, "a b.txt"),
        ({"content_type": "application/octet-stream", "dropbox_api_arg": json.dumps({"path": "/x/a.txt"})}, "a.txt"),
        ({"content_type": "application/octet-stream", "dropbox_api_arg": json.dumps({"commit": {"path": "/b.txt"}})}, "b.txt"),
        ({"content_type": "text/plain", "x_file_name": "a%20b.txt"}, "a b.txt"),
        ({"x_goog_upload_file_name": "photo.jpg", "content_type": "image/jpeg"}, "photo.jpg"),
        ({"upload_metadata": "filename " + base64.b64encode("ü.txt".encode()).decode(), "method": "PATCH"}, "ü.txt"),
        ({"method": "PUT", "url": f"{SITE}/folder/a.txt", "content_type": "application/pdf"}, "a.txt"),
        ({"method": "PUT", "url": "https://graph.example/v1/drive/root:/x/a%20b.txt:/content", "content_type": "image/png"}, "a b.txt"),
        ({"url": f"{SITE}?uploadType=media&name=a.txt", "content_type": "image/png"}, "a.txt"),
        ({"content_type": "video/mp4"}, ""),
        ({"content_type": "image/png", "slug": "../../x\r\na.png"}, "xa.png"),
    ],
)  # fmt: skip
def test_a_body_that_is_the_file(given: dict[str, Any], want: str) -> None:
    assert sent(**given) == [(want, 90)]


@pytest.mark.parametrize(
    "given",
    [
        {"method": "GET"},
        {"content_type": "application/json; charset=utf-8"},
        {"content_type": "application/json+protobuf"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "text/plain;charset=UTF-8"},
        {},
        {"content_type": "multipart/form-data"},
    ],
)
def test_what_programs_talk_in_is_no_file(given: dict[str, Any]) -> None:
    assert sent(**given) is None


def test_an_empty_body_is_no_file() -> None:
    assert sent(b"", content_type="image/png") == []


def test_a_form_without_files_has_none() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nwords\r\n--B--\r\n'
    assert sent(body, content_type="multipart/form-data; boundary=B") == []


def test_words_about_a_file_and_the_file() -> None:
    body = (
        b'--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{"name": "plan.pdf"}\r\n'
        b"--B\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7 12345\r\n--B--\r\n"
    )
    assert sent(body, content_type="multipart/related; boundary=B") == [("plan.pdf", 14)]


def test_a_session_that_sends_the_file_later() -> None:
    told = sent(
        b'{"name": "film.mp4"}', url=f"{SITE}?uploadType=resumable", content_type="application/json",
        x_upload_content_length="123456789",
    )  # fmt: skip
    assert told == [("film.mp4", 123_456_789)]


def test_what_is_broken_ends_the_reading_and_nothing_else() -> None:
    body, content_type = form({"a.txt": b"x" * 500})
    assert sent(body[:200] + b"\r\n--nonsense" + body[300:], content_type=content_type)
    assert sent(b"no form at all" * 90, content_type="multipart/form-data; boundary=B") == []
    endless = b"--B\r\nContent-Disposition: " + b"x" * 100_000
    assert sent(endless, content_type="multipart/form-data; boundary=B") == []
    assert (
        sent(b"[" * 100_000, url=f"{SITE}?uploadType=resumable", content_type="application/json")
        == []
    )


def test_many_files_are_counted_under_the_last_name() -> None:
    body, content_type = form({f"{n}.txt": b"x" for n in range(MOST_FILES + 5)})
    told = sent(body, content_type=content_type)
    assert told is not None
    assert len(told) == MOST_FILES
    assert told[-1] == (f"{MOST_FILES - 1}.txt", 6)


def test_headers_that_only_storage_understands() -> None:
    assert is_for_storage({"x-goog-upload-command": "start"})
    assert is_for_storage({"dropbox-api-arg": "{}"})
    assert not is_for_storage({"content-type": "image/png"})
