"""Documents and installers in the compound file of Microsoft (MS-CFB): macros, and Windows Installer."""

import struct

from schoolgate.core.files.finding import Kind
from schoolgate.core.files.walk import Opened, found

# Entries of the directory are 128 bytes, on such a boundary of the file, wherever their sector stands.
_ENTRY = 128
# The storage in which Visual Basic keeps its project (MS-OVBA, 2.2.1).
_VBA = "_VBA_PROJECT\x00".encode("utf-16-le")
_VBA_NAME_BYTES = (len(_VBA), len("_VBA_PROJECT_CUR\x00") * 2)
_MACROS = "_VBA_PROJECT".encode("utf-16-le")
# The class of the root entry of packages, patches and transforms of Windows Installer.
_MSI = tuple(
    struct.pack("<IHH", number, 0, 0) + b"\xc0\x00\x00\x00\x00\x00\x00\x46"
    for number in (0xC1082, 0xC1084, 0xC1086)
)
_ROOT = "Root Entry".encode("utf-16-le")


class Ole:
    """Looks at the entries of the directory as they pass.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._at = 0
        self._rest = b""
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        data = self._rest + data
        whole = len(data) - len(data) % _ENTRY
        self._look(data[:whole])
        self._rest = data[whole:]

    def end(self) -> None:
        """Note that there are no more."""

    def _look(self, data: bytes) -> None:
        for wanted, form in ((_MACROS, "ole-vba"), (_ROOT, "msi")):
            at = data.find(wanted)
            while at >= 0:
                if at % _ENTRY == 0 and _is(form, data[at : at + _ENTRY]):
                    raise found(Kind.SOFTWARE, form, self._of.inside)
                at = data.find(wanted, at + 1)


def _is(form: str, entry: bytes) -> bool:
    if form == "msi":
        return entry[80:96] in _MSI
    (length,) = struct.unpack_from("<H", entry, 64)
    return length in _VBA_NAME_BYTES and entry[66] in (1, 2)
