"""The command line: modules of commands join the application as they are imported."""

from simlib.cli import (
    analogues,
    backtest,
    calibrate,
    commands,
    comparing,
    diff,
    excitation,
    exploring,
    forecast,
    history,
    invert,
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
    "calibrate",
    "commands",
    "comparing",
    "diff",
    "excitation",
    "exploring",
    "forecast",
    "history",
    "invert",
    "main",
    "readings",
    "register",
    "sensitivity",
    "voi",
    "why",
]
