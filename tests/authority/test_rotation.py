"""The next CA beside the one that signs: made, switched to and back, and refused where it is not good."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from schoolgate import authority
from schoolgate.authority import Standing
from schoolgate.authority.rotation import NEXT, OLD
from schoolgate.authority.store import CERTIFICATE, KEY_AND_CERTIFICATE
from schoolgate.core.errors import RefusedError, UnavailableError

NOW = datetime(2036, 9, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """The directory of a CA that is ten years old."""
    directory = tmp_path / "ca"
    authority.ensure(directory, "Hill School", NOW - timedelta(days=3600))
    return directory


def standings(ca: Path) -> list[Standing]:
    return [each.standing for each in authority.listed(ca)]


def prints(ca: Path) -> list[str]:
    return [each.info.sha256 for each in authority.listed(ca) if each.info]


def test_the_next_one_signs_nothing_yet_and_both_are_published(ca: Path) -> None:
    before = authority.describe(ca)
    made = authority.renew(ca, NOW)
    assert authority.describe(ca) == before
    assert "O=Hill School" in made.subject
    assert made.subject != before.subject
    assert made.not_after == NOW + timedelta(days=3650)
    found = authority.published(ca, NOW)
    assert [each.standing for each in found] == [Standing.SIGNING, Standing.NEXT]
    for each in found:
        assert each.info is not None
        certificate = x509.load_pem_x509_certificate(each.pem)
        assert certificate.not_valid_after_utc == each.info.not_after
        assert b"PRIVATE" not in each.pem


def test_a_switch_has_it_sign_and_keeps_the_old_one_until_it_ends(ca: Path) -> None:
    before, coming = authority.describe(ca), authority.renew(ca, NOW)
    assert authority.switch(ca, NOW).sha256 == coming.sha256
    assert prints(ca) == [coming.sha256, before.sha256]
    assert standings(ca) == [Standing.SIGNING, Standing.OLD]
    # What is given to devices is what signs.
    assert (ca / CERTIFICATE).read_bytes() == authority.export_pem(ca)
    ended = before.not_after + timedelta(seconds=1)
    assert [each.standing for each in authority.published(ca, ended)] == [Standing.SIGNING]


def test_it_can_be_undone_and_done_again(ca: Path) -> None:
    before, coming = authority.describe(ca), authority.renew(ca, NOW)
    for _ in range(2):
        authority.switch(ca, NOW)
        assert prints(ca) == [coming.sha256, before.sha256]
        assert authority.switch_back(ca, NOW).sha256 == before.sha256
        assert prints(ca) == [before.sha256, coming.sha256]
        assert standings(ca) == [Standing.SIGNING, Standing.NEXT]


def test_keys_are_private_wherever_they_lie(ca: Path) -> None:
    authority.renew(ca, NOW)
    authority.switch(ca, NOW)
    authority.renew(ca, NOW)
    seen = 0
    for path in ca.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            assert mode == 0o700
        elif path.name != CERTIFICATE:
            assert mode == 0o600, path
            seen += 1
    assert seen == 4, "two keys that sign or will, one that did, and what secrets are derived from"


def test_secrets_stay_as_they_are(ca: Path) -> None:
    before = authority.secret_for(ca, "links")
    authority.renew(ca, NOW)
    authority.switch(ca, NOW)
    assert authority.secret_for(ca, "links") == before
    authority.remove(ca, Standing.OLD)
    assert authority.secret_for(ca, "links") == before


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _readable(file: Path) -> None:
    file.chmod(0o644)


def _foreign(file: Path) -> None:
    other = file.parent.parent / "other"
    authority.ensure(other, "Vale School", NOW)
    key = file.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    file.write_bytes(key + (other / CERTIFICATE).read_bytes())


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("spoil", [_truncated, _empty, _readable, _foreign, _directory])
def test_a_next_one_that_is_damaged_leaves_the_one_that_signs_as_it_is(
    ca: Path, spoil: Callable[[Path], None]
) -> None:
    authority.renew(ca, NOW)
    before = (ca / KEY_AND_CERTIFICATE).read_bytes()
    spoil(ca / NEXT)
    with pytest.raises(UnavailableError):
        authority.switch(ca, NOW)
    assert (ca / KEY_AND_CERTIFICATE).read_bytes() == before
    assert not (ca / OLD).exists()
    signing, damaged = authority.listed(ca)
    assert signing.standing is Standing.SIGNING
    assert (damaged.standing, damaged.info) == (Standing.NEXT, None)
    assert damaged.trouble
    assert len(authority.published(ca, NOW)) == 1


@pytest.mark.parametrize("at", [NOW - timedelta(days=3), NOW + timedelta(days=3651)])
def test_one_that_is_not_good_now_does_not_sign(ca: Path, at: datetime) -> None:
    before = authority.describe(ca)
    authority.renew(ca, NOW)
    with pytest.raises(RefusedError, match="and not now"):
        authority.switch(ca, at)
    assert authority.describe(ca) == before


def test_what_is_not_there_is_said(ca: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="schoolgate ca renew"):
        authority.switch(ca, NOW)
    with pytest.raises(RefusedError, match="no CA has signed before"):
        authority.switch_back(ca, NOW)
    with pytest.raises(RefusedError, match="switch to another one first"):
        authority.remove(ca, Standing.SIGNING)
    with pytest.raises(UnavailableError, match=r"There is no CA in .* yet"):
        authority.renew(tmp_path / "nowhere", NOW)
    authority.renew(ca, NOW)
    with pytest.raises(RefusedError, match="there is a next CA already"):
        authority.renew(ca, NOW)
    with pytest.raises(RefusedError, match="whose place would be taken"):
        authority.switch_back(ca, NOW)
    assert authority.remove(ca, Standing.NEXT) == 1
    assert standings(ca) == [Standing.SIGNING]


STEPS = 12


@pytest.mark.parametrize("back", [False, True])
def test_killed_at_any_step_there_is_one_that_signs_and_it_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    """Each call that changes the disk is the last one once."""
    done = 0
    for step in range(STEPS):
        directory = tmp_path / str(step)
        authority.ensure(directory, "Hill School", NOW)
        authority.renew(directory, NOW)
        if back:
            authority.switch(directory, NOW)
        first, second = prints(directory)
        change = authority.switch_back if back else authority.switch
        with monkeypatch.context() as patched:
            _die_at(patched, step)
            try:
                change(directory, NOW)
                done += 1
            except _Killed:
                pass
        assert authority.ensure(directory, "x", NOW).sha256 in (first, second)
        assert (directory / CERTIFICATE).read_bytes() == authority.export_pem(directory)
        assert sorted(prints(directory)) == sorted((first, second))
        if authority.describe(directory).sha256 == first:
            change(directory, NOW)
        assert prints(directory) == [second, first]
    assert 0 < done < STEPS


class _Killed(BaseException):
    """What nothing here handles, as nothing handles a kill."""


def _die_at(patched: pytest.MonkeyPatch, step: int) -> None:
    calls = 0

    def counted(does: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls > step:
                raise _Killed
            return does(*args, **options)

        return call

    patched.setattr(os, "fsync", counted(os.fsync))
    patched.setattr(Path, "replace", counted(Path.replace))
    patched.setattr(Path, "unlink", counted(Path.unlink))
    patched.setattr(Path, "mkdir", counted(Path.mkdir))


def test_each_certificate_has_a_file_of_its_own(ca: Path) -> None:
    for _ in range(2):
        authority.renew(ca, NOW)
        authority.switch(ca, NOW)
    authority.renew(ca, NOW)
    names = [
        place.name for place, _ in authority.named(authority.listed(ca), Path("/x/school.crt"))
    ]
    assert names == ["school.crt", "school-next.crt", "school-old.crt", "school-old-2.crt"]


def test_the_mark_changes_with_whoever_signs(ca: Path, tmp_path: Path) -> None:
    before = authority.mark(ca)
    authority.renew(ca, NOW)
    assert authority.mark(ca) == before
    authority.switch(ca, NOW)
    assert authority.mark(ca) != before
    assert authority.mark(tmp_path / "nowhere") == ()
