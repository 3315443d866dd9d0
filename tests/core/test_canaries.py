"""Test sites of the gateway's own."""

import pytest

from schoolgate.core import canaries
from schoolgate.core.hosts import normalise_host


@pytest.mark.parametrize("category", ["gambling", "video-sharing"])
def test_each_category_has_a_host_that_can_be_asked_for(category: str) -> None:
    host = canaries.host_of(category)
    assert normalise_host(host) == host
    assert canaries.is_canary(host)


@pytest.mark.parametrize(
    "host",
    [
        "schoolgate.internal",
        canaries.ZONE,
        f"x{canaries.ZONE}",
        f"gambling.{canaries.ZONE}.example",
    ],
)
def test_no_other_host_is_one(host: str) -> None:
    assert not canaries.is_canary(host)
