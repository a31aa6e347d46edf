"""The command line: modules of commands join the application as they are imported."""

from simlib.cli import (
    analogues,
    backtest,
    commands,
    comparing,
    diff,
    exploring,
    forecast,
    history,
    readings,
    register,
    sensitivity,
    voi,
    why,
)
from simlib.cli.app import main

__all__ = [
    "analogues",
    "backtest",
    "commands",
    "comparing",
    "diff",
    "exploring",
    "forecast",
    "history",
    "main",
    "readings",
    "register",
    "sensitivity",
    "voi",
    "why",
]
