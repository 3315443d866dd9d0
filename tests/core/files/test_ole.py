"""Macros and installers are told by the directory of a compound file, wherever it stands."""

from tests.core.files.samples import MSI_CLASS, compound, recognised, told


def test_the_storage_of_visual_basic() -> None:
    assert (
        told(recognised(compound(["WordDocument", "Macros", "_VBA_PROJECT"]))) == "software/ole-vba"
    )
    assert told(recognised(compound(["Workbook"]))) == "none"


def test_its_name_in_the_words_of_a_document_is_none() -> None:
    """It is an entry only on its boundary, with its length and kind behind the name."""
    words = "_VBA_PROJECT".encode("utf-16-le")
    for shift in (0, 2, 64):
        data = compound(["WordDocument"]) + bytes(shift) + words.ljust(256, b" ")
        assert recognised(data) is None


def test_windows_installer_by_the_class_of_its_root() -> None:
    assert told(recognised(compound([], root_class=MSI_CLASS))) == "software/msi"
    assert recognised(compound([], root_class=bytes(16))) is None
    assert told(recognised(compound([], root_class=bytes(16)), "a.msi")) == "software/msi"
