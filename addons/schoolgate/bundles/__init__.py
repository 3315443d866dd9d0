"""Signed bundles of a trust's policies and lists: made at the centre, fetched and judged at a gateway."""
