"""Writes the dashboards: ``python -m deploy.dashboards [DIRECTORY]``."""

import sys
from pathlib import Path

from deploy.dashboards.everything import write

if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "deploy/grafana/dashboards"))
