"""What tests share."""

import sys
from pathlib import Path

try:
    import ractor  # noqa: F401
except ImportError:
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
