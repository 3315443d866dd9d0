"""Files of phrases: read whole or refused with every fault at its line."""

from pathlib import Path

import pytest

from schoolgate.core.content import PageScorer
from schoolgate.core.errors import ConfigurationError
from schoolgate.lists.phrase_files import lint_phrases, load_phrases

WEIGHTS = """\
zones: {title: 1.5, meta: 1, heading: 1, link: 0.5, alt: 0.5}
near_words: 12
near_factor: 0.2
least_words: 20
least_phrases: 2
least_strong: 2
strong_weight: 6
many_phrases: 8
many_factor: 1.25
dense_words: 250
register_factor: 1
clearing_points: 8
most_clearing: 3
"""
SIGNALS = """\
labels:
  rta: {names: [rating], value: 'rta-.*', category: adult, points: 50, sufficient: true}
hosts:
  gambling: {6: [casino]}
neutral: [best, "on"]
"""
GAMBLING = """\
id: gambling
threshold: 10
languages:
  en:
    phrases:
      6: [free spins, online casino*]
      2: [odds]
    exculpations: [addiction]
"""
HEALTH = """\
id: health
languages:
  en:
    phrases:
      4: [nurse]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "registers").mkdir()
    (tmp_path / "weights.yaml").write_text(WEIGHTS)
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    (tmp_path / "gambling.yaml").write_text(GAMBLING)
    (tmp_path / "registers" / "health.yaml").write_text(HEALTH)
    return tmp_path


def test_files_become_a_model(directory: Path) -> None:
    model = load_phrases(directory)
    assert model.phrases == 5
    scorer = PageScorer(model, "text/plain", signals=model.hosts.signals("bestcasino.com"))
    scorer.feed(b"Online casinos: free spins. " + b"word " * 30)
    score = scorer.close()
    assert score
    assert score.category == "gambling"
    assert score.evidence[0] == "host:casino"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("gambling.yaml", "id: gambling", "id: games", "gambling.yaml:1: the id 'games' is not"),
        ("gambling.yaml", "threshold: 10\n", "", "gambling.yaml:1: the key 'threshold' is missing"),
        ("gambling.yaml", "      2:", "      11:", "gambling.yaml:7: "),
        ("gambling.yaml", "[odds]", "[on]", "gambling.yaml:7: "),
        ("gambling.yaml", "  en:", "  english:", "gambling.yaml:4: "),
        ("weights.yaml", "least_words: 20", "least_words: 1", "weights.yaml:4: "),
        ("signals.yaml", "'rta-.*'", "'rta-('", "signals.yaml:2: is no expression"),
        ("registers/health.yaml", "id: health", "id: health\nthreshold: 3", "health.yaml:2: "),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_line(
    directory: Path, file: str, old: str, new: str, fault: str
) -> None:
    path = directory / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigurationError) as raised:
        load_phrases(directory)
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("gambling.yaml", "[odds]", "[odds, Odds]", ":7: 'Odds' stands there twice"),
        ("gambling.yaml", "[odds]", "['***']", ":7: '***' has no word in it"),
        ("gambling.yaml", "[odds]", "[bet*]", ":7: 'bet*' has a star after too few letters"),
        ("gambling.yaml", "[odds]", "['*bet']", ":7: '*bet' has a star that is not at its end"),
        ("gambling.yaml", "[odds]", "[aa b c d e f g h]", "has more than 7 words"),
        ("gambling.yaml", "[addiction]", "[odds]", ":8: 'odds' stands there twice"),
        ("signals.yaml", "category: adult", "category: adults", "there is no category 'adults'"),
        ("signals.yaml", "[casino]", "[best]", "'best' is a neutral word, too"),
        ("signals.yaml", "[casino]", "['18']", "'18' is not three small letters"),
        ("signals.yaml", "  gambling:", "  gamblin:", "there is no category 'gamblin'"),
    ],
)
def test_what_would_not_do_what_it_says_is_named(
    directory: Path, file: str, old: str, new: str, fault: str
) -> None:
    known = {"gambling", "adult"}
    assert lint_phrases(directory, known) == []
    path = directory / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert [fault in str(each) for each in lint_phrases(directory, known)] == [True]


def test_a_category_that_does_not_exist_is_named(directory: Path) -> None:
    assert any("no category 'gambling'" in str(each) for each in lint_phrases(directory, {"adult"}))
