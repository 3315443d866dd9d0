"""A clause asks for something before some requests may be approved, and not before others."""

import pytest

from schoolgate.core.approvals import Precaution, PrecautionKind

WIFI = Precaution(
    "T-5-wifi",
    PrecautionKind.CONTROLS,
    frozenset({"social-networks", "messaging"}),
    frozenset({"staff"}),
    frozenset({"wifi"}),
)


@pytest.mark.parametrize(
    ("categories", "groups", "networks", "want"),
    [
        ({"messaging"}, {"staff"}, {"wifi"}, True),
        ({"messaging", "news"}, {"staff", "pupils"}, {"wifi", "wired"}, True),
        ({"messaging"}, {"staff"}, set(), True),  # from anywhere, so from there too
        ({"messaging"}, {"staff"}, {"wired"}, False),
        ({"news"}, {"staff"}, {"wifi"}, False),
        (set(), {"staff"}, {"wifi"}, False),
        ({"messaging"}, {"pupils"}, {"wifi"}, False),
    ],
)
def test_a_precaution_is_about_some_requests(
    categories: set[str], groups: set[str], networks: set[str], want: bool
) -> None:
    asked = frozenset(categories), frozenset(groups), frozenset(networks)
    assert WIFI.concerns(*asked) is want
    assert Precaution("X", PrecautionKind.AGE).concerns(*asked)
