"""The bundled Public Suffix List tells, without the network, where a registrable domain begins."""

import re

import pytest
import tldextract

from tests.data import shared

_VECTOR = re.compile(r"checkPublicSuffix\((null|'[^']*'), (null|'[^']*')\);")

# Where the bundled list differs from the official vectors, and why.
_DIFFERENT = {
    # A leading dot is stripped, where the vectors want no answer. A host with a leading dot
    # does not resolve, and list entries are normalised before they come here.
    ".example.com": "example.com",
    # The list's implicit rule "*" is not applied: an unlisted top-level domain gives no suffix.
    # Public DNS has none that is unlisted, so only names inside a school fall under it.
    "example.example": None,
    "b.example.example": None,
    "a.b.example.example": None,
}
# Without the private section uk.com is a plain domain under com.
_DIFFERENT_WITHOUT_PRIVATE = _DIFFERENT | {
    "uk.com": "uk.com",
    "example.uk.com": "uk.com",
    "b.example.uk.com": "uk.com",
    "a.b.example.uk.com": "uk.com",
}


def _extract(*, private: bool) -> tldextract.TLDExtract:
    return tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=private
    )


def _registrable(host: str, extract: tldextract.TLDExtract) -> str | None:
    return extract(host).top_domain_under_public_suffix.lower() or None


@pytest.mark.parametrize(
    ("host", "suffix", "want"),
    [
        ("www.example.com", "com", "example.com"),
        ("www.school.sch.uk", "school.sch.uk", "www.school.sch.uk"),  # *.sch.uk
        ("www.bbc.co.uk", "co.uk", "bbc.co.uk"),
        ("www.ox.ac.uk", "ac.uk", "ox.ac.uk"),
        ("www.education.gov.uk", "gov.uk", "education.gov.uk"),
        ("www.ck", "ck", "www.ck"),  # an exception of *.ck
        ("a.b.city.kawasaki.jp", "kawasaki.jp", "city.kawasaki.jp"),
        ("pupil.github.io", "github.io", "pupil.github.io"),  # private section
        ("pupil.blogspot.com", "blogspot.com", "pupil.blogspot.com"),
        ("co.uk", "co.uk", None),
        ("localhost", "", None),
        ("10.0.0.1", "", None),
    ],
)
def test_a_registrable_domain_is_one_label_below_its_public_suffix(
    host: str, suffix: str, want: str | None
) -> None:
    extract = _extract(private=True)
    assert extract(host).suffix == suffix
    assert _registrable(host, extract) == want


@pytest.mark.parametrize(
    ("host", "want"), [("pupil.github.io", "github.io"), ("www.bbc.co.uk", "bbc.co.uk")]
)
def test_without_the_private_section_hosting_companies_are_plain_domains(
    host: str, want: str
) -> None:
    assert _registrable(host, _extract(private=False)) == want


@pytest.mark.parametrize(
    ("private", "different"), [(True, _DIFFERENT), (False, _DIFFERENT_WITHOUT_PRIVATE)]
)
def test_the_official_vectors_agree_except_those_named_above(
    private: bool, different: dict[str, str | None]
) -> None:
    text = shared("cases/01-psl/publicsuffix-list/tests/test_psl.txt").read_text(encoding="utf-8")
    extract = _extract(private=private)
    vectors = [
        (host.strip("'"), None if want == "null" else want.strip("'"))
        for host, want in _VECTOR.findall(re.sub(r"(?m)^//.*$", "", text))
    ]
    assert len(vectors) == len(re.findall(r"(?m)^checkPublicSuffix", text)) == 78
    assert vectors[0] == ("null", None)  # the null input, which a typed interface cannot be given
    got = {host: _registrable(host, extract) for host, _ in vectors[1:]}
    assert len(got) == 77
    assert {host: got[host] for host, want in vectors[1:] if got[host] != want} == different
