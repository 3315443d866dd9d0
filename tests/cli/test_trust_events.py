"""`--metrics` of the centre's programs: an address that Prometheus asks, or a file for its node exporter."""

import pytest

from schoolgate.cli.trust_events import is_address
from tests.gateway import schoolgate


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("127.0.0.1:9181", True),
        ("localhost:9181", True),
        ("[::1]:9181", True),
        ("", False),
        ("figures.prom", False),
        ("/var/lib/schoolgate.prom", False),
        ("here/x:9181", False),
        ("127.0.0.1", False),
    ],
)
def test_what_is_an_address(text: str, want: bool) -> None:
    assert is_address(text) is want


def test_a_centre_shows_its_figures_at_an_address_alone() -> None:
    done = schoolgate("trust", "serve", "--name", "c.example", "--metrics", "figures.prom")
    assert done.returncode == 2
    assert "is no HOST:PORT" in done.stderr
