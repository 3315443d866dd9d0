"""The enforcement point: the only package that knows mitmproxy; it decides nothing itself."""
