"""Several processes for one address: their sockets, their supervision, their replacement.

Knows processes and sockets, and nothing of what they serve.
"""

from schoolgate.workers.board import Board, Row
from schoolgate.workers.exchange import Desk, Entrance, Exchange, Handed
from schoolgate.workers.letters import LetterBox, Letters
from schoolgate.workers.listening import BACKLOG, Listeners, open_datagram_sockets, open_listeners
from schoolgate.workers.process import Link, Order
from schoolgate.workers.service_manager import ServiceManager
from schoolgate.workers.supervisor import Post, Supervisor, Times

__all__ = [
    "BACKLOG",
    "Board",
    "Desk",
    "Entrance",
    "Exchange",
    "Handed",
    "LetterBox",
    "Letters",
    "Link",
    "Listeners",
    "Order",
    "Post",
    "Row",
    "ServiceManager",
    "Supervisor",
    "Times",
    "open_datagram_sockets",
    "open_listeners",
]
