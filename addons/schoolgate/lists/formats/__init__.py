"""What others write lists in: bytes in, entries and faults out; nothing here reads a file or a socket.

Each format is a pattern for the lines that are nearly all of a list, which takes a whole block at once, and
a reader for the few that it leaves over.
"""

from schoolgate.lists.formats.adblock import ADBLOCK
from schoolgate.lists.formats.csv_urls import URLHAUS
from schoolgate.lists.formats.dnsmasq import DNSMASQ
from schoolgate.lists.formats.expressions import EXPRESSIONS
from schoolgate.lists.formats.hosts_file import HOSTS
from schoolgate.lists.formats.lines import Batch, LineFault, LineFormat, NoListError
from schoolgate.lists.formats.plain import PLAIN
from schoolgate.lists.formats.registers import read_ranks, read_universities
from schoolgate.lists.formats.rpz import RPZ
from schoolgate.lists.formats.unpacking import Limits, unpack
from schoolgate.lists.formats.ut1 import read_tarball
from schoolgate.lists.formats.v2fly import included, read_v2fly

LINE_FORMATS: dict[str, LineFormat] = {
    "plain": PLAIN,
    "hosts": HOSTS,
    "dnsmasq": DNSMASQ,
    "rpz": RPZ,
    "adblock": ADBLOCK,
    "urlhaus": URLHAUS,
    "expressions": EXPRESSIONS,
}

__all__ = [
    "ADBLOCK",
    "DNSMASQ",
    "EXPRESSIONS",
    "HOSTS",
    "LINE_FORMATS",
    "PLAIN",
    "RPZ",
    "URLHAUS",
    "Batch",
    "Limits",
    "LineFault",
    "LineFormat",
    "NoListError",
    "included",
    "read_ranks",
    "read_tarball",
    "read_universities",
    "read_v2fly",
    "unpack",
]
