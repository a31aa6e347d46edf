"""Monthly counts of incidents, dense, from the rows of a chunk at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble import budget
from simlib.ensemble.store import chunk_reading as reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.store import Entry


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells that incidents are counted in: month x group of places x type.

    Attributes
    ----------
    months
        First days of the months.
    places, types
        Their names.
    group_of
        Position of the group of each place.
    n_groups
        How many groups there are.
    """

    months: NDArray[np.datetime64]
    places: tuple[str, ...]
    types: tuple[str, ...]
    group_of: NDArray[np.intp]
    n_groups: int

    def counts(self, entry: Entry) -> NDArray[np.int32]:
        """Return the counts of a chunk, shape (n_kept, n_months, n_groups, n_types)."""
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
    """Return the grid in which every place is for itself."""
    return _grid(manifest, range(len(manifest["places"])))


def by_country(manifest: dict[str, Any]) -> Grid:
    """Return the grid of the countries that `lands` lists."""
    known = lands(manifest)
    return _grid(manifest, [known.index(land) for land in manifest["places"].values()])


def lands(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Return the countries of the places; empty text stands for none."""
    return tuple(dict.fromkeys(manifest["places"].values()))


class Counts:
    """Incidents by month, one question (type, country) at a time.

    A pass over the chunks costs the same for one question as for many. So it answers those
    that come next in the order of figures too, as many as the budget holds, and counts
    what there is of each type in each country.

    Parameters
    ----------
    entries
        The chunks.
    manifest
        What the manifest says.
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
        """Return the counts of one type, shape (n_kept, n_months); read, do not write.

        Raises
        ------
        KeyError
            There is no such type or country.
        """
        asked = of_type, land
        if asked not in self._questions:
            what = f"no incident type {of_type!r}"
            raise KeyError(what if of_type not in self._grid.types else f"no country {land!r}")
        if asked not in self._held:
            self._gather(self._questions.index(asked))
        return self._held[asked]

    def totals(self) -> NDArray[np.int64]:
        """Return incidents over all replications and months, shape (n_lands, n_types)."""
        if not self._held:
            self._gather(0)
        return self._totals

    def _gather(self, first: int) -> None:
        """Answer a question and those that follow it, in one pass over the chunks."""
        # Nothing of before is held while the next answers are gathered.
        self._held = {}
        shape = self._n_kept, len(self._grid.months)
        n_answers = budget.n_at_once(math.prod(shape) * np.dtype(np.int32).itemsize)
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


def _grid(manifest: dict[str, Any], group_of: Sequence[int]) -> Grid:
    return Grid(
        months=np.array(manifest["months"], dtype="datetime64[D]"),
        places=tuple(manifest["places"]),
        types=tuple(manifest["types"]),
        group_of=np.array(group_of, dtype=np.intp),
        n_groups=len(set(group_of)),
    )
