"""What the policy is asked about: one web request."""

from dataclasses import dataclass

from schoolgate.core.clients import Client
from schoolgate.core.policy.shapes import Shape
from schoolgate.core.urls import Url


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request as the policy sees it.

    Attributes:
        url: where it goes, normalised.
        client: who asks.
        method: HTTP method, upper case.
        shapes: what it looks like beside that; of its host the engine sees by itself.
    """

    url: Url
    client: Client
    method: str = "GET"
    shapes: tuple[Shape, ...] = ()
