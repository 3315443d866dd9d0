"""Keeps what mitmproxy's package of addons brings along, a web server and an LDAP client, out of memory.

Importing one of its addons imports them all, with hundreds of modules that nobody here uses.
"""

import importlib.util
import sys
from types import ModuleType

_PACKAGE = "mitmproxy.addons"
# What the package itself has, and not one of its modules.
_OWN = "default_addons"


def spare_addons() -> None:
    """Put an empty package in the place of mitmproxy's, which fills itself once it is asked for all addons.

    Where mitmproxy has imported its own already, as `mitmdump` has, nothing is done.
    """
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.loader is None:
        raise ImportError(f"this mitmproxy has no {_PACKAGE}")
    loader, package = spec.loader, importlib.util.module_from_spec(spec)

    def get(name: str) -> object:
        if name != _OWN:
            raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
        del package.__getattr__
        loader.exec_module(package)
        return getattr(package, name)

    package.__getattr__ = get  # type: ignore[method-assign]  # PEP 562
    sys.modules[_PACKAGE] = package
    _in_its_parent(package)


def _in_its_parent(package: ModuleType) -> None:
    parent, _, name = _PACKAGE.rpartition(".")
    setattr(sys.modules[parent], name, package)
