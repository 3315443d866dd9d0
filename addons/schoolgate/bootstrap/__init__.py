"""Puts the parts together: the only package that names the concrete classes."""

from schoolgate.bootstrap.gateway import (
    Gateway,
    list_places,
    load_engine,
    now,
    open_store,
    overlay_if_any,
    upstream_bundle,
)
from schoolgate.bootstrap.serving import Addresses, serve

__all__ = [
    "Addresses",
    "Gateway",
    "list_places",
    "load_engine",
    "now",
    "open_store",
    "overlay_if_any",
    "serve",
    "upstream_bundle",
]
