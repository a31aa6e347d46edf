"""Tables of several chunks and options as DataFrames, whole or in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.ensemble.store import chunk_reading as reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from simlib.ensemble.store import Entry


@dataclass(frozen=True, slots=True)
class Frames:
    """The tables of an ensemble.

    Attributes
    ----------
    chunks
        The chunks of each option.
    manifest
        What the manifest says.
    """

    chunks: Mapping[str, Sequence[Entry]]
    manifest: Mapping[str, Any]

    def whole(self, table: str) -> pd.DataFrame:
        """Return a table of all chunks."""
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
        """Return frames of options as one; the option is told where there are several."""
        if len(self.chunks) == 1:
            (frame,) = frames.values()
            return frame
        import pandas as pd

        return pd.concat(frames, names=["option", "replication"])
