"""The test data by others, as the publishers of feeds would serve it."""

import io
import itertools
import lzma
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# How each format writes a host.
WRITTEN = {
    "plain": b"%s\n",
    "hosts": b"0.0.0.0 %s\n",
    "dnsmasq": b"address=/%s/\n",
    "rpz": b"*.%s CNAME .\n",
    "adblock": b"||%s^\n",
    "v2fly": b"domain:%s @cn\n",
    "urlhaus": b'"3","2026-11-22 07:00:00","http://%s/a/b.sh","online","x","malware","elf","https://l/3/","w"\n',
}


def data(path: str) -> Path:
    """Give a file of the test data by others."""
    return ROOT / (os.environ.get("SCHOOLGATE_TEST_DATA") or "../shared") / path


def listed() -> Iterator[tuple[bytes, int]]:
    """Give each domain of the real bundle with the mask of its categories."""
    with lzma.open(data("lists/school_domains.tsv.xz")) as file:
        next(file)
        for line in file:
            host, _, mask = line.rstrip(b"\n").partition(b"\t")
            yield host, int(mask, 16)


def hosts(count: int) -> list[bytes]:
    """Give so many domains of the real bundle, or all."""
    return [host for host, _ in itertools.islice(listed(), count)]


def tarball(name: str, domains: bytes) -> bytes:
    """Give a folder of UT1's as a tarball."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo(f"{name}/domains")
        member.size = len(domains)
        archive.addfile(member, io.BytesIO(domains))
    return made.getvalue()
