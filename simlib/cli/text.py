"""Text for people: what a terminal would take as a command never reaches it."""

from __future__ import annotations

import sys


def clean(text: str) -> str:
    """Return text without what would steer a terminal or reorder a line."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(text: str) -> None:
    """Write a line to the output."""
    sys.stdout.write(clean(text) + "\n")


def tell(text: str) -> None:
    """Write a line beside the output: progress, notes, errors."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()
