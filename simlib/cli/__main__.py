"""``python -m simlib.cli`` is ``simlib``."""

from simlib.cli import main

main()
