"""A host belongs to the site that somebody registered."""

import pytest
import tldextract
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.gate import Suffixes
from schoolgate.core.registrable import sites_by
from schoolgate.lists.public_suffixes import suffix_rules

SUFFIXES = Suffixes({b"com", b"uk", b"co.uk", b"github.io"}, {b"ck"}, {b"www.ck"})
site_of = sites_by(SUFFIXES)


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("shop.example.co.uk", "example.co.uk"),
        ("somebody.github.io", "somebody.github.io"),
        ("www.somebody.github.io", "somebody.github.io"),
        ("a.b.shop.ck", "b.shop.ck"),
        ("a.www.ck", "www.ck"),
        ("deep.example.test", "example.test"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_a_host_is_of_the_registered_name_above_it(host: str, site: str) -> None:
    assert site_of(host) == site


LABELS = st.lists(
    st.sampled_from(["a", "b", "www", "co", "uk", "com", "ck", "github", "io"]),
    min_size=1,
    max_size=5,
)


@given(LABELS)
def test_the_site_of_a_site_is_itself_and_ends_every_host_of_it(labels: list[str]) -> None:
    host = ".".join(labels)
    site = site_of(host)
    assert f".{host}".endswith(f".{site}")
    assert site_of(site) == site


REAL = sites_by(Suffixes(*suffix_rules()))
TWIN = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
ENDS = [
    "com", "co.uk", "school.sch.uk", "ac.uk", "ck", "www.ck", "kawasaki.jp", "city.kawasaki.jp", "github.io",
    "blogspot.com", "s3.amazonaws.com",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(["a", "www", "cdn"]), min_size=1, max_size=3), st.sampled_from(ENDS)
)
def test_the_real_list_is_read_as_others_read_it(labels: list[str], end: str) -> None:
    host = ".".join([*labels, end])
    assert REAL(host) == (TWIN(host).top_domain_under_public_suffix or host)
