r"""What it takes to read lists in each format, what the gate does to them, and what updates take.

Example, from the repository's folder:

    python -m benchmarks.feeds                    lines a second of each format, beside a loop
    python -m benchmarks.feeds --gate             the table of docs/lists.md
    python -m benchmarks.feeds --times            updates and rollbacks, beside a gateway under requests
    python -m benchmarks.feeds --times --write    and write docs/performance.md

The lists are the test data by others (SCHOOLGATE_TEST_DATA), written in each format.
"""

import argparse

from benchmarks.feeds.judging import gate_table
from benchmarks.feeds.parsing import measure_parsers
from benchmarks.feeds.times import section
from benchmarks.page import write_section


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feeds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="of each format")
    parser.add_argument("--gate", action="store_true", help="print what the gate does to the lists")
    parser.add_argument("--times", action="store_true", help="measure updates and rollbacks")
    parser.add_argument(
        "--write", action="store_true", help="write the times to docs/performance.md"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of what is quick, with --times")
    parser.add_argument("--reloads", type=int, default=50, help="until memory is compared")
    arguments = parser.parse_args()
    if arguments.times:
        text = section(arguments.rounds, arguments.reloads)
        print(text)
        if arguments.write:
            write_section("feeds", text)
        return
    for line in gate_table() if arguments.gate else measure_parsers(arguments.lines):
        print(line)


if __name__ == "__main__":
    main()
