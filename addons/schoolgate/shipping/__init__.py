"""Takes lines of the journal to where others keep logs: journald, syslog, Loki, OpenTelemetry, NATS.

Each line goes at least once: what a receiver may not have is sent again, and has its ``id`` to tell.
"""

from schoolgate.shipping.fields import Terms, chosen
from schoolgate.shipping.http_push import Loki, OpenTelemetry
from schoolgate.shipping.jetstream import JetStream
from schoolgate.shipping.journald import Journald
from schoolgate.shipping.nats_access import Access
from schoolgate.shipping.receivers import Place, Receiver, Record, RefusedByReceiverError
from schoolgate.shipping.shipper import Counts, Shipper
from schoolgate.shipping.syslog import Syslog
from schoolgate.shipping.tail import Position, Tail

__all__ = [
    "Access",
    "Counts",
    "JetStream",
    "Journald",
    "Loki",
    "OpenTelemetry",
    "Place",
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
