"""The command line: modules of commands join the application as they are imported."""

from simlib.cli import (
    commands,
    comparing,
    diff,
    excitation,
    exploring,
    history,
    invert,
    readings,
    sensitivity,
    voi,
    why,
)
from simlib.cli.app import main

__all__ = [
    "commands",
    "comparing",
    "diff",
    "excitation",
    "exploring",
    "history",
    "invert",
    "main",
    "readings",
    "sensitivity",
    "voi",
    "why",
]
