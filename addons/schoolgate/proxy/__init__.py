"""The enforcement point: the only package that knows mitmproxy; it decides nothing itself."""

from schoolgate.proxy.spared import spare_addons

# Before any module here imports one of mitmproxy's.
spare_addons()
