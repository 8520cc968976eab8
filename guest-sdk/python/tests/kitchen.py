"""The kitchen of the guests, whose class runs here as it does in its component."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
GUESTS = REPOSITORY / "tests" / "guests"
sys.path.insert(0, str(GUESTS / "kitchen-py"))

import app  # noqa: E402
import kitchen_pb2  # noqa: E402

sys.path.pop(0)

Kitchen = app.Kitchen
Order = app.Order
__all__ = ["GUESTS", "REPOSITORY", "Kitchen", "Order", "kitchen_pb2"]
