"""A bundle holds what a gateway needs of policies and lists, and one that does not is refused."""

import shutil
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.bootstrap.bundles import check_bundle, files_of_lists, files_of_policy
from schoolgate.bundles.manifest import sha256_of
from schoolgate.core.errors import ConfigurationError, RefusedError
from schoolgate.lists import load_catalogue
from schoolgate.lists.generations import GENERATIONS, make_live
from schoolgate.services.feed_updates import update
from schoolgate.settings import Settings, load_settings
from tests.publisher import listed, publishing, register
from tests.school import POLICY, School, write_school


@pytest.fixture
def centre(tmp_path: Path) -> Settings:
    """A centre whose policy is "vale", with one fetched list."""
    school = write_school(tmp_path / "centre")
    (school.policy.parent / "vale.yaml").write_text(POLICY.replace("id: hill", "id: vale", 1))
    settings = load_settings(school.config, {})
    with publishing() as publisher:
        feeds = register(publisher.base, one={"lists": {"bets": listed("bets.txt")}})
        (school.categories / "feeds.yaml").write_text(feeds)
        publisher.lists["bets.txt"] = b"one.example\ntwo.example\n"
        update(bootstrap.surroundings_of(settings))
    return settings


@pytest.fixture
def gateway(tmp_path: Path) -> tuple[School, Settings]:
    """A gateway whose school's policy rests on "vale"."""
    school = write_school(tmp_path / "gateway")
    school.policy.write_text(
        "id: hill\nschool: Hill\ndocument: Ours\ncontact: us\nextends: vale\n"
        "clauses: {H-1: {title: Ours, by: us}}\n"
    )
    school.write_config(bundles={"url": "https://centre.example", "base": "vale"})
    return school, load_settings(school.config, {})


def _laid_out(settings: Settings, files: dict[str, Path]) -> Path:
    directory = settings.bundles_dir / GENERATIONS / "1"
    for path, file in files.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    return directory


def test_the_index_of_the_centre_is_used_as_it_came(
    centre: Settings, gateway: tuple[School, Settings]
) -> None:
    _, settings = gateway
    files = files_of_policy(centre, "vale") | files_of_lists(centre)
    assert set(files) == {
        "policies/vale.yaml", "lists/generation.json", "lists/one.bets.txt", "lists/sites.index",
    }  # fmt: skip
    directory = _laid_out(settings, files)
    check_bundle(settings, directory)
    make_live(settings.bundles_dir, 1)
    places = bootstrap.list_places(settings)
    assert places.index == directory / "lists/sites.index"
    before = sha256_of(places.index)
    catalogue = load_catalogue(places, bootstrap.now(), keep=True)
    assert sha256_of(places.index) == before
    assert (
        catalogue.version
        == load_catalogue(bootstrap.list_places(centre), bootstrap.now(), keep=False).version
    )
    engine = bootstrap.load_engine(settings)
    assert engine.policy.extends == ("vale",)


def test_a_gateway_with_other_categories_builds_its_own_of_the_lists_that_came(
    centre: Settings, gateway: tuple[School, Settings]
) -> None:
    school, settings = gateway
    directory = _laid_out(settings, files_of_policy(centre, "vale") | files_of_lists(centre))
    make_live(settings.bundles_dir, 1)
    before = sha256_of(directory / "lists/sites.index")
    games = school.categories / "games.yaml"
    games.write_text(games.read_text() + "  # another\n")
    load_catalogue(bootstrap.list_places(settings), bootstrap.now(), keep=True)
    assert sha256_of(directory / "lists/sites.index") != before


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("lists/one.bets.txt", None), ("lists/generation.json", None),
        ("lists/generation.json", b"{"), ("lists/sites.index", b"no index"),
        ("policies/vale.yaml", None), ("policies/vale.yaml", b"id: vale\n"),
    ],
)  # fmt: skip
def test_a_bundle_with_which_nothing_could_be_filtered_is_refused(
    centre: Settings, gateway: tuple[School, Settings], path: str, content: bytes | None
) -> None:
    _, settings = gateway
    directory = _laid_out(settings, files_of_policy(centre, "vale") | files_of_lists(centre))
    check_bundle(settings, directory)
    (directory / path).unlink()
    if content is not None:
        (directory / path).write_bytes(content)
    with pytest.raises(ConfigurationError):
        check_bundle(settings, directory)


def test_what_the_policy_names_goes_with_it_and_nothing_else(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    settings = load_settings(root / "config/schoolgate.yaml", {}, tmp_path)
    assert set(files_of_policy(settings, "vanguard")) == {
        "policies/vanguard.yaml", "policies/uk-baseline.yaml", "ages.yaml", "services.yaml",
        "unfolding.yaml",
    }  # fmt: skip


def test_without_fetched_lists_there_are_none_to_bundle(gateway: tuple[School, Settings]) -> None:
    with pytest.raises(RefusedError, match="no fetched lists"):
        files_of_lists(gateway[1])
