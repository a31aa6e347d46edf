"""What chunks hold, read together: DataFrames, columns of outcomes, monthly counts.

Columns and counts are gathered a few at a time, so that memory has a bound.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from simlib.chance import designs
from simlib.ensemble.store import chunk_reading as reading
from simlib.statistics import summaries as statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.ensemble.store import Entry
    from simlib.statistics.summaries import Summary


@dataclass(frozen=True, slots=True)
class Frames:
    """The tables of an ensemble, of the chunks of each option."""

    chunks: Mapping[str, Sequence[Entry]]
    manifest: Mapping[str, Any]

    def whole(self, table: str) -> pd.DataFrame:
        """A table of all chunks."""
        frames = {
            option: self._plain(table, (entry.read(table) for entry in entries))
            for option, entries in self.chunks.items()
        }
        return self._labelled(frames)

    def parts(self, table: str) -> Iterator[pd.DataFrame]:
        """Iterate over a table in pieces, one of each chunk that has rows; at least one."""
        is_empty = True
        for option, entries in self.chunks.items():
            for entry in entries:
                rows = entry.read(table)
                if rows.num_rows:
                    is_empty = False
                    yield self._labelled({option: self._plain(table, [rows])})
        if is_empty:
            yield self._labelled({option: self._plain(table, []) for option in self.chunks})

    def _plain(self, table: str, rows: Iterable[Any]) -> pd.DataFrame:
        frame = reading.frame(table, rows)
        names = list(self.manifest["outcomes"]) if table == "outcomes" else frame.columns
        return frame.reindex(columns=names)

    def _labelled(self, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
        """Frames of options as one; the option is told where there are several."""
        if len(self.chunks) == 1:
            (frame,) = frames.values()
            return frame
        import pandas as pd

        return pd.concat(frames, names=["option", "replication"])


T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""What the columns gathered in one pass over the chunks may take."""


def n_at_once(bytes_each: int) -> int:
    """How many columns one pass may gather, at least one."""
    return max(1, MOST_BYTES // max(1, bytes_each))


def batches(columns: Sequence[T], bytes_each: int) -> Iterator[Sequence[T]]:
    """Cut columns, of so many bytes each, into those that one pass over the chunks gathers."""
    size = n_at_once(bytes_each)
    for start in range(0, len(columns), size):
        yield columns[start : start + size]


class Outcomes:
    """The outcomes of an ensemble, by column: a value for each replication that did not fail.

    The columns gathered last are held, within the budget: asking for them again, one after
    the other, causes no other pass over the chunks. Of the manifest they need the outcomes and
    the design, between whose blocks errors are taken. Only replications before `before` count.
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
        """Which replications the values are of, in order."""
        found = np.concatenate([np.zeros(0, dtype=np.int32), *map(reading.kept, self._entries)])
        return found[found < self._before]

    def summaries(self) -> Iterator[Summary]:
        """Iterate over the lines of all outcomes, with one pass for each batch of columns."""
        bytes_each = self._n_asked * np.dtype(np.float64).itemsize
        for names in batches(list(self._about), bytes_each):
            yield from self._lines(names)

    def summary(self, name: str) -> list[Summary]:
        """The lines of one outcome."""
        return self._summary(name, self._gathered([name])[name])

    def values(self, name: str) -> NDArray[Any]:
        """A column: numbers, or text where the outcome is a class."""
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
        # A window that follows a milestone and is not over says nothing of the number in it.
        is_later = "follows" not in about
        unit, values = about["unit"], column.entries
        return [statistics.of_number(name, unit, values, n_asked, blocks=blocks, is_later=is_later)]

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
        tables = (entry.read("outcomes", ["replication", *names]) for entry in self._entries)
        for table in reading.together(tables):
            rows = table.slice(0, size - start)  # of the last chunk some may come later
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
        """The classes as text, of which each exists once."""
        texts = [*self.codes, None]
        return [texts[code] for code in self.entries.tolist()]


def _column(size: int, is_class: bool) -> _Column:  # noqa: FBT001
    return _Column(np.empty(size, dtype=np.int32 if is_class else np.float64), is_class, {})


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells that incidents are counted in: month (its first day) x group of places x type."""

    months: NDArray[np.datetime64]
    places: tuple[str, ...]
    types: tuple[str, ...]
    group_of: NDArray[np.intp]
    n_groups: int

    def counts(self, entry: Entry) -> NDArray[np.int32]:
        """The counts of a chunk, shape (n_kept, n_months, n_groups, n_types)."""
        replications = reading.kept(entry)
        shape = len(replications), len(self.months), self.n_groups, len(self.types)
        cells = reading.monthly_cells(entry.read("monthly"), self.places, self.types)
        replication, month, place, of_type, count = cells
        where = (
            np.searchsorted(replications, replication),
            np.searchsorted(self.months, month),
            self.group_of[place],
            of_type,
        )
        found = np.bincount(
            np.ravel_multi_index(where, shape), weights=count, minlength=math.prod(shape)
        )
        return found.reshape(shape).astype(np.int32)


def by_place(manifest: dict[str, Any]) -> Grid:
    """The grid in which every place is for itself."""
    return _grid(manifest, range(len(manifest["places"])))


def by_country(manifest: dict[str, Any]) -> Grid:
    """The grid of the countries that `lands` lists."""
    known = lands(manifest)
    return _grid(manifest, [known.index(land) for land in manifest["places"].values()])


def lands(manifest: dict[str, Any]) -> tuple[str, ...]:
    """The countries of the places; empty text stands for none."""
    return tuple(dict.fromkeys(manifest["places"].values()))


class Counts:
    """Incidents by month, one question (type, country) at a time.

    A pass over the chunks costs the same for one question as for many. So it answers those
    that come next in the order of figures too, as many as the budget holds, and counts
    what there is of each type in each country.
    """

    def __init__(self, entries: Sequence[Entry], manifest: dict[str, Any]) -> None:
        self._entries = entries
        self._grid = by_country(manifest)
        self._lands = lands(manifest)
        self._n_kept = sum(entry.stop - entry.first - entry.n_failed for entry in entries)
        # Country by country, as pages are drawn.
        self._questions = [
            (of_type, land) for land in (*self._lands, None) for of_type in self._grid.types
        ]
        self._held: dict[tuple[str, str | None], NDArray[np.int32]] = {}
        self._totals = np.zeros((len(self._lands), len(self._grid.types)), dtype=np.int64)

    def monthly(self, of_type: str, land: str | None) -> NDArray[np.int32]:
        """The counts of one type, shape (n_kept, n_months); read, do not write.

        Raises `KeyError` where there is no such type or country.
        """
        asked = of_type, land
        if asked not in self._questions:
            what = f"no incident type {of_type!r}"
            raise KeyError(what if of_type not in self._grid.types else f"no country {land!r}")
        if asked not in self._held:
            self._gather(self._questions.index(asked))
        return self._held[asked]

    def totals(self) -> NDArray[np.int64]:
        """Incidents over all replications and months, shape (n_lands, n_types)."""
        if not self._held:
            self._gather(0)
        return self._totals

    def _gather(self, first: int) -> None:
        """Answer a question and those that follow it, in one pass over the chunks."""
        # Nothing of before is held while the next answers are gathered.
        self._held = {}
        shape = self._n_kept, len(self._grid.months)
        n_answers = n_at_once(math.prod(shape) * np.dtype(np.int32).itemsize)
        questions = self._questions[first : first + n_answers]
        found = {question: np.zeros(shape, dtype=np.int32) for question in questions}
        totals = np.zeros((self._grid.n_groups, len(self._grid.types)), dtype=np.int64)
        start = 0
        for entry in self._entries:
            counts = self._grid.counts(entry)
            for question, answer in found.items():
                answer[start : start + len(counts)] = self._answer(counts, *question)
            totals += counts.sum(axis=(0, 1), dtype=np.int64)
            start += len(counts)
        self._held, self._totals = found, totals

    def _answer(
        self, counts: NDArray[np.int32], of_type: str, land: str | None
    ) -> NDArray[np.int32]:
        of_one: NDArray[np.int32] = counts[..., self._grid.types.index(of_type)]
        if land is None:
            everywhere: NDArray[np.int32] = of_one.sum(axis=2, dtype=np.int32)
            return everywhere
        there: NDArray[np.int32] = of_one[..., self._lands.index(land)]
        return there


def counts_in(
    entries: Sequence[Entry], manifest: dict[str, Any], windows: Sequence[slice]
) -> NDArray[np.int32]:
    """Incidents in windows of months, shape (n_windows, n_kept, n_places, n_types).

    All windows take one pass over the chunks.
    """
    grid = by_place(manifest)
    n_kept = sum(entry.stop - entry.first - entry.n_failed for entry in entries)
    shape = len(windows), n_kept, grid.n_groups, len(grid.types)
    found = np.zeros(shape, dtype=np.int32)
    start = 0
    for entry in entries:
        counts = grid.counts(entry)
        for of_window, months in zip(found, windows, strict=True):
            of_window[start : start + len(counts)] = counts[:, months].sum(axis=1)
        start += len(counts)
    return found


def _grid(manifest: dict[str, Any], group_of: Sequence[int]) -> Grid:
    return Grid(
        months=np.array(manifest["months"], dtype="datetime64[D]"),
        places=tuple(manifest["places"]),
        types=tuple(manifest["types"]),
        group_of=np.array(group_of, dtype=np.intp),
        n_groups=len(set(group_of)),
    )
