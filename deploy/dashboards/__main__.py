"""Writes the dashboards that Grafana reads, from the code beside this file.

Examples, from the repository's folder:

    python -m deploy.dashboards                 # to deploy/grafana/dashboards
    python -m deploy.dashboards /tmp/boards     # to another directory
"""

import argparse
from pathlib import Path

from deploy.dashboards.everything import write

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dashboards",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "directory", type=Path, nargs="?", default=Path("deploy/grafana/dashboards"),
        help="where they are written: %(default)s",
    )  # fmt: skip
    write(parser.parse_args().directory)
