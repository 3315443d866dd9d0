"""A school's rules at the centre are those in force in the school, or there are none."""

from pathlib import Path

import pytest

from schoolgate.bootstrap.rules import load_engine
from schoolgate.bootstrap.trust_portal import SchoolRules, passwords_file, trust_of
from schoolgate.core.errors import ConfigurationError, RefusedError
from schoolgate.core.policy import PolicyEngine
from schoolgate.settings import Settings, load_settings
from schoolgate.settings.trust import TrustSettings
from schoolgate.storage import open_database
from tests.school import School, write_school


@pytest.fixture
def centre(tmp_path: Path) -> Settings:
    settings = load_settings(write_school(tmp_path / "centre").config, {})
    return settings.model_copy(update={"trust": TrustSettings(portal=True)})


@pytest.fixture
def engine(centre: Settings) -> PolicyEngine:
    return load_engine(centre)


@pytest.fixture
def elm(centre: Settings) -> School:
    return write_school(centre.file.parent / "schools" / "elm")


def label(engine: PolicyEngine) -> str:
    """Give what a gateway notes that has the policy of the small school in force."""
    return f"{engine.policy.version}+v1"


def test_they_are_those_of_the_copy_over_the_lists_of_the_centre(
    centre: Settings, engine: PolicyEngine, elm: School
) -> None:
    (elm.root / "local" / "people.yaml").write_text("people: {ann: {group: staff}}\n")
    rules = SchoolRules(centre, lambda: engine).of("elm", label(engine))
    assert rules.engine.policy == engine.policy
    assert rules.engine.catalogue is engine.catalogue
    assert rules.people.people["ann"].group == "staff"


def test_they_are_read_once_until_a_file_changes(
    centre: Settings, engine: PolicyEngine, elm: School
) -> None:
    known = SchoolRules(centre, lambda: engine)
    first = known.of("elm", label(engine))
    assert known.of("elm", label(engine)) is first
    (elm.root / "local" / "people.yaml").write_text("people: {ann: {group: staff}}\n")
    assert known.of("elm", label(engine)) is not first


@pytest.mark.parametrize(
    ("noted", "why"),
    [
        ("", "no gateway has run there yet"),
        ("another+v1", "another policy is in force there"),
    ],
)
def test_another_policy_than_the_copy_is_not_decided_by(
    centre: Settings, engine: PolicyEngine, elm: School, noted: str, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        SchoolRules(centre, lambda: engine).of("elm", noted)


def test_without_a_copy_there_are_none(centre: Settings, engine: PolicyEngine) -> None:
    with pytest.raises(RefusedError, match=r"copy its settings to .*schools/elm"):
        SchoolRules(centre, lambda: engine).of("elm", label(engine))


def test_a_copy_with_faults_names_them(centre: Settings, engine: PolicyEngine, elm: School) -> None:
    elm.policy.write_text("id: [\n")
    with pytest.raises(ConfigurationError, match=r"hill\.yaml"):
        SchoolRules(centre, lambda: engine).of("elm", label(engine))


def test_a_centre_needs_the_trust_s_database(centre: Settings, engine: PolicyEngine) -> None:
    database = open_database(centre.database_url)
    with pytest.raises(ConfigurationError, match="needs the trust's database"):
        trust_of(centre, database, lambda: engine)
    off = centre.model_copy(update={"trust": TrustSettings()})
    assert trust_of(off, database, lambda: engine) is None
    database.dispose()


def test_the_passwords_lie_in_the_state_directory(centre: Settings) -> None:
    assert passwords_file(centre) == centre.state_dir / "trust" / "schools.pgpass"
