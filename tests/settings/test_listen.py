"""Addresses that something listens on."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schoolgate.settings.listen import ListenAddress

ADDRESS: TypeAdapter[str] = TypeAdapter(ListenAddress)


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::]:51820", "gateway:65535"])
def test_what_is_an_address(text: str) -> None:
    assert ADDRESS.validate_python(text) == text


@pytest.mark.parametrize("text", ["", "8080", ":8080", "::8080", "[::]", "a:b", "a:65536", "a:-1"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValidationError, match="is not an address"):
        ADDRESS.validate_python(text)
