"""The command line."""

from simlib.cli.commands import main

__all__ = ["main"]
