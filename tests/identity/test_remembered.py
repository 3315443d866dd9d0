"""Passwords that were checked a while ago."""

from schoolgate.identity.answers import Answer, Outcome, refused, unavailable
from schoolgate.identity.remembered import RememberedPasswords

ANN = Answer(Outcome.ACCEPTED, "ann", "staff")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[RememberedPasswords, Clock]:
    clock = Clock()
    return RememberedPasswords(600, clock), clock


def test_a_right_password_holds_for_its_time_and_for_its_person() -> None:
    passwords, clock = made()
    assert passwords.answer("ann", "secret") is None
    passwords.remember("ann", "secret", ANN)
    assert passwords.answer("ann", "secret") == ANN
    assert passwords.answer("ann", "other") is None
    assert passwords.answer("bob", "secret") is None
    clock.now = 599
    assert passwords.answer("ann", "secret") == ANN
    clock.now = 600
    assert passwords.answer("ann", "secret") is None


def test_what_is_forgotten_is_asked_again() -> None:
    passwords, _ = made()
    passwords.remember("ann", "secret", ANN)
    passwords.forget("ann")
    assert passwords.answer("ann", "secret") is None


def test_a_directory_that_cannot_be_asked_is_not_remembered() -> None:
    passwords, _ = made()
    passwords.remember("ann", "secret", unavailable("down"))
    assert passwords.answer("ann", "secret") is None


def test_the_same_wrong_password_is_not_asked_again_for_a_while() -> None:
    passwords, clock = made()
    passwords.remember("ann", "old", refused("wrong"))
    known = passwords.answer("ann", "old")
    assert known is not None
    assert known.outcome is Outcome.REFUSED
    assert passwords.answer("ann", "secret") is None
    clock.now = 300
    assert passwords.answer("ann", "old") is None


def test_after_a_few_wrong_ones_none_is_tried_but_the_right_one_known_still_counts() -> None:
    passwords, clock = made()
    passwords.remember("ann", "secret", ANN)
    for guess in range(5):
        assert passwords.answer("ann", f"guess {guess}") is None
        passwords.remember("ann", f"guess {guess}", refused("wrong"))
    known = passwords.answer("ann", "guess 5")
    assert known is not None
    assert "too many" in known.reason
    assert passwords.answer("ann", "secret") == ANN
    clock.now = 300
    assert passwords.answer("ann", "guess 5") is None


def test_neither_passwords_nor_plain_hashes_are_kept() -> None:
    passwords, _ = made()
    passwords.remember("ann", "secret", ANN)
    passwords.remember("bob", "secret", Answer(Outcome.ACCEPTED, "bob"))
    kept = repr(vars(passwords))
    assert "secret" not in kept
    (salt, digest, *_), (other_salt, other_digest, *_) = passwords._right.values()
    assert salt != other_salt
    assert digest != other_digest


def test_many_names_do_not_fill_the_memory() -> None:
    passwords, _ = made()
    for n in range(10_100):
        passwords.remember(f"user-{n}", "x", refused("wrong"))
    assert len(passwords._wrong) == 10_000
