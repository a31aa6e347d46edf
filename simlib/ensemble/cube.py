"""Incidents as a labelled cube that is read when it is computed, a chunk at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble.store.chunk_reading import kept
from simlib.ensemble.stored_tables import by_place
from simlib.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from xarray import DataArray

    from simlib.ensemble.store import Directory, Entry
    from simlib.ensemble.stored_tables import Grid


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks of a cube by their position: one for each chunk."""

    directory: Directory
    """Held because a temporary directory lives as long as someone refers to it."""
    entries: tuple[Entry, ...]
    grid: Grid

    def __call__(self, block_id: tuple[int, ...]) -> NDArray[np.int32]:
        return self.grid.counts(self.entries[block_id[0]])


def cube(directory: Directory, entries: Sequence[Entry], manifest: dict[str, Any]) -> DataArray:
    """The incidents of one option: replication x month x place x type.

    Only the failures of chunks that have some are read before it is computed. Raises
    `StoreError` where xarray or Dask is not installed.
    """
    da, xr = _libraries()
    filled = tuple(entry for entry in entries if entry.n_failed < entry.stop - entry.first)
    grid = by_place(manifest)
    replications = [kept(entry) for entry in filled]
    coords = {
        "replication": np.concatenate([np.zeros(0, dtype=np.int32), *replications]),
        "month": grid.months.astype("datetime64[ns]"),
        "place": list(grid.places),
        "type": list(grid.types),
    }
    sizes = tuple(len(part) for part in replications) or (0,)
    counts = _array(da, _Blocks(directory, filled, grid), sizes)
    found: DataArray = xr.DataArray(counts, dims=tuple(coords), coords=coords, name="incidents")
    return found


def beside(cubes: Sequence[DataArray], options: Sequence[str]) -> DataArray:
    """The cubes of several options as one, of the replications that all have."""
    _, xr = _libraries()
    names = xr.DataArray(list(options), dims="option", name="option")
    found: DataArray = xr.concat(cubes, dim=names, join="inner")
    return found


def _array(da: Any, blocks: _Blocks, sizes: tuple[int, ...]) -> Any:
    shape = len(blocks.grid.months), len(blocks.grid.places), len(blocks.grid.types)
    if not blocks.entries:
        return da.zeros((0, *shape), dtype=np.int32)
    return da.map_blocks(
        blocks,
        # What a directory holds may change, so no two cubes share a key.
        name=f"incidents-{uuid.uuid4().hex}",
        chunks=(sizes, *((n,) for n in shape)),
        dtype=np.int32,
        meta=np.empty((0,) * 4, dtype=np.int32),
    )


def _libraries() -> tuple[Any, Any]:
    try:
        import dask.array as da
        import xarray as xr
    except ImportError as error:
        raise StoreError(
            "a labelled cube needs the extra cube: pip install 'simlib-scenarios[cube]'"
        ) from error
    return da, xr
