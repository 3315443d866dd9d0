"""Rules on what an answer is, whatever site it is from: live, a long clip, a program."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from schoolgate.core.approvals import first
from schoolgate.core.media import Course, Length
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import Need


class Content(StrEnum):
    """What an answer may be.

    Attributes:
        LIVE: plays without an end, or does not say that it has one.
        MEDIA_FILE: audio or video that is to be kept as a file.
        SOFTWARE: a program, an installer, a package, or an archive with one in it.
        MACROS: a document that has a program in it.
        ARCHIVE_CLOSED: an archive that nobody can look into.
        FILESHARING: what leads into a network of file sharing.
    """

    LIVE = "live"
    MEDIA_FILE = "media_file"
    SOFTWARE = "software"
    MACROS = "macros"
    ARCHIVE_CLOSED = "archive_closed"
    FILESHARING = "filesharing"


_WORDS = {
    Content.LIVE: "live streams",
    Content.MEDIA_FILE: "audio and video as files",
    Content.SOFTWARE: "programs",
    Content.MACROS: "documents with macros",
    Content.ARCHIVE_CLOSED: "locked archives",
    Content.FILESHARING: "file sharing",
}


@dataclass(frozen=True, slots=True)
class ContentRule:
    """What happens to an answer that is this.

    Attributes:
        need: its id and clause, whom it concerns and which sites it leaves alone; what it looks for is read.
        contents: any of these.
        longer_than: or a clip of more than so many seconds; None for no limit.
        category: id of the category that the page names; None for none.
        note: one sentence for the person who meets it.
        says: or a text of one of these categories, by its own words.
        then: what happens; None for what happens to a site that is listed in the category. What is not
            about a text is blocked.
    """

    need: Need
    contents: frozenset[Content] = frozenset()
    longer_than: float | None = None
    category: str | None = None
    note: str = ""
    says: frozenset[str] = frozenset()
    then: Verdict | None = Verdict.BLOCK

    @property
    def plays(self) -> bool:
        """Whether it is about how long something plays, rather than what a file is."""
        return self.longer_than is not None or Content.LIVE in self.contents

    @property
    def sought(self) -> str:
        """What it looks for, in words."""
        words = [_WORDS[content] for content in Content if content in self.contents]
        if self.longer_than is not None:
            words.append(f"clips longer than {duration(self.longer_than)}")
        if self.says:
            words.append(f"pages that are {', '.join(sorted(self.says))} by what they say")
        return " or ".join(words)

    def decision(self, note: str = "") -> Decision:
        """Give what it says of an answer that it is about; ``note`` adds what is known of it."""
        words = " ".join(part for part in (note, self.note) if part)
        return Decision(
            Verdict.BLOCK, Reason.CONTENT, self.need.clause, self.need.id, self.category, note=words
        )


# What a text was judged by, for the person who meets it; never the phrases.
BY_ITS_CONTENT = "This page was judged by its content."


# Whatever somebody in charge opened, and what is open to everybody always, is not looked into.
OPENED = frozenset({Reason.GRANT, Reason.LOCAL_ALLOW, Reason.ALWAYS_REACHABLE})


@dataclass(frozen=True)
class ContentRules:
    """The rules that hold for the answers of one site to one client.

    Attributes:
        rules: in the order of the policy; the first that matches decides.
    """

    rules: tuple[ContentRule, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.rules)

    @cached_property
    def for_files(self) -> bool:
        """Whether it matters what a file is."""
        return any(rule.contents - {Content.LIVE} for rule in self.rules)

    @cached_property
    def for_texts(self) -> bool:
        """Whether it matters what a text says."""
        return any(rule.says for rule in self.rules)

    @cached_property
    def of_texts(self) -> "ContentRules":
        """Those about what a text says."""
        return ContentRules(tuple(rule for rule in self.rules if rule.says))

    def on_text(self, category: str, listed: Decision) -> Decision | None:
        """Answer what a text is about; None where no rule minds.

        Args:
            category: that it is of by its own words.
            listed: what the rules say of a site that is listed there.
        """
        rule = first(rule for rule in self.rules if category in rule.says)
        if rule is None:
            return None
        found = rule.decision() if rule.then is not None else listed
        verdict = rule.then or listed.verdict
        if verdict not in (Verdict.BLOCK, Verdict.WARN, Verdict.MONITOR):
            return None
        note = " ".join(part for part in (BY_ITS_CONTENT, found.note) if part)
        return replace(
            found, verdict=verdict, reason=Reason.CONTENT, category=category, note=note, grant=None
        )

    def on(self, content: Content, note: str = "") -> Decision | None:
        """Answer what an answer is; None where no rule minds."""
        rule = first(rule for rule in self.rules if content in rule.contents)
        return rule.decision(note) if rule else None

    def on_length(self, length: Length) -> Decision | None:
        """Answer how long something plays, as far as that is known; None where no rule minds yet."""
        if length.course is Course.LIVE:
            return self.on(Content.LIVE, "This is a live stream: it has no end.")
        rule = first(
            rule
            for rule in self.rules
            if rule.longer_than is not None and length.is_longer_than(rule.longer_than)
        )
        if rule is None or rule.longer_than is None:
            return None
        more = "" if length.course is Course.ENDED else "at least "
        limit = duration(rule.longer_than)
        return rule.decision(
            f"It plays for {more}{duration(length.seconds)}; clips of up to {limit} are allowed."
        )


NO_CONTENT_RULES = ContentRules()


def rules_for(
    rules: Iterable[ContentRule],
    needs: Iterable[Need],
    categories: tuple[str, ...],
    named: Iterable[str],
) -> ContentRules:
    """Give the rules whose needs reach a page.

    Args:
        rules: of the policy.
        needs: that concern the client.
        categories: of the page.
        named: its pseudo-categories.
    """
    named = tuple(named)
    reaching = {need.id for need in needs if need.reaches(categories, (), named)}
    found = tuple(rule for rule in rules if rule.need.id in reaching)
    return ContentRules(found) if found else NO_CONTENT_RULES


def duration(seconds: float) -> str:
    """Give a length for people: ``2 minutes``, ``1 hour 30 minutes``, ``45 seconds``."""
    if seconds < 90:
        return _count(round(seconds), "second")
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (_count(hours, "hour"), _count(rest, "minute")) if part[0] != "0"
    )


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
