"""The native reader and builder where they were built; the Python ones serve where they were not."""

import zlib

from schoolgate.core.index.layout import Crc32

try:
    from schoolgate.core.index import _native
except ImportError:  # no compiler was at hand when schoolgate was installed
    _native = None  # type: ignore[assignment]

native_module = _native
crc32: Crc32 = _native.crc32 if _native and _native.CRC32_IS_FAST else zlib.crc32


def use_native(wish: bool | None) -> bool:
    """Say whether the native half is used.

    Args:
        wish: True and False insist; None takes what there is.

    Raises:
        ValueError: when it is insisted on and was not built.
    """
    if wish and _native is None:
        raise ValueError("the native index was not built: a C compiler was missing")
    return _native is not None if wish is None else wish
