"""A school of a trust rests on the policy that the trust has signed, and can make it stricter only."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.policy import Policy
from schoolgate.settings import Base, load_policy
from tests.school import CATEGORIES
from tests.settings.test_policy_extends import SCHOOL, TRUST

LOOSE = TRUST.replace(", lock: school", "").replace(", lock: rules", "")


def _load(
    directory: Path,
    school: str = SCHOOL,
    *,
    signed: str | None = TRUST,
    beside: str | None = None,
    required: str = "trust",
    told: list[Fault] | None = None,
) -> Policy:
    bundle, own = directory / "bundle", directory / "policies"
    for place, text in ((bundle, signed), (own, beside)):
        place.mkdir(exist_ok=True)
        if text is not None:
            (place / "trust.yaml").write_text(text)
    (own / "hill.yaml").write_text(school)
    base = Base(required, bundle if signed is not None else None)
    note = None if told is None else told.append
    return load_policy(own / "hill.yaml", CATEGORIES, None, own, note, base)


def test_the_signed_policy_comes_before_one_of_the_same_name_beside_the_schools(
    tmp_path: Path,
) -> None:
    policy = _load(tmp_path, beside=LOOSE)
    assert [rule.id for rule in policy.rules if rule.lock != "none"] == ["closed", "gambling"]


def test_a_school_without_a_policy_of_its_own_has_the_trusts(tmp_path: Path) -> None:
    _load(tmp_path)
    (tmp_path / "policies/trust.yaml").write_text(LOOSE)
    file = tmp_path / "policies/trust.yaml"
    policy = load_policy(file, CATEGORIES, base=Base("trust", tmp_path / "bundle"))
    assert [rule.id for rule in policy.rules if rule.lock != "none"] == ["closed", "gambling"]


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (("extends: trust", "extends: mine"), "the policy does not extend 'trust'"),
        (("id: year-4-games", "id: gambling"), "has a rule 'gambling' already"),
        (("groups:\n", "groups:\n  pupils: {title: P, within: staff}\n"), "'pupils' comes from"),
        (("clauses:", "category_groups: {play: [advice]}\nclauses:"), "'play' comes from"),
        (("H-1: {title: Games at noon}", "T-1: {title: Games}\n  H-1: {title: G}"), "'T-1' comes"),
        (("within: pupils", "within: ''"), "lies within none of the policy 'trust'"),
        (("extends: trust", "extends: trust\ndefault_group: staff"), "strangers are 'pupils'"),
    ],
)  # fmt: skip
def test_what_would_loosen_the_trusts_policy_is_a_fault(
    tmp_path: Path, change: tuple[str, str], want: str
) -> None:
    own = tmp_path / "policies"
    own.mkdir()
    (own / "mine.yaml").write_text(LOOSE.replace("id: trust", "id: mine", 1))
    with pytest.raises(ConfigurationError, match=want):
        _load(tmp_path, SCHOOL.replace(*change))


def test_a_rule_that_a_lock_has_overtaken_is_a_fault_that_says_which_and_whom_to_ask(
    tmp_path: Path,
) -> None:
    """Where a bundle laid the lock it is in force all the same, and the fault is told."""
    school = SCHOOL + "  - {id: bets, clause: H-1, when: {categories: [gambling]}, then: allow}\n"
    want = (
        "the rule 'bets' can never decide anything: 'gambling' always decides before it "
        "(locked by the policy 'trust': take the rule out, or ask trust@vale.example)"
    )
    with pytest.raises(ConfigurationError) as raised:
        _load(tmp_path, school, signed=None, beside=TRUST)
    assert want in str(raised.value)
    told: list[Fault] = []
    policy = _load(tmp_path, school, told=told)
    assert [str(fault).partition(": ")[2] for fault in told] == [want]
    order = [rule.id for rule in policy.rules]
    assert order.index("gambling") < order.index("bets")


def test_without_a_bundle_the_base_may_stand_beside_it(tmp_path: Path) -> None:
    assert _load(tmp_path, signed=None, beside=TRUST).extends == ("trust",)
    with pytest.raises(ConfigurationError, match="there is no policy 'trust'"):
        (tmp_path / "policies/trust.yaml").unlink()
        _load(tmp_path, signed=None)


def test_a_school_may_add_what_is_stricter_and_its_own_groups(tmp_path: Path) -> None:
    policy = _load(tmp_path)
    assert [rule.id for rule in policy.rules if rule.level == 0] == ["year-4-games"]
    assert "year-4" in policy.groups
