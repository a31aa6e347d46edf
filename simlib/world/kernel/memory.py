"""Lay tables out in the kernel's arrays, and view them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.world.kernel import kernel_tables as t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_CONTROL_FLOATS = 5
_DIRECTORY_END = t.STATE + len(t.WIDTHS)


class Memory:
    """The kernel's three arrays with their tables laid out.

    Parameters
    ----------
    contents
        Contents of each table of `WIDTHS`, of type float64, int64 or uint64, with one or
        two dimensions; they are copied.

    Attributes
    ----------
    floats, ints, words
        The arrays. The first places of `floats` and `ints` are control numbers.
    views
        Each table by name, as a view.
    """

    def __init__(self, contents: Mapping[str, NDArray[Any]]) -> None:
        sizes = {"f": _CONTROL_FLOATS, "i": _DIRECTORY_END, "u": 0}
        places: dict[str, int] = {}
        for name in t.WIDTHS:
            kind = contents[name].dtype.kind
            places[name] = sizes[kind]
            sizes[kind] += contents[name].size
        self.floats: t.Floats = np.zeros(sizes["f"])
        self.ints: t.Integers = np.zeros(sizes["i"], dtype=np.int64)
        self.words: t.Words = np.zeros(sizes["u"], dtype=np.uint64)
        self.views: dict[str, NDArray[Any]] = {}
        arrays: dict[str, NDArray[Any]] = {"f": self.floats, "i": self.ints, "u": self.words}
        for number, name in enumerate(t.WIDTHS):
            table = contents[name]
            first = places[name]
            view = arrays[table.dtype.kind][first : first + table.size].reshape(table.shape)
            view[...] = table
            self.views[name] = view
            width = table.shape[1] if table.ndim > 1 else 1
            assert width == t.WIDTHS[name]  # noqa: S101  (else the kernel reads other rows)
            self.ints[t.STATE + number] = first
