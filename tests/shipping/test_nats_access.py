"""How a server of NATS is reached: files are read anew, and TLS where the address or an authority says so."""

import ssl
from pathlib import Path

import pytest

from schoolgate.shipping.nats_access import Access

URL = "nats://127.0.0.1:4222"


def test_a_plain_address_needs_no_more() -> None:
    assert Access(URL).options() == {"servers": [URL], "connect_timeout": 10}


def test_tls_trusts_by_the_address() -> None:
    context = Access("tls://nats.example:4222").options()["tls"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_name_and_password_are_read_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "user"
    access = Access(URL, user_file=file)
    for password in ("one", "t:wo"):
        file.write_text(f"gateway:{password}\n")
        found = access.options()
        assert (found["user"], found["password"]) == ("gateway", password)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        access.options()


def test_keys_are_named_to_the_library_which_reads_them(tmp_path: Path) -> None:
    files = {"credentials_file": tmp_path / "creds", "nkey_file": tmp_path / "nk"}
    found = Access(URL, **files).options()
    assert found["user_credentials"] == str(tmp_path / "creds")
    assert found["nkeys_seed"] == str(tmp_path / "nk")
