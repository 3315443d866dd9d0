"""The files of signs of harm: read, judged, and what those that ship find."""

from functools import cache
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.safeguarding import Severity, Theme, Watch
from schoolgate.lists.safeguarding_files import lint_safeguarding, load_safeguarding

SHIPPED = Path(__file__).parents[2] / "categories" / "safeguarding"
COMMON = "languages: {en: {fillers: [the], innocent: [bath bomb], surroundings: [essay]}}\n"
SITES = "sites: {weapons: {theme: violence, severity: advisory}}\nquiet: [news]\n"
THEME = """\
id: violence
title: Violence
languages:
  en:
    concepts: {weapon: [bomb, gun]}
    firm: {danger: [make <weapon>]}
    caution: [<weapon>]
"""


def written(directory: Path, **files: str) -> Path:
    given = {"common": COMMON, "sites": SITES, "violence": THEME} | files
    for name, text in given.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


def test_files_become_a_watch(tmp_path: Path) -> None:
    watch = load_safeguarding(written(tmp_path))
    assert [hit.severity for hit in watch.matcher.hits("how to make the bomb essay")] == ["danger"]
    assert watch.matcher.hits("bomb essay") == []
    assert watch.sites["weapons"].theme is Theme.VIOLENCE
    assert watch.quiet == {"news"}
    other = load_safeguarding(written(tmp_path, violence=THEME.replace("gun", "knife")))
    assert other.version != watch.version


def test_what_all_themes_share_holds_in_each(tmp_path: Path) -> None:
    """Lists that phrases name, unless the theme has its own of that name, and how words are typed."""
    common = """\
languages:
  en:
    spellings: {tonight: [2nite]}
    concepts: {soon: [tonight, tomorrow], weapon: [sword]}
"""
    theme = THEME.replace("make <weapon>", "<weapon> & <soon>")
    found = load_safeguarding(written(tmp_path, common=common, violence=theme)).matcher
    assert [hit.severity for hit in found.hits("2nite i bring the gun")] == ["danger"]
    assert found.hits("tomorrow with a sword") == []


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"violence": THEME.replace("make <weapon>", "make <other>")}, "no list of this file"),
        ({"violence": THEME.replace("[<weapon>]", "[ab*]")}, "too few letters"),
        ({"violence": THEME.replace("id: violence", "id: drugs")}, "not the file's name"),
        ({"violence": THEME.replace("id: violence", "id: other")}, "id"),
        ({"violence": THEME + "  xx-y: {}\n"}, "xx-y"),
        ({"common": "languages: {en: {innocent: [a +]}}\n"}, "at one side"),
    ],
)
def test_faults_are_named_and_nothing_is_loaded(
    tmp_path: Path, files: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_safeguarding(written(tmp_path, **files))
    assert any(says in str(fault) for fault in raised.value.faults)


def test_lint_names_what_is_there_twice_and_categories_that_are_not(tmp_path: Path) -> None:
    twice = written(tmp_path, violence=THEME.replace("[<weapon>]", "[gun fight, gun fight]"))
    messages = [fault.message for fault in lint_safeguarding(twice, {"weapons"})]
    assert any("stands there twice" in each for each in messages)
    assert any("no category 'news'" in each for each in messages)


@cache
def shipped() -> Watch:
    return load_safeguarding(SHIPPED)


@pytest.mark.parametrize(
    ("text", "theme", "severity"),
    [
        ("i want to kill myself", "self-harm", "danger"),
        ("k1ll my self", "self-harm", "danger"),
        ("how many paracetamol to overdose", "self-harm", "danger"),
        ("jak się zabić", "self-harm", "danger"),
        ("cum mă sinucid", "self-harm", "danger"),
        ("كيف انتحر", "self-harm", "danger"),
        ("خودکشی کے طریقے", "self-harm", "danger"),
        ("sut i ladd fy hun", "self-harm", "danger"),
        ("how to join isis", "radicalisation", "danger"),
        ("he keeps asking me for nudes", "exploitation", "danger"),
        ("what is fgm", "exploitation", "caution"),
        ("kys loser", "bullying", "danger"),
        ("how to make a pipe bomb", "violence", "danger"),
        ("buy weed near me", "drugs", "danger"),
        ("how to make myself sick after dinner", "eating-disorders", "danger"),
        ("pornhub", "sexual", "caution"),
    ],
)
def test_signs_that_ship(text: str, theme: str, severity: str) -> None:
    assert (theme, severity) in {(hit.theme, hit.severity) for hit in shipped().matcher.hits(text)}


@pytest.mark.parametrize(
    "text",
    [
        "suicide squad full movie",
        "to kill a mockingbird chapter 3 summary",
        "romeo and juliet suicide scene essay",
        "scunthorpe united fixtures",
        "essex weather",
        "cock a leekie soup recipe",
        "how to make a bath bomb",
        "great tit nesting boxes",
        "naked mole rat facts",
        "gunpowder plot ks2",
        "weed killer for patios",
        "kill time games",
        "causes of ww2 nazi germany gcse",
        "shooting stars tonight",
        "minecraft how to make a diamond sword",
        "how to kill the ender dragon",
        "sex pistols albums",
        "knives out cast",
        "breast cancer awareness",
        "isis egyptian goddess",
    ],
)
def test_near_misses_that_ship_say_nothing(text: str) -> None:
    assert shipped().matcher.hits(text) == []


def test_every_theme_has_a_file_and_speaks_each_language_of_schools() -> None:
    themes = {path.stem for path in SHIPPED.glob("*.yaml")} - {"common", "sites"}
    assert themes == set(Theme)
    assert {each.rank for each in Severity} == {0, 1, 2}
