"""How feeds stand, for the metrics: what cannot be read gives no figures, and no error."""

from pathlib import Path

from schoolgate import bootstrap
from schoolgate.bootstrap.feed_figures import feed_figures
from schoolgate.services.feed_updates import update
from schoolgate.settings import load_settings
from tests.publisher import listed, publishing, register
from tests.school import write_school


def test_feeds_that_were_asked_for_have_figures(tmp_path: Path) -> None:
    school = write_school(tmp_path / "school")
    settings = load_settings(school.config, {})
    with publishing() as publisher:
        feeds = register(publisher.base, one={"lists": {"bets": listed("bets.txt")}})
        (school.categories / "feeds.yaml").write_text(feeds)
        assert feed_figures(settings) == []
        publisher.lists["bets.txt"] = b"one.example\ntwo.example\n"
        update(bootstrap.surroundings_of(settings))
    [figure] = feed_figures(settings)
    assert (figure.feed, figure.domains, figure.held, figure.is_good) == ("one", 2, 0, True)
    assert 0 <= figure.age_seconds < 3600
    (settings.lists_dir / "live" / "generation.json").write_text("no json")
    assert feed_figures(settings) == []
