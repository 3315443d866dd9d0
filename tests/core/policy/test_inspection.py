"""By a host's name alone a connection passes or is refused only where no page of it says otherwise."""

from dataclasses import replace

import pytest

from schoolgate.core.policy import (
    Inspection,
    InspectionMode,
    Need,
    TlsAction,
    Verdict,
    WebRequest,
)
from schoolgate.core.urls import Url
from tests.core.policy.example import (
    DEFAULT,
    NOON,
    PUPIL,
    TEACHER,
    hosts,
)
from tests.core.policy.inspected import MAIL, MEDIA, NEEDED, action, ask, rule, school


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], ("pass", ())),
        (["forum a.example"], ("pass", ())),  # monitored by its name
        (["games a.example"], ("refuse", ())),
        (["games example"], ("refuse", ())),
        (["cloud a.example"], ("decrypt", ("warning",))),
        (["clips a.example"], ("decrypt", ("limit",))),
        (["vpn a.example"], ("refuse", ())),
        (["block a.example"], ("refuse", ())),
        (["games a.example", "allow a.example"], ("pass", ())),
        # parts that change the verdict
        (["games a.example/p"], ("decrypt", ("paths",))),
        (["games example/p"], ("decrypt", ("paths",))),
        (["forum a.example/p"], ("decrypt", ("paths",))),
        (["block a.example/p"], ("decrypt", ("paths",))),
        (["games a.example", "help a.example/p"], ("decrypt", ("paths",))),
        (["games a.example", "allow a.example/p"], ("decrypt", ("paths",))),
        (["vpn a.example", "help a.example/p"], ("decrypt", ("paths",))),
        (["adult a.example", "allow example/p"], ("decrypt", ("paths",))),
        (["cloud a.example", "games a.example/p"], ("decrypt", ("warning", "paths"))),
        # parts that change nothing
        (["games b.example/p"], ("pass", ())),
        (["games www.a.example/p"], ("pass", ())),
        (["games =example/p"], ("pass", ())),
        (["games *.a.example/p"], ("pass", ())),
        (["news a.example/p"], ("pass", ())),
        (["help a.example/p"], ("pass", ())),
        (["allow a.example/p"], ("pass", ())),
        (["games a.example", "games a.example/p"], ("refuse", ())),
        (["games a.example", "adult a.example/p"], ("refuse", ())),  # both are blocked
        (["games a.example", "vpn a.example/p"], ("refuse", ())),
        (["games a.example", "cloud a.example/p"], ("refuse", ())),  # a later rule
        (["vpn a.example", "allow a.example/p"], ("refuse", ())),  # a later step
        (["block a.example", "allow a.example/p"], ("refuse", ())),
        (["cloud a.example", "forum a.example/p"], ("decrypt", ("warning",))),
    ],
)
def test_the_name_is_enough_unless_a_part_of_the_host_is_answered_otherwise(
    lines: list[str], want: tuple[str, tuple[str, ...]]
) -> None:
    assert action(school(*lines)) == want


def test_a_rule_that_names_a_part_of_a_host_has_it_read() -> None:
    named = rule("named", hosts=hosts("a.example/p"))
    assert action(school(rules=(named,))) == ("decrypt", ("paths",))
    assert action(school(rules=(named,)), "b.example") == ("pass", ())
    assert action(school(rules=(named,), default=replace(DEFAULT, verdict=Verdict.BLOCK))) == (
        "refuse", ()
    )  # fmt: skip


def test_a_part_matters_to_the_groups_alone_whose_rules_ask_for_it() -> None:
    for_pupils = rule("games", categories=("games",), groups=frozenset({"pupils"}))
    built = school("games a.example/p", rules=(for_pupils,))
    assert ask(built, client=PUPIL).action is TlsAction.DECRYPT
    assert ask(built, client=TEACHER).action is TlsAction.PASS


def test_the_decision_is_the_engines_on_the_start_page() -> None:
    built = school("games a.example")
    start_page = WebRequest(Url("https", "a.example", 443, "/"), PUPIL)
    assert ask(built).decision is built.decide(start_page, NOON)
    assert ask(built) is ask(built)


# -- never, needs and the mode ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(InspectionMode))
@pytest.mark.parametrize(
    ("lines", "host", "want"),
    [
        (["mail a.example"], "a.example", ("pass", ())),
        (["mail a.example", "news a.example", "forum a.example"], "a.example", ("pass", ())),
        (["mail a.example", "games a.example/p"], "a.example", ("pass", ())),
        (["mail a.example", "block example/p"], "a.example", ("pass", ())),
        ([], "www.post.example", ("pass", ())),
        ([], "one.example", ("pass", ())),
        (["mail a.example", "games a.example"], "a.example", ("refuse", ())),
        (["mail a.example", "block a.example"], "a.example", ("refuse", ())),
        (["mail a.example", "games a.example", "allow a.example"], "a.example", ("pass", ())),
        # what is warned of or blocked must be let through first
        (["mail a.example", "cloud a.example"], "a.example", ("decrypt", ("warning",))),
        (["mail a.example", "cloud a.example", "games a.example/p"], "a.example",
         ("decrypt", ("warning",))),
        (["mail a.example", "games a.example", "help a.example/p"], "a.example",
         ("decrypt", ("paths",))),
    ],
)  # fmt: skip
def test_what_is_never_decrypted_passes_in_both_modes_when_it_is_allowed(
    mode: InspectionMode, lines: list[str], host: str, want: tuple[str, tuple[str, ...]]
) -> None:
    inspection = Inspection(mode, never=(MAIL,), needs=(MEDIA,))
    assert action(school(*lines, inspection=inspection), host) == want


def test_what_is_below_a_host_or_a_part_of_it_in_mail_is_not_mail() -> None:
    built = school("mail a.example/mail", inspection=replace(NEEDED, never=(MAIL,), needs=(MEDIA,)))
    assert action(built) == ("decrypt", ("media",))
    assert action(built, "www.one.example") == ("decrypt", ("media",))


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], True),  # in no category
        (["news a.example"], True),
        (["school a.example"], False),
        (["school a.example", "bank a.example"], False),
        (["school a.example", "news a.example"], True),  # trusted by one list alone
        (["school a.example", "news a.example/p"], True),  # the part is not trusted
        (["school a.example", "bank a.example/p"], False),
        (["school a.example/p"], True),
        (["news trusted.example"], True),
    ],
)
def test_a_need_reaches_all_but_sites_of_trusted_categories_alone(
    lines: list[str], want: bool
) -> None:
    built = school(*lines, inspection=replace(NEEDED, needs=(MEDIA,)))
    assert action(built) == (("decrypt", ("media",)) if want else ("pass", ()))


def test_a_need_may_except_hosts_and_bind_some_groups_alone() -> None:
    trusting = Need("media", "C-M", except_hosts=hosts("a.example"))
    for_staff = Need("programs", "C-S", groups=frozenset({"staff"}))
    built = school("news a.example", inspection=replace(NEEDED, needs=(trusting, for_staff)))
    assert ask(built, "www.a.example", PUPIL).needs == ()
    assert ask(built, "b.example", PUPIL).needs == ("media",)
    assert ask(built, "b.example", TEACHER).needs == ("media", "programs")


def test_a_blocked_site_is_refused_whatever_must_be_read_of_others() -> None:
    for inspection in (replace(NEEDED, needs=(MEDIA,)), Inspection(InspectionMode.ALL)):
        assert action(school("games a.example", inspection=inspection)) == ("refuse", ())


def test_in_mode_all_every_allowed_site_is_decrypted_and_so_it_is_without_a_word_of_it() -> None:
    for inspection in (Inspection(), Inspection(InspectionMode.ALL, needs=(MEDIA,))):
        built = school("school a.example", "cloud b.example", inspection=inspection)
        assert action(built) == ("decrypt", ("everything",))
        assert action(built, "b.example") == ("decrypt", ("warning", "everything"))


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        (["games a.example"], "It is blocked by its name under C-games, with all that is on it."),
        (["mail a.example"], "It is never decrypted, under C-P."),
        (["mail a.example", "games a.example/p"],
         "It is never decrypted, under C-P; what is listed of its parts is not carried out."),
        (["school a.example"], "Its name is enough: no rule needs to read more."),
        ([], "It must be read because of media (C-M)."),
        (["games a.example/p"],
         "It must be read because of parts of it that are decided otherwise and media (C-M)."),
        (["cloud a.example", "games a.example/p"],
         ("It must be read because of the page of the warning (C-cloud), "
          "parts of it that are decided otherwise and media (C-M).")),
    ],
)  # fmt: skip
def test_the_answer_says_why_in_a_sentence(lines: list[str], want: str) -> None:
    inspection = replace(NEEDED, never=(MAIL,), needs=(MEDIA,))
    assert ask(school(*lines, inspection=inspection)).because == want
