"""squidGuard as it comes, its Berkeley DB made of the same text files, asked through its pipes."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from benchmarks.index.data import Prepared
from benchmarks.index.engines import Engine, NotHereError, Session

BUILD_LIMIT = 600


class SquidGuard(Engine):
    """The program, with one domain database for each category."""

    key = "squidguard"
    title = "squidGuard, Berkeley DB"

    def check(self) -> None:
        """Raise NotHereError when the program is missing."""
        if shutil.which("squidGuard") is None:
            raise NotHereError("the program squidGuard is not installed")

    def lists(self, data: Prepared) -> dict[str, Path | None]:
        """Give the text file of every list to compile, None for an empty one."""
        return dict(data.files)

    def build(self, data: Prepared) -> list[str]:
        """Let the program compile every category's file."""
        folder = data.built(self.key)
        sources = list(self.lists(data).values())
        for at, source in enumerate(sources):
            target = folder / f"c{at}" / "domains"
            target.parent.mkdir(parents=True)
            # It writes its database beside what it reads.
            target.symlink_to(source) if source else target.touch()
        names = [f"c{at}" for at in range(len(sources))]
        lines = [f"dbhome {folder}", f"logdir {folder}"]
        lines += [f"dest {name} {{\n  domainlist {name}/domains\n}}" for name in names]
        lines += ["acl {\n  default {", f"    pass {' '.join(f'!{name}' for name in names)} all"]
        lines += ["    redirect http://127.0.0.1/blocked", "  }\n}"]
        (folder / "conf").write_text("\n".join(lines) + "\n")
        command = ["squidGuard", "-c", str(folder / "conf"), "-C", "all"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=BUILD_LIMIT)
        except subprocess.TimeoutExpired as error:
            raise NotHereError(f"squidGuard -C took more than {BUILD_LIMIT // 60} min") from error
        except subprocess.CalledProcessError as error:
            raise NotHereError(f"squidGuard -C failed: {error.stderr[-200:]!r}") from error
        if len(list(folder.glob("c*/domains.db"))) < len(names):
            raise NotHereError("squidGuard -C made no database of some lists")
        return []

    def open(self, data: Prepared) -> Session:
        """Start the program and wait for its first answer."""
        return Running(data.built(self.key) / "conf")

    def size(self, data: Prepared) -> int | None:
        """Give the bytes of its databases."""
        return sum(path.stat().st_size for path in data.built(self.key).glob("c*/domains.db"))


class EmptySquidGuard(SquidGuard):
    """The program with one empty list, to tell what of its time is no look-up."""

    key = "squidguard-empty"
    title = "squidGuard, one empty list"

    def lists(self, data: Prepared) -> dict[str, Path | None]:
        """Give one empty list."""
        del data
        return {"empty": None}

    def size(self, data: Prepared) -> int | None:
        """Give None: it has no domains."""
        del data
        return None


class Running(Session):
    """A squidGuard that answers a line for a line."""

    def __init__(self, conf: Path) -> None:
        self._process = subprocess.Popen(
            ["squidGuard", "-c", str(conf)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._ask([b"first.example"])

    def samples(self, hosts: Sequence[bytes]) -> list[float]:
        """Time one batch, fed from another CPU where there is one."""
        ours = os.sched_getaffinity(0)
        others = set(range(os.cpu_count() or 1)) - ours
        if others:
            os.sched_setaffinity(self._process.pid, ours)
            os.sched_setaffinity(0, others)
        try:
            began = self._on_cpu_ns()
            self._ask(hosts)
            return [(self._on_cpu_ns() - began) / len(hosts)]
        finally:
            os.sched_setaffinity(0, ours)

    def blocked(self, hosts: Sequence[bytes]) -> list[bool]:
        """Tell of every host whether the program redirects it."""
        return [answer.startswith(b"OK") for answer in self._ask(hosts)]

    def private_of(self) -> int | None:
        """Give the program's process."""
        return self._process.pid

    def close(self) -> None:
        """End the program by ending its input."""
        self._process.communicate()

    def _on_cpu_ns(self) -> int:
        # Not the time that passes: the program also waits for whoever feeds it.
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0])

    def _ask(self, hosts: Sequence[bytes]) -> list[bytes]:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        lines = b"".join(b"http://%b/ 10.0.0.1/- - GET\n" % host for host in hosts)

        def feed() -> None:
            to.write(lines)
            to.flush()

        # Fed beside the reading: both pipes are smaller than a batch.
        feeder = Thread(target=feed)
        feeder.start()
        parts: list[bytes] = []
        missing = len(hosts)
        while missing:
            part = os.read(back.fileno(), 1 << 20)
            if not part:
                raise RuntimeError("squidGuard ended")
            parts.append(part)
            missing -= part.count(b"\n")
        feeder.join()
        return b"".join(parts).splitlines()
