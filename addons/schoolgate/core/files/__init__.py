"""What a file is, told by its bytes as they stream: programs, packages, scripts, macros, file-sharing, media.

Bytes in, a finding out; a name or a type alone decides nothing. Archives are looked into as they come, and
nothing is kept but a header that is not whole yet (`Limits.kept_bytes`) and the windows of decompressors.
"""

from schoolgate.core.files.filesharing import form_of_address, is_magnet
from schoolgate.core.files.finding import Finding, Kind, Limits
from schoolgate.core.files.formats import TITLES
from schoolgate.core.files.recogniser import Recogniser, file_name

__all__ = [
    "TITLES",
    "Finding",
    "Kind",
    "Limits",
    "Recogniser",
    "file_name",
    "form_of_address",
    "is_magnet",
]
