"""How much of an ensemble is held in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""What the columns gathered in one pass over the chunks may take."""


def n_at_once(bytes_each: int) -> int:
    """Return how many columns one pass may gather, at least one."""
    return max(1, MOST_BYTES // max(1, bytes_each))


def batches(columns: Sequence[T], bytes_each: int) -> Iterator[Sequence[T]]:
    """Cut columns into those that one pass over the chunks gathers.

    Parameters
    ----------
    columns
        What stands for the columns.
    bytes_each
        What one of them takes.
    """
    size = n_at_once(bytes_each)
    for start in range(0, len(columns), size):
        yield columns[start : start + size]
