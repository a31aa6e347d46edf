"""What every test stands on: no display, repeatable property tests."""

from __future__ import annotations

import matplotlib as mpl
from hypothesis import settings

mpl.use("Agg")
# The same examples each time, and no deadline on a busy machine.
settings.register_profile("simlib", derandomize=True, deadline=None)
settings.load_profile("simlib")
