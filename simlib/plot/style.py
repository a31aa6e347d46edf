"""What the figures share: a sober palette, plain axes, a canvas that needs no display."""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter

from simlib.errors import StoreError
from simlib.files import write_file
from simlib.packages import brought, loaded, refused

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

# matplotlib types all but its dates.
_dates: Any = importlib.import_module("matplotlib.dates")

INK = "#22303c"
MUTED = "#66717c"
RULE = "#d9dee3"
MAIN = "#2f5d8a"
MIDDLE = "#8fb0cf"
LIGHT = "#d3e0ec"
ACCENT = "#b0532f"

_UNDATED: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
"""Formats of figures, and what of them would say when they were drawn."""

LINES = ("-", "--", "-.", ":")
WIDTHS = (3.2, 2.2, 1.5, 1.2)
MARKERS = ("o", "s", "^", "D", "v", "P")
SHADES = (MAIN, ACCENT, "#4c7a5a", "#7a5c8e", "#8a7433", MUTED)

SPELLINGS = "simlib.spellings"
"""Entry points of this name say how names are spelled that identifiers write in lower case."""


def new_figure(width: float, height: float) -> Figure:
    """Return a figure in inches that no window, no pyplot and no global style knows."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(width, height), layout=layout, dpi=150)
    FigureCanvasAgg(figure)
    return figure


def save(drawn: Figure | Axes, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a figure, or the one that axes stand on, as PNG, SVG or PDF by the suffix.

    Raises
    ------
    StoreError
        The suffix is another one, another file is there, or it cannot be written.
    """
    file = Path(path)
    write_file(file, image(drawn, format_of(file)), force=overwrite)


def format_of(path: Path) -> str:
    """Return the format that a figure's suffix says.

    Raises
    ------
    StoreError
        It says none.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _UNDATED:
        raise StoreError(f"{path}: must end in .png, .svg or .pdf")
    return kind


def image(drawn: Figure | Axes, kind: str = "png") -> bytes:
    """Return a figure as a file's content: the same figure has always the same.

    It is laid out once (matplotlib would do it at each drawing).
    """
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None  # noqa: S101  (axes stand on one)
    _take_literally(figure)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": "simlib"}):
        figure.savefig(content, format=kind, metadata=_UNDATED[kind])
    return content.getvalue()


def _take_literally(figure: Figure) -> None:
    """Let no text be read as a formula: names and units may hold dollar signs."""
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    powers = {
        label
        for axis in axes
        if isinstance(axis.get_major_formatter(), LogFormatter)
        for label in axis.get_ticklabels(which="both")
    }
    for text in figure.findobj(Text):
        if text not in powers:
            text.set_parse_math(False)


def axes_or_new(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """Return the axes given, or new ones on a figure of their own."""
    return new_figure(width, height).subplots() if ax is None else ax


def dress(ax: Axes, title: str, note: str = "") -> None:
    """Give axes their title, a note below it, and nothing that is not needed."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(colors=INK, labelsize=8, length=3)
    ax.xaxis.label.set(color=INK, size=8.5)
    ax.yaxis.label.set(color=INK, size=8.5)
    ax.set_axisbelow(True)
    pad = 7 + 11 * (note.count("\n") + 1 if note else 0)
    ax.set_title(title, loc="left", color=INK, size=10, weight="bold", pad=pad)
    if note:
        ax.annotate(
            note,
            (0, 1),
            (0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            color=MUTED,
            size=8,
            va="bottom",
        )


def date_axis(ax: Axes) -> None:
    """Label the horizontal axis with dates, the year once."""
    locator = _dates.AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator))
    ax.xaxis.get_offset_text().set(color=INK, size=8)


def date_numbers(days: Iterable[float]) -> NDArray[np.float64]:
    """Return days since 2000-01-01 as matplotlib counts them."""
    epoch = float(_dates.date2num(np.datetime64("2000-01-01")))
    return np.fromiter(days, dtype=np.float64) + epoch


def date_number(date: str) -> float:
    """Return an ISO date as matplotlib counts it."""
    return float(_dates.date2num(np.datetime64(date)))


def words(name: str) -> str:
    """Return an identifier as words.

    Examples
    --------
    >>> words("raids_north.year_1")
    'raids north year 1'
    """
    parts, spelled = name.replace("_", " ").replace(".", " ").split(), _spelled()
    return " ".join(spelled.get(part, part) for part in parts)


def _spelled() -> dict[str, str]:
    """Return how installed packages spell names, by what identifiers write."""
    found: dict[str, str] = {}
    for entries in brought(SPELLINGS).values():
        for entry in entries:
            names = loaded(entry)
            if not isinstance(names, dict):
                raise refused(entry, "must be a mapping of names", names)
            found |= names
    return found


def heading(name: str) -> str:
    """Return an identifier as the words of a title."""
    text = words(name)
    return text[:1].upper() + text[1:]
