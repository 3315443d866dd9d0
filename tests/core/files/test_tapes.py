"""Archives in which files stand one after the other are read as they come."""

import tarfile

import pytest

from tests.core.files.samples import ELF, HARMLESS, recognised, tarred, told


def cpio(members: dict[str, bytes], *, new: bool = True) -> bytes:
    out = b""
    for name, data in [*members.items(), ("TRAILER!!!", b"")]:
        raw = name.encode() + b"\0"
        if new:
            fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
            head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
            out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
        else:
            out += (
                b"070707"
                + b"000000" * 7
                + b"0" * 11
                + b"%06o" % len(raw)
                + b"%011o" % len(data)
                + raw
                + data
            )
    return out


def ar(members: dict[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, data in members.items():
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data))
        out += data + b"\n" * (len(data) % 2)
    return out


MEMBERS = {"a.txt": HARMLESS[:333], "b.txt": b"", "c": ELF, "d": HARMLESS}
ALL = {
    "ustar": tarred(MEMBERS, tarfile.USTAR_FORMAT),
    "pax": tarred(MEMBERS, tarfile.PAX_FORMAT),
    "gnu": tarred(MEMBERS, tarfile.GNU_FORMAT),
    "newc": cpio(MEMBERS),
    "odc": cpio(MEMBERS, new=False),
    "ar": ar({"/": b"table", "//": b"names", **MEMBERS}),
}


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize("piece", [1, 7, 511, 512, 513, 100_000])
def test_each_member_is_looked_at(form: str, piece: int) -> None:
    data = ALL[form]
    finding = recognised(data, cuts=list(range(piece, len(data), piece)))
    assert finding is not None
    assert (told(finding), finding.name_inside) == ("software/elf", "c")


@pytest.mark.parametrize("form", ["ustar", "newc", "odc", "ar"])
def test_harmless_members_pass(form: str) -> None:
    harmless = {name: data for name, data in MEMBERS.items() if name != "c"}
    made = {
        "ustar": tarred(harmless),
        "newc": cpio(harmless),
        "odc": cpio(harmless, new=False),
        "ar": ar(harmless),
    }
    assert recognised(made[form]) is None


def test_long_names_are_those_of_what_follows() -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        finding = recognised(tarred({"folder/" * 40 + "program": ELF}, form))
        assert finding is not None
        assert finding.name_inside == "folder/" * 40 + "program"


@pytest.mark.parametrize(("at", "value"), [(512 + 512, b"zz"), (124, b"\xff" * 12), (148, b"999")])
def test_a_damaged_header_is_damage(at: int, value: bytes) -> None:
    data = bytearray(tarred({"a.txt": b"x" * 512, "b": b"y"}, tarfile.USTAR_FORMAT))
    data[at : at + len(value)] = value
    assert told(recognised(bytes(data))) == "sealed/tar"


def test_links_and_directories_have_no_bytes() -> None:
    data = tarred({"link": b"", "c": ELF}, tarfile.USTAR_FORMAT)
    block = bytearray(data[:512])
    block[156:157] = b"2"
    block[124:136] = b"00000007777\0"
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
    assert told(recognised(bytes(block) + data[512:])) == "software/elf"
