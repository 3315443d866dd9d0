"""Takes lines of the journal to where others keep logs: journald, syslog, Loki, OpenTelemetry.

Each line goes at least once: what a receiver may not have is sent again, and has its ``id`` to tell.
"""

from schoolgate.shipping.fields import Terms, chosen
from schoolgate.shipping.http_push import Loki, OpenTelemetry
from schoolgate.shipping.journald import Journald
from schoolgate.shipping.receivers import Receiver, Record, RefusedByReceiverError
from schoolgate.shipping.shipper import Counts, Shipper
from schoolgate.shipping.syslog import Syslog
from schoolgate.shipping.tail import Position, Tail

__all__ = [
    "Counts",
    "Journald",
    "Loki",
    "OpenTelemetry",
    "Position",
    "Receiver",
    "Record",
    "RefusedByReceiverError",
    "Shipper",
    "Syslog",
    "Tail",
    "Terms",
    "chosen",
]
