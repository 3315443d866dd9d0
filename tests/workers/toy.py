"""Toy processes under a real supervisor, run as a program of its own: what forks must have no thread.

Says what happens, one line each: ``post event figures``. How the toys behave is in the environment,
`TOY_1` for the first post.
"""

import errno
import logging
import mmap
import os
import signal
import sys
import time
from select import select
from typing import Any, NoReturn

from schoolgate.core.errors import ConfigurationError, Fault, SchoolgateError
from schoolgate.workers import Board, Link, Order, Post, Supervisor, Times, supervisor

POSTS = 2
# The post without which the others go on.
OPTIONAL = int(os.environ.get("TOY_OPTIONAL", "0"))
# How many processes began at each post.
BEGUN = mmap.mmap(-1, POSTS + 1)


def say(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def hang(*_: object) -> NoReturn:
    while True:
        pass


def work(link: Link) -> None:
    BEGUN[link.number] += 1
    manner = os.environ.get(f"TOY_{link.number}", "")
    say(link.number, "begins", os.getpid(), link.seat, "relief" if link.is_relief else "first")
    if manner == "faulty" or (manner == "faulty relief" and link.is_relief):
        raise ConfigurationError([Fault("school.yaml", 7, "is wrong", "put it right")])
    if manner == "crashes at start":
        os._exit(3)
    if manner == "busy, a replacement slow" and BEGUN[link.number] == 2:
        time.sleep(2)
    signal.signal(signal.SIGUSR1, hang)
    link.ready()
    if manner == "later ones end" and BEGUN[link.number] > 1:
        return
    while True:
        link.beat()
        if select([link], [], [], 0.02)[0]:
            order = link.order()
            say(link.number, "told", os.getpid(), order.name)
            if order is Order.STOP and manner == "deaf":
                hang()
            if order is Order.STOP or not manner.startswith("busy"):
                return


def be_short() -> None:
    """Refuse one process once all run, as a machine does that has no more to give."""
    module: Any = supervisor
    fork = module.fork

    def refuse_once(*arguments: Any, **more: Any) -> Any:
        if sum(BEGUN[:]) < POSTS:
            return fork(*arguments, **more)
        module.fork = fork
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    module.fork = refuse_once


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    drain = float(os.environ.get("TOY_DRAIN", "60"))
    stop = float(os.environ.get("TOY_STOP", "60"))
    board = Board(POSTS)

    def ended(seat: int) -> None:
        say("board", "seat", seat)

    def shown() -> None:
        say("board", "ready")

    if "TOY_SHORT" in os.environ:
        be_short()
    posts = [
        Post(f"toy {number}", number, work, is_essential=number != OPTIONAL)
        for number in range(1, POSTS + 1)
    ]
    try:
        Supervisor(posts, board, Times(drain=drain, stop=stop), ended=ended).run(shown)
    except SchoolgateError as error:
        say("board", "fails", type(error).__name__, str(error))
        sys.exit(2)
    say("board", "ends")


if __name__ == "__main__":
    main()
