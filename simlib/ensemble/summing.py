"""Outcomes summed up a few columns at a time, so that memory has a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble import budget, statistics
from simlib.ensemble.store import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.statistics import Summary
    from simlib.ensemble.store.directory import Entry


class Outcomes:
    """The outcomes of an ensemble, by column: a value for each replication that did not fail.

    The columns gathered last are held, within the budget: asking for them again, one after
    the other, causes no other pass over the chunks.

    Parameters
    ----------
    entries
        The chunks.
    about
        What the manifest says of each outcome.
    """

    def __init__(self, entries: Sequence[Entry], about: Mapping[str, Mapping[str, Any]]) -> None:
        self._entries = entries
        self._about = about
        self._n_asked = sum(entry.stop - entry.first for entry in entries)
        self._held: dict[str, _Column] = {}

    def summaries(self) -> Iterator[Summary]:
        """Iterate over the lines of all outcomes, with one pass for each batch of columns."""
        bytes_each = self._n_asked * np.dtype(np.float64).itemsize
        for names in budget.batches(list(self._about), bytes_each):
            columns = self._gathered(names)
            for name in names:
                yield from self._summary(name, columns[name])

    def summary(self, name: str) -> list[Summary]:
        """Return the lines of one outcome."""
        return self._summary(name, self._gathered([name])[name])

    def values(self, name: str) -> NDArray[Any]:
        """Return a column: numbers, or text where the outcome is a class."""
        column = self._gathered([name])[name]
        return np.array(column.as_texts(), dtype=object) if column.is_class else column.entries

    def _summary(self, name: str, column: _Column) -> list[Summary]:
        kind, n_asked = self._about[name]["kind"], self._n_asked
        if column.is_class:
            texts = [text for text in column.as_texts() if text is not None]
            return statistics.of_classes(name, self._about[name]["classes"], texts, n_asked)
        if kind == "flag":
            return [statistics.of_flag(name, column.entries, n_asked)]
        return [statistics.of_number(name, self._about[name]["unit"], column.entries, n_asked)]

    def _gathered(self, names: Sequence[str]) -> Mapping[str, _Column]:
        if not self._held.keys() >= set(names):
            # Nothing of before is held while the next batch is gathered.
            self._held = {}
            self._held = self._gather(names)
        return self._held

    def _gather(self, names: Sequence[str]) -> dict[str, _Column]:
        size = sum(entry.stop - entry.first - entry.n_failed for entry in self._entries)
        columns = {name: _column(size, self._about[name]["kind"] == "class") for name in names}
        start = 0
        for entry in self._entries:
            rows = entry.read("outcomes")
            for name, column in columns.items():
                column.fill(start, rows, name)
            start += rows.num_rows
        return columns


@dataclass(frozen=True, slots=True)
class _Column:
    """Numbers (nan is censored), or the codes of classes (-1 is none)."""

    entries: NDArray[Any]
    is_class: bool
    codes: dict[str, int]

    def fill(self, start: int, rows: Any, name: str) -> None:
        """Take over what a chunk holds."""
        found = (
            reading.codes(rows, name, self.codes) if self.is_class else reading.numbers(rows, name)
        )
        self.entries[start : start + len(found)] = found

    def as_texts(self) -> list[str | None]:
        """Return the classes as text, of which each exists once."""
        texts = [*self.codes, None]
        return [texts[code] for code in self.entries.tolist()]


def _column(size: int, is_class: bool) -> _Column:  # noqa: FBT001
    return _Column(np.empty(size, dtype=np.int32 if is_class else np.float64), is_class, {})
