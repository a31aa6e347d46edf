"""``python -m simlib.cli`` is ``simlib``, and like it loads nothing from the current folder."""

import os
import sys

import simlib
from simlib.cli import main

if not sys.flags.safe_path:
    here = sys.path.pop(0)
    if os.path.dirname(os.path.dirname(simlib.__file__)) == here:  # noqa: PTH120
        sys.path.append(here)  # a checkout that is not installed: workers look for it

main()
