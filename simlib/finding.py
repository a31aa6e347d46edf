"""What an analysis found: every result says it in sentences, a table, figures and files."""

from __future__ import annotations

import html
import importlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from simlib.files import Output, csv_bytes
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Finding(ABC):
    """A result: what is found in words, in numbers and as pictures."""

    __slots__ = ()

    stem: ClassVar[str]
    """Name of the file of its table, without suffix, and of what may replace its files."""

    @abstractmethod
    def sentences(self) -> Sequence[str]:
        """Say what was found, with its error and on how many replications it rests."""

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """All that was found, a row each."""

    def brief(self) -> pd.DataFrame:
        """The rows and columns that fit on a screen; all where that is not too much."""
        return self.table()

    def briefs(self) -> Mapping[str, pd.DataFrame]:
        """What a screen shows below the sentences: brief tables by their titles."""
        return {"": self.brief()}

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table, by the name of its file without suffix."""
        return {self.stem: self.table()}

    def figures(self) -> Mapping[str, Callable[[], Axes | Figure]]:
        """What draws each figure, by the name of its file without suffix."""
        return {}

    def save(self, directory: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write sentences as text, every table as CSV and every figure as PNG.

        Parameters
        ----------
        directory
            Made when it is not there.
        overwrite
            Replace files of these names that this did not write, or that were changed since.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        StoreError
            Another file is there, or one cannot be written.
        """
        return self.write(Output(Path(directory), self.stem, overwrite))

    def write(self, output: Output) -> list[Path]:
        """Write what `save` writes to a folder, as that of whoever may replace its files."""
        tables = self.tables()
        said = "".join(f"{sentence}\n" for sentence in self.sentences())
        # Beside its table, whose name may say more than the stem does.
        name = self.stem if self.stem in tables else next(iter(tables))
        written = [output.write(f"{name}.txt", said.encode())] if said else []
        written += [output.write(f"{n}.csv", csv_bytes(table)) for n, table in tables.items()]
        for name, draw in self.figures().items():
            written.append(output.write(f"{name}.png", plot_room().style.image(draw())))
        return written

    def _repr_html_(self) -> str:
        """Sentences and the brief table, for a notebook."""
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return said + str(self.brief().to_html(index=False, float_format=number))


def plot_room() -> Any:
    """The room of figures, which stands above all results: it is loaded when one is drawn."""
    return importlib.import_module("simlib.plot")
