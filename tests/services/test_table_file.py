"""A table file is UTF-8, and no cell of it is a formula."""

import csv
import io

import pytest

from schoolgate.services.table_file import csv_of, inert


def test_a_table_comes_back_as_it_was() -> None:
    made = csv_of(("A", "B"), [("x, y", 'say "é"'), ("", "two\nlines")]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(made, newline=""))) == [
        ["A", "B"], ["x, y", 'say "é"'], ["", "two\nlines"],
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r1"])
def test_a_formula_is_text(cell: str) -> None:
    assert inert(cell) == f"'{cell}"
    assert inert("1=1") == "1=1"
