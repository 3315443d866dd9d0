"""What is guarded comes from our own categories and the texts beside them."""

from pathlib import Path

from schoolgate.lists.guarding import gather_guards
from tests.school import category_text

_OWN = Path(__file__).parents[2] / "categories"


def test_categories_and_texts_guard(tmp_path: Path) -> None:
    for name, host, keys in (
        ("education", "uni.example", {"protected": True}),
        ("free-hosting", "hosting.example", {}),
        ("gambling", "bets.example", {}),
    ):
        (tmp_path / f"{name}.yaml").write_text(category_text(name, name, [host], **keys))
    (tmp_path / "never-block.txt").write_text("# said\nlogin.example  # said\n")
    (tmp_path / "popular-hosts.txt").write_text("popular.example\n")
    (tmp_path / "shared-hosts.txt").write_text("cdn.example\n")
    guards = gather_guards([tmp_path], ["own.example"], [b"far.example"], [b"ranked.example"])
    assert {host: why for host, why in guards.never.items() if host.endswith(b".example")} == {
        b"uni.example": "education",
        b"far.example": "education",
        b"login.example": "sign-in",
        b"own.example": "the school's own",
    }
    assert guards.platforms == {
        b"hosting.example": "free-hosting to us",
        b"cdn.example": "see shared-hosts.txt",
    }
    assert set(guards.popular) == {b"popular.example", b"ranked.example"}
    assert guards.is_below_never("www.uni.example")
    assert (guards.never[b"edu.au"], guards.never[b"gov.ie"]) == ("education", "government")
    assert not guards.is_below_never("bets.example")
    assert guards.curated("bets.example", "gambling")
    assert not guards.curated("bets.example", "games")


def test_what_schoolgate_ships_guards_what_schools_need() -> None:
    guards = gather_guards([_OWN], [])
    for host in ("www.ox.ac.uk", "town.sch.uk", "www.nhs.uk", "accounts.google.com", "www.gov.uk"):
        assert guards.is_below_never(host), host
    assert {b"google.com", b"youtube.com", b"bbc.co.uk"} <= set(guards.popular)
    assert b"co.uk" in guards.suffixes.exact
