"""The precompiled suffix trie over millions of sites: one mapped file, read and built in C or Python.

Bytes in, answers out; `lists.index_file` puts the bytes on disk.
"""

from schoolgate.core.index.building import Built, Refused, Source, build_index, index_of
from schoolgate.core.index.sites import SiteIndex, read_index

__all__ = ["Built", "Refused", "SiteIndex", "Source", "build_index", "index_of", "read_index"]
