"""What every test shares: the repository root on the import path, so that tests can import `tests.…`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
