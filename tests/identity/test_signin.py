"""Binding a device to a person for a while."""

from collections.abc import Sequence

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.identity import Answer, Binding, BindingState, Outcome, SignIns

MAC = "00:1b:44:11:3a:b7"
ANN = Answer(Outcome.ACCEPTED, "ann", "staff", frozenset({"4b"}))
BOB = Answer(Outcome.ACCEPTED, "bob", "pupils")


class Kept:
    """Bindings in memory."""

    def __init__(self) -> None:
        self.bindings: dict[str, Binding] = {}

    def put(self, binding: Binding) -> None:
        self.bindings[binding.id] = binding

    def get(self, binding_id: str) -> Binding | None:
        return self.bindings.get(binding_id)

    def since(self, at: float) -> Sequence[Binding]:
        return [binding for binding in self.bindings.values() if binding.until > at]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_ins(clock: Clock) -> SignIns:
    return SignIns(Kept(), 3600, clock)


def test_a_person_is_bound_to_a_device_for_a_time(sign_ins: SignIns, clock: Clock) -> None:
    binding = sign_ins.create(ANN, "::ffff:10.9.0.4", "00-1B-44-11-3A-B7", 600)
    assert binding == Binding(
        binding.id, "ann", "staff", frozenset({"4b"}), "10.9.0.4", MAC, 1000, 1600
    )
    assert sign_ins.current() == (binding,)
    clock.now = 1600
    assert sign_ins.current() == ()


@pytest.mark.parametrize(
    ("seconds", "want"), [(0, 3600), (10, 60), (600, 600), (9999, 3600), (-1, 3600)]
)
def test_no_longer_than_the_school_allows(sign_ins: SignIns, seconds: float, want: float) -> None:
    binding = sign_ins.create(ANN, "10.9.0.4", seconds=seconds)
    assert binding.until - binding.since == want
    assert sign_ins.extend(binding.id, seconds).until == 1000 + want


@pytest.mark.parametrize(
    ("who", "address"),
    [
        (Answer(Outcome.REFUSED), "10.9.0.4"),
        (Answer(Outcome.UNAVAILABLE), "10.9.0.4"),
        (Answer(Outcome.ACCEPTED), "10.9.0.4"),
        (ANN, ""),
        (ANN, "x"),
    ],
)
def test_nobody_is_bound_who_has_not_proved_who_they_are(
    sign_ins: SignIns, who: Answer, address: str
) -> None:
    with pytest.raises(RefusedError):
        sign_ins.create(who, address)
    assert sign_ins.current() == ()


@pytest.mark.parametrize(
    ("first", "second", "remain"),
    [
        (("10.9.0.4", MAC), ("10.9.0.5", MAC), ["bob"]),  # the same device elsewhere
        (("10.9.0.4", ""), ("10.9.0.4", ""), ["bob"]),
        (("10.9.0.4", ""), ("10.9.0.4", MAC), ["bob"]),
        (("10.9.0.4", MAC), ("10.9.0.4", "00:1b:44:11:3a:b8"), ["ann", "bob"]),  # another device
        (("10.9.0.4", ""), ("10.9.0.5", ""), ["ann", "bob"]),
    ],
)
def test_a_device_has_one_person_at_a_time(
    sign_ins: SignIns, first: tuple[str, str], second: tuple[str, str], remain: list[str]
) -> None:
    sign_ins.create(ANN, *first)
    sign_ins.create(BOB, *second)
    assert [binding.user for binding in sign_ins.current()] == remain


def test_a_binding_that_ended_cannot_be_prolonged(sign_ins: SignIns, clock: Clock) -> None:
    binding = sign_ins.create(ANN, "10.9.0.4")
    sign_ins.end(binding.id)
    assert sign_ins.current() == ()
    other = sign_ins.create(ANN, "10.9.0.4", seconds=60)
    clock.now = other.until
    for ended in (binding.id, other.id, "unknown"):
        with pytest.raises(RefusedError, match="ended"):
            sign_ins.extend(ended)
        with pytest.raises(RefusedError):
            sign_ins.end(ended)
        with pytest.raises(RefusedError):
            sign_ins.ban(ended, clock.now + 10)


def test_a_ban_stays_until_its_end_and_cannot_be_signed_away(
    sign_ins: SignIns, clock: Clock
) -> None:
    binding = sign_ins.create(BOB, "10.9.0.4", MAC)
    with pytest.raises(RefusedError, match="future"):
        sign_ins.ban(binding.id, clock.now)
    banned = sign_ins.ban(binding.id, 100_000)
    assert banned.state is BindingState.BANNED
    assert sign_ins.current() == (banned,)
    for attempt in (
        lambda: sign_ins.create(ANN, "10.9.0.77", MAC),
        lambda: sign_ins.extend(binding.id),
        lambda: sign_ins.end(binding.id),
    ):
        with pytest.raises(RefusedError):
            attempt()
    clock.now = 100_000
    assert sign_ins.create(ANN, "10.9.0.4", MAC).user == "ann"
