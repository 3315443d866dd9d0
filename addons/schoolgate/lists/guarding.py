"""Gathers what no list closes by mistake: our own categories, registers, suffixes, the school's domains."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from schoolgate.core.categories import ListEntry
from schoolgate.core.gate import Guards, Suffixes
from schoolgate.core.index import index_of
from schoolgate.lists.category_files import CategoryFiles, read_category_files
from schoolgate.lists.public_suffixes import suffix_rules
from schoolgate.lists.shared_hosts import shared_hosts

NEVER_BLOCK, POPULAR = "never-block.txt", "popular-hosts.txt"
# Everybody has a site there, or a page; what is in the others is one site each.
_PLATFORMS = frozenset(
    {
        "blogs-forums", "cloud-storage", "free-hosting", "search", "social-networks", "translate-cache",
        "video-sharing", "webmail",
    }
)  # fmt: skip
# Under most countries these are for nobody else, as ac.uk, edu.au and gov.ie are.
_KINDS = {
    b"ac": "education", b"edu": "education", b"sch": "education", b"k12": "education",
    b"gov": "government", b"gob": "government", b"gouv": "government", b"gub": "government",
}  # fmt: skip
_SIGN_IN = "sign-in"
_OWN = "the school's own"


def gather_guards(
    dirs: Sequence[Path],
    own: Collection[str],
    education: Iterable[bytes] = (),
    popular: Iterable[bytes] = (),
) -> Guards:
    """Put together what the gate compares lists with.

    Args:
        dirs: where the category files are, and the texts beside them.
        own: the school's domains.
        education: hosts from the registers of universities.
        popular: hosts from tables of the most visited.

    Raises:
        ConfigurationError: when the category files cannot be read.
    """
    files = read_category_files(dirs)
    suffixes = Suffixes(*suffix_rules())
    named = {*suffixes.exact, *(b"%s.%s" % (k, p) for k in _KINDS for p in suffixes.parents)}
    never = {suffix: kind for suffix in named if (kind := _kind_of(suffix))}
    never |= dict.fromkeys(education, "education")
    never |= {host.encode(): _SIGN_IN for host in _text(dirs, NEVER_BLOCK)}
    never |= dict(_curated(files, protected=True))
    never |= {name.encode(): _OWN for name in own}
    platforms = {host: f"{category} to us" for host, category in _curated(files, protected=False)
                 if category in _PLATFORMS}  # fmt: skip
    platforms |= {host.encode(): "see shared-hosts.txt" for host in shared_hosts(dirs)}
    below = index_of(ListEntry(host.decode(), "/", "never", "") for host in never)
    listed = index_of(placed.entry for placed in files.entries)
    return Guards(
        suffixes=suffixes,
        platforms=platforms,
        never=never,
        is_below_never=below.get,
        own=tuple(own),
        popular={*popular, *(host.encode() for host in _text(dirs, POPULAR))},
        curated=lambda host, category: category in listed.categories(listed.get(host)),
    )


def _kind_of(suffix: bytes) -> str:
    """Say for whom a public suffix is kept; empty for a suffix of everybody."""
    first, _, country = suffix.partition(b".")
    if not country:
        # .ac is an island's.
        return _KINDS[suffix] if suffix in (b"edu", b"gov") else ""
    return _KINDS.get(first, "") if b"." not in country else ""


def _curated(files: CategoryFiles, *, protected: bool) -> Iterable[tuple[bytes, str]]:
    for placed in files.entries:
        entry = placed.entry
        if entry.path == "/" and files.categories[entry.category].protected is protected:
            yield entry.host.encode(), entry.category


def _text(dirs: Sequence[Path], name: str) -> list[str]:
    lines = [
        line.partition("#")[0].strip()
        for directory in dirs
        if (directory / name).exists()
        for line in (directory / name).read_text(encoding="utf-8").splitlines()
    ]
    return [line for line in lines if line]
