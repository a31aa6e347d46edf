"""The command line: modules of commands join the application as they are imported."""

from simlib.cli import commands, readings, voi
from simlib.cli.app import main

__all__ = ["commands", "main", "readings", "voi"]
