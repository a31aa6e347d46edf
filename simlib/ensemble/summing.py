"""Outcomes summed up a few columns at a time, so that memory has a bound."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.chance import designs
from simlib.ensemble import budget
from simlib.ensemble.store import chunk_reading as reading
from simlib.statistics import summaries as statistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.store import Entry
    from simlib.statistics.summaries import Summary


class Outcomes:
    """The outcomes of an ensemble, by column: a value for each replication that did not fail.

    The columns gathered last are held, within the budget: asking for them again, one after
    the other, causes no other pass over the chunks.

    Parameters
    ----------
    entries
        The chunks.
    manifest
        What the manifest says: of each outcome, and of the design, whose blocks errors are
        taken between.
    before
        Only replications before this one.
    """

    def __init__(
        self, entries: Sequence[Entry], manifest: Mapping[str, Any], *, before: int | None = None
    ) -> None:
        self._before = max((e.stop for e in entries), default=0) if before is None else before
        self._entries = [entry for entry in entries if entry.first < self._before]
        self._about: Mapping[str, Mapping[str, Any]] = manifest["outcomes"]
        self._design = manifest["design"]
        self._n_asked = sum(min(e.stop, self._before) - e.first for e in self._entries)
        self._held: dict[str, _Column] = {}

    @functools.cached_property
    def replications(self) -> NDArray[np.int32]:
        """Return which replications the values are of, in order."""
        found = np.concatenate([np.zeros(0, dtype=np.int32), *map(reading.kept, self._entries)])
        return found[found < self._before]

    def summaries(self) -> Iterator[Summary]:
        """Iterate over the lines of all outcomes, with one pass for each batch of columns."""
        bytes_each = self._n_asked * np.dtype(np.float64).itemsize
        for names in budget.batches(list(self._about), bytes_each):
            yield from self._lines(names)

    def summary(self, name: str) -> list[Summary]:
        """Return the lines of one outcome."""
        return self._summary(name, self._gathered([name])[name])

    def values(self, name: str) -> NDArray[Any]:
        """Return a column: numbers, or text where the outcome is a class."""
        column = self._gathered([name])[name]
        return np.array(column.as_texts(), dtype=object) if column.is_class else column.entries

    def _lines(self, names: Sequence[str]) -> Iterator[Summary]:
        # A generator of its own: it lets go of a batch before the next is gathered.
        columns = self._gathered(names)
        for name in names:
            yield from self._summary(name, columns[name])

    def _summary(self, name: str, column: _Column) -> list[Summary]:
        about, n_asked = self._about[name], self._n_asked
        blocks = designs.blocks(self._design, self.replications)
        if column.is_class:
            is_told = column.entries >= 0
            texts = [text for text in column.as_texts() if text is not None]
            own = None if blocks is None else blocks[is_told]
            return statistics.of_classes(name, about["classes"], texts, n_asked, blocks=own)
        if about["kind"] == "flag":
            return [statistics.of_flag(name, column.entries, n_asked, blocks=blocks)]
        return [statistics.of_number(name, about["unit"], column.entries, n_asked, blocks=blocks)]

    def _gathered(self, names: Sequence[str]) -> Mapping[str, _Column]:
        if not self._held.keys() >= set(names):
            # Nothing of before is held while the next batch is gathered.
            self._held = {}
            self._held = self._gather(names)
        return self._held

    def _gather(self, names: Sequence[str]) -> dict[str, _Column]:
        size = len(self.replications)
        columns = {name: _column(size, self._about[name]["kind"] == "class") for name in names}
        start = 0
        for entry in self._entries:
            rows = entry.read("outcomes", ["replication", *names])
            if entry.stop > self._before:
                rows = rows.slice(0, size - start)
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
