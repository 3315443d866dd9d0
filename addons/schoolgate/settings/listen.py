"""What an address that something listens on looks like in the settings."""

from typing import Annotated

from pydantic import AfterValidator


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) <= 65535
    if not colon or not host or not is_port or (":" in host) != host.startswith("["):
        raise ValueError(f"'{value}' is not an address such as 127.0.0.1:8080")
    return value


ListenAddress = Annotated[str, AfterValidator(_address)]
