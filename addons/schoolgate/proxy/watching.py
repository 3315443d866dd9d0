"""One answer, looked at as it comes: what it is, how long it plays, and what the rules say of that."""

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

from schoolgate.core.content import Score
from schoolgate.core.files import Kind, Recogniser
from schoolgate.core.media import (
    BEGINNING,
    Format,
    Head,
    Length,
    LengthReader,
    Manifest,
    ManifestReader,
    is_of_page,
    is_other,
    may_be_manifest,
    reader_of,
    recognise,
)
from schoolgate.core.policy import Content, ContentRules, Decision
from schoolgate.proxy.decoding import BrokenBodyError, Decoder
from schoolgate.proxy.judging import TextJudge

_CONTENTS = {
    Kind.SOFTWARE: Content.SOFTWARE,
    Kind.FILESHARING: Content.FILESHARING,
    Kind.MEDIA: Content.MEDIA_FILE,
    Kind.SEALED: Content.ARCHIVE_CLOSED,
    Kind.BOMB: Content.ARCHIVE_CLOSED,
}
_MACROS = dict.fromkeys(("ole-vba", "ooxml-vba", "odf-basic"), Content.MACROS)


class Stage(Enum):
    """How far it was looked at."""

    BEGINNING = auto()
    MANIFEST = auto()
    PLAYING = auto()
    DONE = auto()


class Watch:
    """Looks at an answer.

    Args:
        rules: what is looked for.
        head: what is known before the body.
        start: where in the file the body begins, bytes.
        total: bytes of the whole file; None where that is not known.
        decoder: of its content encoding.
        files: makes what looks for programs and the like; None where no rule minds or no beginning comes.
        is_shown: the head says that it is what pages are made of.
        reader: of the same file, as far as an earlier answer had it.
        text: judges what it says; None for what is no text, or where no rule minds.

    Attributes:
        found: what it is, as soon as that is known.
        stage: how far it was looked at.
        reader: of its length, where it has one.
        manifest: what it says, where it is one and was read to its end.
    """

    def __init__(
        self,
        rules: ContentRules,
        head: Head,
        start: int,
        total: int | None,
        decoder: Decoder,
        *,
        files: Callable[[], Recogniser] | None = None,
        is_shown: bool = False,
        reader: LengthReader | None = None,
        text: TextJudge | None = None,
    ) -> None:
        self.found: Format | None = None
        self.stage = Stage.BEGINNING
        self.reader = reader
        self.manifest: Manifest | None = None
        self._rules = rules
        self._text = text
        self._head = head
        self._at = start
        self._total = total
        self._decode = decoder.decode
        self._files: Recogniser | None = None
        self._make_files = files
        self._is_shown = is_shown
        self._beginning = b""
        self._manifest: ManifestReader | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing of it may be passed on yet."""
        pending = self._files is not None and self._files.pending
        return pending or self.stage in (Stage.BEGINNING, Stage.MANIFEST)

    @property
    def holds_whole(self) -> bool:
        """Whether it is one of which the end decides, so that nothing of it may be passed on before."""
        if self._files is not None and self._files.suspects:
            return True
        if self.stage is Stage.BEGINNING:
            return may_be_manifest(self._beginning)
        return self.stage is Stage.MANIFEST

    @property
    def is_done(self) -> bool:
        """Whether nothing more of it is looked at."""
        is_read = self._text is None or self._text.done
        return is_read and self.stage is Stage.DONE and (self._files is None or self._files.done)

    @property
    def judges_text(self) -> bool:
        """Whether it is judged by what it says."""
        return self._text is not None

    @property
    def score(self) -> Score | None:
        """By which a text was stopped; None where it was not, or not for what it says."""
        return self._text.score if self._text else None

    @property
    def length(self) -> Length | None:
        """How long it plays, as far as its bytes say; None where it is no file that plays as it comes."""
        return self.reader.length if self.reader else None

    @property
    def file_name(self) -> str:
        """The name under which a file that was recognised would be saved; empty for none."""
        finding = self._files.finding if self._files else None
        return finding.file_name if finding else ""

    def look(self, chunk: bytes) -> Decision | None:
        """Look at the next bytes of the body as it is sent; give what stops it."""
        try:
            for piece in self._decode(chunk):
                if self.is_done:
                    return None
                decision = self._look_at(piece)
                if decision is not None:
                    self._be_done()
                    return decision
        except BrokenBodyError:
            # No browser reads the rest, either; what came before it shows.
            decision = self._text.end() if self._text is not None else None
            self._be_done()
            return decision
        return None

    def _look_at(self, piece: bytes) -> Decision | None:
        if self._make_files is not None:
            if not (self._is_shown and is_of_page(piece)):
                self._files = self._make_files()
            self._make_files = None
        decision = self._STEPS[self.stage](self, piece)
        if decision is None and self._files is not None and not self._files.done:
            self._files.feed(piece)
            decision = self._judge_file()
        if decision is None and self._text is not None:
            decision = self._text.take(piece)
        return decision

    def _be_done(self) -> None:
        self.stage = Stage.DONE
        if self._files is not None:
            self._files.done = True
        if self._text is not None:
            self._text.done = True

    def _judge_file(self) -> Decision | None:
        """Answer what kind of file it is, as far as that is known."""
        finding = self._files.finding if self._files else None
        if finding is None:
            return None
        content = _MACROS.get(finding.format, _CONTENTS[finding.kind])
        inside = f", {finding.name_inside}" if finding.name_inside else ""
        return self._rules.on(content, f"It is {finding.title}{inside}.")

    def end(self) -> Decision | None:
        """Look at the whole, as nothing more comes; give what stops it."""
        decision = None
        if self.stage is Stage.BEGINNING:
            decision = self._recognise()
        if self.stage is Stage.MANIFEST and decision is None:
            decision = self._judge_manifest()
        if decision is None and self._files is not None and not self._files.done:
            self._files.end()
            decision = self._judge_file()
        if decision is None and self._text is not None:
            decision = self._text.end()
        self._be_done()
        return decision

    def _begin(self, piece: bytes) -> Decision | None:
        self._beginning += piece
        if is_other(self._beginning):
            self._beginning, self.stage = b"", Stage.DONE
            return None
        return self._recognise() if len(self._beginning) >= BEGINNING else None

    def _recognise(self) -> Decision | None:
        beginning, self._beginning = self._beginning, b""
        self.found = recognise(self._head, beginning[:BEGINNING])
        if self.found is None:
            self.stage = Stage.DONE
            return None
        if self.found.is_manifest:
            self.stage, self._manifest = Stage.MANIFEST, ManifestReader(self.found)
            return self._read_manifest(beginning)
        self.stage = Stage.PLAYING
        self.reader = self.reader or reader_of(self.found, self._total)
        return self._play(beginning)

    def _read_manifest(self, piece: bytes) -> Decision | None:
        assert self._manifest is not None
        self._manifest.feed(piece)
        return self._judge_manifest() if self._manifest.is_over else None

    def _judge_manifest(self) -> Decision | None:
        assert self._manifest is not None
        manifest = self.manifest = self._manifest.finish()
        if manifest.is_undecided:
            return self._rules.on(
                Content.LIVE, "It is a stream, and says nowhere that it comes to an end."
            )
        return self._rules.on_length(manifest.length)

    def _play(self, piece: bytes) -> Decision | None:
        at, self._at = self._at, self._at + len(piece)
        reader = self.reader
        if reader is None:
            self.stage = Stage.DONE
            return None
        reader.feed(piece, at)
        if reader.is_done:
            self.stage = Stage.DONE
        return self._rules.on_length(reader.length)

    def _pass(self, _: bytes) -> None:
        """Look at nothing more."""

    _STEPS: ClassVar[dict[Stage, Callable[["Watch", bytes], Decision | None]]] = {
        Stage.BEGINNING: _begin,
        Stage.MANIFEST: _read_manifest,
        Stage.PLAYING: _play,
        Stage.DONE: _pass,
    }
