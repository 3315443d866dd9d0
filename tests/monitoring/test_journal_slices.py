"""Slices: whatever their size, one after the other they are all rows in their order."""

from hypothesis import given
from hypothesis import strategies as st

from schoolgate.monitoring.journal_slices import slices
from schoolgate.monitoring.journal_tables import connected

ROWS = st.lists(st.tuples(st.sampled_from("abć"), st.integers(-2, 3)), max_size=25)


@given(ROWS, st.integers(1, 30), st.sampled_from(["a", "b", "ć"]))
def test_slices_are_all_rows_in_order_and_none_twice(
    rows: list[tuple[str, int]], size: int, other: str
) -> None:
    with connected() as duck:
        duck.execute("CREATE TABLE kept (who VARCHAR, ts BIGINT)")
        if rows:
            duck.executemany("INSERT INTO kept VALUES (?, ?)", rows)
        asked, found = "SELECT * FROM kept WHERE who <> ?", list[list[tuple[str, int]]]()
        for which, bounds in slices(duck, asked, [other], ("who", "ts"), size):
            found.append(
                duck.execute(
                    f"SELECT * FROM ({asked}) WHERE {which} ORDER BY who, ts", [other, *bounds]
                ).fetchall()
            )
    assert [row for slice_ in found for row in slice_] == sorted(
        row for row in rows if row[0] != other
    )
    same = max((rows.count(row) for row in rows), default=0)
    assert all(len(slice_) < size + same for slice_ in found)
