"""A real supervisor over toy processes: what ends or hangs is replaced, the others carry on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.gateway import PATIENCE_SECONDS, ROOT, eventually

FAULT = "school.yaml:7: is wrong (put it right)"


class Toys:
    """A running supervisor and what its toys have said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []

    def said(self, *words: str) -> list[list[str]]:
        """Give the lines that begin with these words."""
        split = [line.split() for line in list(self.lines)]
        return [line for line in split if tuple(line[: len(words)]) == words]

    def pids(self, post: int) -> list[int]:
        """Give the processes that began at a post, the last one last."""
        return [int(line[2]) for line in self.said(str(post), "begins")]

    def seats(self, post: int) -> list[str]:
        return [line[3] for line in self.said(str(post), "begins")]

    def wait(self, true: Callable[[], bool]) -> None:
        assert eventually(true), "\n".join(self.lines)

    def wait_for(self, words: str) -> None:
        self.wait(lambda: any(words in line for line in list(self.lines)))


TOY = (sys.executable, "-m", "tests.workers.toy")
IN_A_TERMINAL = (sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", *TOY)


@contextmanager
def toys(ends: int = 0, command: Sequence[str] = TOY, **environment: str) -> Iterator[Toys]:
    """Run the toys; at the end they are told to stop, and nothing may be left."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Toys(process)
    reader = threading.Thread(target=_read, args=(process, running.lines), daemon=True)
    reader.start()
    try:
        running.wait_for("board ready" if ends != 2 else "board fails")
        yield running
    finally:
        if process.poll() is None and ends != 2:
            process.terminate()
        code = process.wait(PATIENCE_SECONDS)
        # Its end is the end of everybody who has the pipe.
        reader.join(PATIENCE_SECONDS)
        left = [pid for post in (1, 2) for pid in running.pids(post) if is_alive(pid)]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert process.stdout is not None
        process.stdout.close()
    assert left == []
    assert code == ends, "\n".join(running.lines)


def _read(process: "subprocess.Popen[str]", lines: list[str]) -> None:
    assert process.stdout is not None
    lines.extend(line.rstrip("\n") for line in process.stdout)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_all_are_told_to_stop_and_the_supervisor_waits_for_them() -> None:
    with toys() as running:
        pass
    assert [line[3] for post in "12" for line in running.said(post, "told")] == ["STOP", "STOP"]
    assert running.lines[-1] == "board ends"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1, signal.SIGTERM])
def test_one_that_ends_or_hangs_is_replaced_in_its_seat_and_the_others_carry_on(
    number: signal.Signals,
) -> None:
    with toys() as running:
        [other], [first] = running.pids(1), running.pids(2)
        os.kill(first, number)
        running.wait(lambda: len(running.pids(2)) == 2)
        assert not is_alive(first)
        assert running.seats(2) == ["2", "2"]
        assert running.pids(1) == [other]
        assert is_alive(other)
        assert running.said("board", "seat") == [["board", "seat", "2"]]
        running.wait_for("toy 2 has ended")


def test_of_one_that_hangs_it_is_said_where() -> None:
    with toys() as running:
        # A machine that is too busy ends it before it has said that: then the next one has to.
        for number in range(10):
            running.wait(lambda n=number: len(running.pids(1)) == n + 1)  # type: ignore[misc]
            running.wait(lambda n=number: len(running.said("board", "seat")) == n)  # type: ignore[misc]
            os.kill(running.pids(1)[-1], signal.SIGUSR1)
            running.wait(lambda n=number: len(running.said("board", "seat")) > n)  # type: ignore[misc]
            if any(" in hang" in line for line in running.lines):
                break
        assert any(" in hang" in line for line in running.lines)
        assert any("toy 1 has not answered for " in line for line in running.lines)


def test_a_machine_that_was_suspended_costs_nobody_their_life() -> None:
    with toys() as running:
        everybody = [running.process.pid, *running.pids(1), *running.pids(2)]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        threading.Event().wait(3)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        os.kill(running.pids(2)[0], signal.SIGKILL)
        running.wait(lambda: len(running.pids(2)) == 2)
        assert len(running.pids(1)) == 1
        assert not any("has not answered" in line for line in running.lines)


def test_one_that_ends_again_and_again_is_started_later_and_later_and_that_is_said() -> None:
    with toys(TOY_1="later ones end") as running:
        os.kill(running.pids(1)[0], signal.SIGKILL)
        running.wait_for("toy 1 ended 4 times in a row. The next attempt is in 1.0 seconds")
        assert len(running.pids(2)) == 1


@pytest.mark.parametrize(
    ("manner", "want"),
    [
        ("faulty", f"board fails ConfigurationError {FAULT}"),
        ("crashes at start", "board fails UnavailableError toy 1 ended before it served."),
    ],
)
def test_where_one_cannot_start_nothing_does(manner: str, want: str) -> None:
    with toys(ends=2, TOY_1=manner) as running:
        running.wait_for(want)
    assert running.said("board", "ready") == []


@pytest.mark.parametrize("manner", ["faulty", "crashes at start"])
def test_what_is_not_essential_is_started_again_and_keeps_nothing_from_serving(
    manner: str,
) -> None:
    with toys(TOY_2=manner, TOY_OPTIONAL="2") as running:
        running.wait_for("board ready")
        running.wait(lambda: len(running.pids(2)) >= 3)
        assert len(running.pids(1)) == 1


def test_when_the_supervisor_is_killed_all_end() -> None:
    with toys(ends=-signal.SIGKILL) as running:
        running.process.kill()
        running.wait(lambda: not any(is_alive(running.pids(post)[0]) for post in (1, 2)))
    assert len(running.said("1", "told")) == len(running.said("2", "told")) == 1


def test_when_its_terminal_is_closed_all_end() -> None:
    with toys(-signal.SIGKILL, IN_A_TERMINAL) as running:
        running.process.kill()
        running.wait(lambda: not any(is_alive(running.pids(post)[0]) for post in (1, 2)))
        assert [len(running.pids(post)) for post in (1, 2)] == [1, 1]


def test_a_reload_relieves_everybody_once_the_new_ones_serve() -> None:
    with toys() as running:
        old = [running.pids(1)[0], running.pids(2)[0]]
        running.process.send_signal(signal.SIGHUP)
        running.wait(lambda: not any(is_alive(pid) for pid in old))
        assert [len(running.pids(post)) for post in (1, 2)] == [2, 2]
        # The seats of those who are still there are taken.
        assert {running.seats(1)[1], running.seats(2)[1]} == {"3", "4"}
        assert [line[3] for post in "12" for line in running.said(post, "told")] == ["DRAIN"] * 2
        words = running.said("1")
        assert [line[1] for line in words] == ["begins", "begins", "told"]


def test_a_reload_that_is_asked_for_during_one_follows_it() -> None:
    with toys() as running:
        running.process.send_signal(signal.SIGHUP)
        running.wait(lambda: len(running.pids(1)) == 2)
        running.process.send_signal(signal.SIGHUP)
        running.wait(lambda: len(running.pids(1)) == len(running.pids(2)) == 3)


def test_whoever_was_relieved_may_go_on_until_its_time_is_over() -> None:
    with toys(TOY_1="busy", TOY_DRAIN="0.5") as running:
        old = running.pids(1)[0]
        running.process.send_signal(signal.SIGHUP)
        running.wait(lambda: not is_alive(old))
        told = [line[3] for line in running.said("1", "told", str(old))]
        assert told == ["DRAIN", "STOP"]


def test_whoever_is_relieved_while_it_starts_has_its_time_too() -> None:
    with toys(TOY_1="busy, a replacement slow", TOY_DRAIN="3") as running:
        os.kill(running.pids(1)[0], signal.SIGKILL)
        running.wait(lambda: len(running.pids(1)) == 2)
        running.process.send_signal(signal.SIGHUP)
        slow = str(running.pids(1)[1])
        running.wait(lambda: ["1", "told", slow, "STOP"] in running.said("1", "told"))
        assert ["1", "told", slow, "DRAIN"] in running.said("1", "told")


def test_a_reload_that_cannot_start_leaves_all_as_it_is_and_says_why() -> None:
    with toys(TOY_2="faulty relief") as running:
        old = running.pids(2)[0]
        running.process.send_signal(signal.SIGHUP)
        running.wait_for(f"toy 2 is not relieved: {FAULT}")
        assert is_alive(old)
        assert running.said("2", "told") == []


def test_a_machine_that_has_no_process_to_give_ends_nobody() -> None:
    with toys(TOY_SHORT="1") as running:
        other = running.pids(2)[0]
        os.kill(running.pids(1)[0], signal.SIGKILL)
        running.wait_for("toy 1 cannot be started: [Errno 11] Resource temporarily unavailable")
        running.wait(lambda: len(running.pids(1)) == 2)
        assert running.pids(2) == [other]
    with toys(TOY_SHORT="1") as running:
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("toy 1 is not relieved: [Errno 11] Resource temporarily unavailable")
        running.wait(lambda: len(running.pids(2)) == 2)
        assert len(running.pids(1)) == 1


def test_one_that_does_not_stop_is_killed() -> None:
    with toys(TOY_1="deaf", TOY_STOP="0.5"):
        pass
