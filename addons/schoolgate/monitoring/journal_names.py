"""Pseudonyms of people, devices and addresses in the closed days of the journal, by a key that lies apart.

A pseudonym is the name, encrypted with AES-SIV (RFC 5297): the same name has the same one each day, so that
a person's record can be found, and whoever has the key gets the name back; without it nobody does, also not
by trying names.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schoolgate.core.errors import UnavailableError

# The fields of a line that say who it was.
WHO = ("client", "device", "user")
_PREFIX = "p-"
_KEY_BYTES = 64
# Names are filled up to a multiple of it, so that their length says little.
_BLOCK = 16
_PRIVATE_FILE = 0o600


class Pseudonyms:
    """Turns names into pseudonyms and back.

    Args:
        key: 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)
        self._known: dict[tuple[str, str], str] = {}
        self._names: dict[tuple[str, str], str | None] = {}

    def of(self, field: str, name: str) -> str:
        """Give the pseudonym of a name.

        Args:
            field: which of `WHO` it stands in.
            name: that is not empty; a pseudonym stays as it is.
        """
        known = self._known.get((field, name))
        if known is None:
            known = name if self.name(field, name) is not None else self._made(field, name)
            self._known[field, name] = known
        return known

    def name(self, field: str, pseudonym: str) -> str | None:
        """Give the name that a pseudonym stands for; None where it is none of this key's."""
        if not pseudonym.startswith(_PREFIX):
            return None
        if (field, pseudonym) not in self._names:
            self._names[field, pseudonym] = self._opened(field, pseudonym)
        return self._names[field, pseudonym]

    def _opened(self, field: str, pseudonym: str) -> str | None:
        try:
            sealed = base64.urlsafe_b64decode(pseudonym.removeprefix(_PREFIX).encode())
            return self._cipher.decrypt(sealed, [field.encode()]).rstrip(b"\0").decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def _made(self, field: str, name: str) -> str:
        plain = name.encode("utf-8", "backslashreplace")
        plain += b"\0" * (-len(plain) % _BLOCK)
        sealed = self._cipher.encrypt(plain, [field.encode()])
        return _PREFIX + base64.urlsafe_b64encode(sealed).decode()


def pseudonyms_by(file: Path) -> Pseudonyms:
    """Give the pseudonyms by the key in a file, which is made on first use, 0600.

    Raises:
        UnavailableError: when it cannot be read or made, or holds no key.
    """
    try:
        key = bytes.fromhex(_text(file).strip())
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UnavailableError(f"{file} holds no key of the journal: put back the one that it held")
    return Pseudonyms(key)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="ascii") as made:
            made.write(secrets.token_hex(_KEY_BYTES) + "\n")
            made.flush()
            os.fsync(made.fileno())
        # Whoever comes second takes what the first made.
        file.hardlink_to(aside)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
    return file.read_text(encoding="ascii")
