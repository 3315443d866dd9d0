"""What the policy is asked about: one web request."""

from dataclasses import dataclass

from schoolgate.core.clients import Client
from schoolgate.core.urls import Url


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request as the policy sees it.

    Attributes:
        url: where it goes, normalised.
        client: who asks.
        method: HTTP method, upper case.
    """

    url: Url
    client: Client
    method: str = "GET"
