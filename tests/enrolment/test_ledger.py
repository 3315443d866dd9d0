"""A token lets in one gateway, once, for a day; who is revoked is out at once."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.enrolment.certificates import (
    Named,
    certify,
    fingerprint_of,
    make_authority,
    request_of,
)
from schoolgate.enrolment.ledger import MOST_FAILURES, Ledger, LimitedError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HILL, DALE = Named("hill", "gw1"), Named("dale", "gw1")
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "trust/enrolment.db")


@pytest.fixture
def made(tmp_path: Path) -> x509.Certificate:
    return _certificate(tmp_path)


def _certificate(place: Path, named: Named = HILL) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return certify(make_authority(place / "a.pem", NOW), named, request_of(key, named), NOW)


def test_a_token_is_good_once(ledger: Ledger, made: x509.Certificate) -> None:
    token = ledger.new_token(HILL, NOW)
    assert ledger.enrol(token, HILL, HERE, NOW, lambda: made) == made
    assert ledger.who(fingerprint_of(made), NOW) == HILL
    with pytest.raises(RefusedError, match="not good"):
        ledger.enrol(token, HILL, HERE, NOW, lambda: made)


@pytest.mark.parametrize(
    ("token", "named", "hours"),
    [
        ("", HILL, 0), ("wrong", HILL, 0), (None, DALE, 0), (None, Named("hill", "gw2"), 0),
        (None, HILL, 24), (None, HILL, 1000),
    ],
)  # fmt: skip
def test_wrong_anothers_and_too_old_are_refused_alike_and_spend_nothing(
    ledger: Ledger, made: x509.Certificate, token: str | None, named: Named, hours: int
) -> None:
    right = ledger.new_token(HILL, NOW)
    with pytest.raises(RefusedError) as refused:
        ledger.enrol(
            right if token is None else token,
            named,
            HERE,
            NOW + timedelta(hours=hours),
            lambda: made,
        )
    assert str(refused.value) == "The token is not good for that gateway: wrong, used, or too old."
    assert ledger.enrol(right, HILL, HERE, NOW, lambda: made)


def test_only_the_newest_token_of_a_gateway_is_good(ledger: Ledger, made: x509.Certificate) -> None:
    old, new = ledger.new_token(HILL, NOW), ledger.new_token(HILL, NOW)
    with pytest.raises(RefusedError):
        ledger.enrol(old, HILL, HERE, NOW, lambda: made)
    assert ledger.enrol(new, HILL, HERE, NOW, lambda: made)


def test_what_could_not_be_certified_spends_no_token(
    ledger: Ledger, made: x509.Certificate
) -> None:
    def failing() -> x509.Certificate:
        raise RefusedError("no")

    token = ledger.new_token(HILL, NOW)
    with pytest.raises(RefusedError, match=r"^no$"):
        ledger.enrol(token, HILL, HERE, NOW, failing)
    assert ledger.enrol(token, HILL, HERE, NOW, lambda: made)


def test_who_guesses_has_to_wait_and_others_do_not(ledger: Ledger, made: x509.Certificate) -> None:
    token = ledger.new_token(HILL, NOW)
    for number in range(MOST_FAILURES):
        with pytest.raises(RefusedError, match="not good"):
            ledger.enrol(f"guess-{number}", HILL, HERE, NOW, lambda: made)
    # Even the right one.
    with pytest.raises(LimitedError):
        ledger.enrol(token, HILL, HERE, NOW, lambda: made)
    assert ledger.enrol(token, HILL, THERE, NOW, lambda: made)
    with pytest.raises(RefusedError, match="not good"):
        ledger.enrol("guess", HILL, HERE, NOW + timedelta(minutes=11), lambda: made)


def test_of_many_at_once_exactly_one_is_enrolled(ledger: Ledger, tmp_path: Path) -> None:
    token = ledger.new_token(HILL, NOW)
    certificates = [_certificate(tmp_path) for _ in range(8)]
    together, won = threading.Barrier(8), []

    def try_it(number: int) -> None:
        together.wait()
        try:
            # Each from an address of its own, so that none is limited.
            ledger.enrol(token, HILL, f"192.0.2.{number}", NOW, lambda: certificates[number])
            won.append(number)
        except RefusedError:
            pass

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    known = [ledger.who(fingerprint_of(each), NOW) for each in certificates]
    assert [number for number, named in enumerate(known) if named] == won


def test_who_enrols_again_or_is_revoked_is_nobody_by_the_certificate_before(
    ledger: Ledger, tmp_path: Path
) -> None:
    first, second, third = (_certificate(tmp_path) for _ in range(3))
    ledger.enrol(ledger.new_token(HILL, NOW), HILL, HERE, NOW, lambda: first)
    ledger.enrol(ledger.new_token(HILL, NOW), HILL, HERE, NOW, lambda: second)
    # Renewed: both are good until the older one ends.
    ledger.add(HILL, third)
    known = [ledger.who(fingerprint_of(each), NOW) for each in (first, second, third)]
    assert known == [None, HILL, HILL]
    assert [each.is_revoked for each in ledger.enrolled()] == [False]
    open_token = ledger.new_token(HILL, NOW)
    assert ledger.revoke(HILL, NOW) == 2
    assert not any(ledger.who(fingerprint_of(each), NOW) for each in (first, second, third))
    assert [each.is_revoked for each in ledger.enrolled()] == [True]
    with pytest.raises(RefusedError):
        ledger.enrol(open_token, HILL, HERE, NOW, lambda: third)


def test_a_certificate_that_has_ended_is_nobodys(ledger: Ledger, made: x509.Certificate) -> None:
    ledger.add(HILL, made)
    assert ledger.who(fingerprint_of(made), made.not_valid_after_utc) is None
    assert ledger.who("0" * 64, NOW) is None


def test_the_ledger_keeps_no_token(ledger: Ledger) -> None:
    token = ledger.new_token(HILL, NOW)
    assert len(token) >= 43
    assert token.encode() not in ledger.file.read_bytes()
    assert ledger.file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_ledger_lets_nobody_in(ledger: Ledger) -> None:
    ledger.new_token(HILL, NOW)
    ledger.file.write_bytes(b"x" * 5000)
    with pytest.raises(UnavailableError, match="cannot be used"):
        ledger.who("0" * 64, NOW)


def test_a_school_that_leaves_is_out_with_all_its_gateways_and_open_tokens(
    ledger: Ledger, tmp_path: Path
) -> None:
    second, other = Named("hill", "gw2"), _certificate(tmp_path, DALE)
    made = {named: _certificate(tmp_path, named) for named in (HILL, second)} | {DALE: other}
    for named, certificate in made.items():
        ledger.add(named, certificate)
    token = ledger.new_token(Named("hill", "gw3"), NOW)
    assert ledger.revoke_school("hill", NOW) == (2, 1)
    assert ledger.revoke_school("hill", NOW) == (0, 0)
    assert [ledger.who(fingerprint_of(each), NOW) for each in made.values()] == [None, None, DALE]
    with pytest.raises(RefusedError, match="not good"):
        ledger.enrol(token, Named("hill", "gw3"), HERE, NOW, lambda: other)
