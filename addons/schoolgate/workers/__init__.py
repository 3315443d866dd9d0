"""Several processes for one address: their sockets, their supervision, their replacement.

Knows processes and sockets, and nothing of what they serve.
"""

from schoolgate.workers.board import Board, Row
from schoolgate.workers.exchange import Desk, Exchange
from schoolgate.workers.listening import BACKLOG, Listeners, open_listeners
from schoolgate.workers.process import Link, Order
from schoolgate.workers.supervisor import Post, Supervisor, Times

__all__ = [
    "BACKLOG",
    "Board",
    "Desk",
    "Exchange",
    "Link",
    "Listeners",
    "Order",
    "Post",
    "Row",
    "Supervisor",
    "Times",
    "open_listeners",
]
