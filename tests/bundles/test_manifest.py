"""A manifest names files within its bundle, each once, and is for one ring and for a time."""

from datetime import timedelta

import pytest

from schoolgate.bundles.manifest import BundleFile, Manifest, judge, read_manifest
from schoolgate.core.errors import RefusedError
from tests.bundles.centres import NOW

FILE = {"path": "policies/trust.yaml", "length": 3, "sha256": "0" * 64}
GOOD = Manifest(
    version=2, bundle=1, ring="all", made=NOW, expires=NOW + timedelta(days=1),
    files=(BundleFile.model_validate(FILE),),
)  # fmt: skip


def test_it_is_read_as_it_was_written() -> None:
    assert read_manifest(GOOD.as_bytes()) == GOOD


@pytest.mark.parametrize(
    "path",
    [
        "../etc/passwd", "/etc/passwd", "policies/../../x", "policies/.hidden", "..", ".", "",
        "policies\\..\\x", "lists/a/b", "other/x.yaml", "policies/x\n.yaml", "bundle.json",
        "policies/", "C:x", "x" * 200, "policies/%2e%2e",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        BundleFile.model_validate(FILE | {"path": path})


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        (b'"version": 2', b'"version": 0', "version"),
        (b'"version": 2', b'"version": 1e400', "version|manifest"),
        (b'"ring": "all"', b'"ring": "../x"', "ring"),
        (b'"length": 3', b'"length": -3', "length"),
        (b"0" * 64, b"0" * 63, "sha256"),
        (b'"files"', b'"also": 1, "files"', "also"),
        (b"}", b"", "manifest"),
    ],
)
def test_what_is_no_manifest_is_refused(old: bytes, new: bytes, want: str) -> None:
    content = GOOD.as_bytes()
    assert old in content
    with pytest.raises(RefusedError, match=want):
        read_manifest(content.replace(old, new))


def test_two_files_of_one_name_are_refused_in_any_letters() -> None:
    other = BundleFile.model_validate(FILE | {"path": "policies/Trust.yaml"})
    with pytest.raises(ValueError, match="same path"):
        Manifest.model_validate(GOOD.model_dump() | {"files": (*GOOD.files, other)})


@pytest.mark.parametrize(
    ("ring", "days", "most_bytes", "want"),
    [("canary", 0, 10, "for the ring all"), ("all", 1, 10, "expired"), ("all", 0, 2, "most_mb")],
)
def test_what_is_not_for_this_gateway_now_is_refused(
    ring: str, days: int, most_bytes: int, want: str
) -> None:
    judge(GOOD, "all", NOW, 3)
    with pytest.raises(RefusedError, match=want):
        judge(GOOD, ring, NOW + timedelta(days=days), most_bytes)
