"""A program is asked what a picture shows; whatever it does, there is an answer, or none in time."""

import asyncio
from collections.abc import Iterator

import pytest

from schoolgate.proxy.picture_hook import (
    MOST_WAITING,
    THREADS,
    HookRules,
    PictureHook,
    Shown,
    shown_of,
)
from tests import classifier
from tests.classifier import Classifier, picture
from tests.gateway import free_port

ADULT = '{"category": "adult", "score": 0.93}'


@pytest.fixture
def program() -> Iterator[Classifier]:
    with classifier.running() as running:
        yield running


@pytest.mark.parametrize(
    ("said", "want"),
    [
        (ADULT, Shown("adult", 0.93)),
        ('{"category": null, "score": 0}', Shown("", 0.0)),
        ("{}", Shown("", 0.0)),
        ('{"category": "adult", "score": 93}', None),
        ('{"category": "adult", "score": "0.9"}', None),
        ('{"category": "adult", "score": true}', None),
        ('{"category": ["adult"], "score": 0.9}', None),
        ("[]", None),
        ("", None),
        ("no json", None),
        ("[" * 4000, None),
    ],
)
def test_an_answer_is_a_category_and_how_sure_it_is(said: str, want: Shown | None) -> None:
    assert shown_of(said.encode()) == want


def test_only_the_picture_and_its_type_are_told(program: Classifier) -> None:
    hook = PictureHook(HookRules(program.url))
    asked = picture(ADULT)
    assert asyncio.run(hook.ask(asked, "image/jpeg")) == Shown("adult", 0.93)
    [(fields, body)] = program.asked
    assert body == asked
    told = {name.lower(): value for name, value in fields.items()}
    assert told.pop("content-type") == "image/jpeg"
    assert told.keys() <= {"host", "accept", "accept-encoding", "content-length", "user-agent"}


@pytest.mark.parametrize(
    "answer", ["silent", "endless", "gone", "no json", f"500|{ADULT}", f"302|{ADULT}"]
)
def test_without_an_answer_that_can_be_read_there_is_none(program: Classifier, answer: str) -> None:
    hook = PictureHook(HookRules(program.url, timeout_seconds=0.5))
    assert asyncio.run(hook.ask(picture(answer), "image/png")) is None
    program.over.set()


def test_where_nobody_listens_there_is_no_answer() -> None:
    hook = PictureHook(HookRules(f"http://127.0.0.1:{free_port()}/"))
    assert asyncio.run(hook.ask(picture(ADULT), "image/png")) is None


def test_of_a_page_with_many_pictures_each_has_its_turn(program: Classifier) -> None:
    hook = PictureHook(HookRules(program.url, timeout_seconds=10))

    async def many() -> list[Shown | None]:
        return await asyncio.gather(*(hook.ask(picture(ADULT), "") for _ in range(4 * THREADS)))

    assert asyncio.run(many()) == [Shown("adult", 0.93)] * 4 * THREADS


def test_a_program_that_hangs_holds_up_so_many_pictures_and_no_more(program: Classifier) -> None:
    hook = PictureHook(HookRules(program.url, timeout_seconds=1))

    async def many() -> list[Shown | None]:
        asking = [asyncio.create_task(hook.ask(picture("silent"), "")) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        unasked = await hook.ask(picture(ADULT), "")
        answers = await asyncio.gather(*asking)
        program.over.set()
        return [unasked, *answers]

    assert asyncio.run(many()) == [None] * (MOST_WAITING + 1)
    # A thread whose time is over has the next.
    assert len(program.asked) <= 2 * THREADS
