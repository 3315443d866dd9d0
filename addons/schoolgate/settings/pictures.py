"""A program of the school's own that judges pictures: the section ``pictures`` of the machine's settings."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schoolgate.core.errors import BadAddressError
from schoolgate.core.urls import parse_url
from schoolgate.documents import Strict


def _is_web(value: str) -> str:
    if not value:
        return value
    try:
        url = parse_url(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error
    if url.scheme not in ("http", "https") or "@" in value:
        raise ValueError(f"'{value}' is not an address such as http://127.0.0.1:9300/judge")
    return value


class PictureSettings(Strict):
    """Who judges pictures, and what becomes of those of which nothing is heard; off without an address."""

    classifier: Annotated[str, AfterValidator(_is_web)] = ""
    timeout_seconds: float = Field(default=1.0, ge=0.05, le=10)
    least_score: float = Field(default=0.8, gt=0, le=1)
    most_bytes: int = Field(default=1 << 20, ge=4096, le=8 << 20)
    unanswered: Literal["pass", "block"] = "pass"
