"""What somebody sends to a site: how large a file is and what it is called, never what is in it."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from schoolgate.core.files.recogniser import LONGEST_NAME, file_name
from schoolgate.core.urls import Url

# More files in one request are counted under the last name.
MOST_FILES = 100
_METHODS = frozenset({"POST", "PUT", "PATCH"})
_MOST_METADATA = 16 * 1024
# What forms and programs talk in, rather than files.
_TALK = re.compile(
    r"application/(?:.*json|x-www-form-urlencoded|.*xml|x-protobuf|grpc.*|graphql.*|javascript)\b"
    r"|text/(?:plain|xml|html|ping)\b|multipart/"
)
# Headers that hold a name as it stands.
_NAME_HEADERS = ("x-goog-upload-file-name", "x-file-name", "x-filename", "slug", "file-name")
_NAME_PARAMETERS = frozenset({"filename", "file_name", "name"})
# Beginnings of headers that only who stores files understands.
_STORAGE_HEADERS = (
    "x-goog-upload-",
    "x-upload-content-",
    "dropbox-api-arg",
    "upload-metadata",
    "tus-resumable",
)


@dataclass(slots=True)
class SentFile:
    """A file that was sent.

    Attributes:
        name: as it is called; empty where nothing says so.
        size: bytes that went by, or that are announced where they go by later.
    """

    name: str
    size: int = 0


class _Body(Protocol):
    """Reads a body as it comes."""

    files: list[SentFile]

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def end(self) -> None:
        """Note that there are no more."""


class Upload:
    """One request on its way up.

    Args:
        body: reads its body.
    """

    def __init__(self, body: _Body) -> None:
        self._body = body

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body as it is sent."""
        self._body.feed(chunk)

    def end(self) -> list[SentFile]:
        """Give the files that were sent."""
        self._body.end()
        return self._body.files


def upload_of(method: str, url: Url, headers: Mapping[str, str]) -> Upload | None:
    """Begin to read a request that may send a file.

    Args:
        method: of the request, upper case.
        url: of the request.
        headers: of the request, by names in lower case.

    Returns:
        What reads it, or None where it sends none.
    """
    if method not in _METHODS:
        return None
    content_type = headers.get("content-type", "")
    if content_type.lower().startswith("multipart/"):
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        return (
            Upload(_Parts(boundary, is_form=kind == b"multipart/form-data")) if boundary else None
        )
    if _begins_session(url, headers, content_type):
        return Upload(_Session(headers))
    name = _name_in(headers) or _name_at(method, url)
    is_file = bool(_name_in(headers)) or not _TALK.match(content_type.lower() or "text/plain")
    return Upload(_Whole(name)) if is_file else None


def is_for_storage(headers: Mapping[str, str]) -> bool:
    """Ask whether a request speaks as only those that store files do, whatever the site is called."""
    return any(name.startswith(_STORAGE_HEADERS) for name in headers)


class _Whole:
    """A body that is the file."""

    def __init__(self, name: str) -> None:
        self.files = [SentFile(name)]

    def feed(self, chunk: bytes) -> None:
        self.files[0].size += len(chunk)

    def end(self) -> None:
        if not self.files[0].size:
            self.files.clear()


class _Session:
    """A few words that say which file is sent with the next requests (Google's resumable uploads)."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        length = headers.get("x-upload-content-length") or headers.get(
            "x-goog-upload-header-content-length", ""
        )
        self._size = (
            int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
        )
        self._kept = bytearray()
        self._name = _name_in(headers)
        self.files: list[SentFile] = []

    def feed(self, chunk: bytes) -> None:
        self._kept += chunk[: _MOST_METADATA - len(self._kept)]

    def end(self) -> None:
        name = self._name or _name_of_json(bytes(self._kept))
        if name or self._size:
            self.files = [SentFile(name, self._size)]


class _Parts:
    """A form, or words about a file and the file (RFC 7578, RFC 2387)."""

    def __init__(self, boundary: bytes, *, is_form: bool) -> None:
        self.files: list[SentFile] = []
        self._is_form = is_form
        self._field = self._value = b""
        self._headers: dict[str, str] = {}
        self._current: SentFile | None = None
        self._metadata: bytearray | None = None
        self._name = ""
        self._is_broken = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._in_field,
                "on_header_value": self._in_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        if self._is_broken:
            return
        try:
            self._parser.write(chunk)
        except FormParserError:
            # Whoever gets it has to make sense of it; its size is in the journal anyway.
            self._is_broken = True

    def end(self) -> None:
        """Nothing is left to do: each part told its end."""

    def _begin(self) -> None:
        self._headers, self._current, self._metadata = {}, None, None
        self._field = self._value = b""

    def _in_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _in_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode(
            "utf-8", "replace"
        )
        self._field = self._value = b""

    def _headers_end(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        content_type = self._headers.get("content-type", "").lower()
        name = file_name(disposition)
        if not self._is_form and content_type.startswith("application/json"):
            self._metadata = bytearray()
        elif name or (not self._is_form and not _TALK.match(content_type or "text/plain")):
            self._add(name or self._name)

    def _add(self, name: str) -> None:
        if len(self.files) < MOST_FILES:
            self.files.append(SentFile(name))
        self._current = self.files[-1]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._current is not None:
            self._current.size += end - start
        elif self._metadata is not None:
            self._metadata += data[start:end][: _MOST_METADATA - len(self._metadata)]

    def _end(self) -> None:
        if self._metadata is not None:
            self._name = _name_of_json(bytes(self._metadata))
        self._current = self._metadata = None


def _begins_session(url: Url, headers: Mapping[str, str], content_type: str) -> bool:
    is_start = "uploadtype=resumable" in url.query.lower() or "start" in headers.get(
        "x-goog-upload-command", ""
    )
    return is_start and (not content_type or "json" in content_type.lower())


def _name_in(headers: Mapping[str, str]) -> str:
    """Give the name that the headers of a request tell."""
    given = file_name(headers.get("content-disposition", ""))
    given = given or _name_of_json(headers.get("dropbox-api-arg", "").encode())
    given = given or _name_of_metadata(headers.get("upload-metadata", ""))
    for header in _NAME_HEADERS:
        given = given or unquote(headers.get(header, ""))
    return _short(given)


def _name_at(method: str, url: Url) -> str:
    """Give the name that an address tells: a parameter, or where a file is put (WebDAV, OneDrive, S3)."""
    for key, value in parse_qsl(url.query, errors="replace"):
        if key.lower() in _NAME_PARAMETERS and value:
            return _short(value)
    if method != "PUT":
        return ""
    # OneDrive: /drive/root:/folder/file.txt:/content
    path = re.sub(r":/(?:content|createUploadSession)$", "", unquote(url.path))
    return _short(path)


def _name_of_json(data: bytes) -> str:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    if isinstance(told, dict):
        commit = told.get("commit")
        for where in (told, commit if isinstance(commit, dict) else {}):
            for key in ("name", "title", "path", "fileName", "filename"):
                if isinstance(where.get(key), str):
                    return _short(where[key])
    return ""


def _name_of_metadata(text: str) -> str:
    """Read ``Upload-Metadata`` of tus 1.0: words, each with a value in base64."""
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        if key in ("filename", "name"):
            try:
                return base64.b64decode(value, validate=True).decode("utf-8", "replace")
            except binascii.Error:
                return ""
    return ""


def _short(name: str) -> str:
    """Give a name without folders and without what would break a line."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[:LONGEST_NAME]
