"""What it takes to read lists in each format, beside a loop over their lines.

Example, from the repository's folder:

    python -m benchmarks.feeds

The lists are the test data by others (SCHOOLGATE_TEST_DATA), written in each format.
"""

import argparse

from benchmarks.feeds.judging import gate_table
from benchmarks.feeds.parsing import measure_parsers


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feeds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="of each format")
    parser.add_argument("--gate", action="store_true", help="print what the gate does to the lists")
    arguments = parser.parse_args()
    for line in gate_table() if arguments.gate else measure_parsers(arguments.lines):
        print(line)


if __name__ == "__main__":
    main()
