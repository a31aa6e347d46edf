"""What the figures share: a sober palette, plain axes, a canvas that needs no display."""

from __future__ import annotations

import importlib
import io
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, MaxNLocator, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from simlib.errors import Problem, ScenarioError, StoreError
from simlib.files import write_file
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble

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
FILLS = (LIGHT, "#eadfd3", "#dbe7dc", "#e6dced", "#ebe6cc", "#dfe2e5")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")


def new_figure(width: float, height: float) -> Figure:
    """A figure in inches that no window, no pyplot and no global style knows."""
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
    """The format that a figure's suffix says.

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
    """A figure as a file's content: the same figure has always the same.

    It is laid out once (matplotlib would do it at each drawing).
    """
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None  # noqa: S101  (axes stand on one)
    _take_literally(figure)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine(None)  # "none" would have all drawn once more
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": "simlib"}):
        figure.savefig(content, format=kind, metadata=_UNDATED[kind])
    return content.getvalue()


def svg(drawn: Figure | Axes, prefix: str) -> str:
    """A figure as an ``<svg>`` element for a page, small and with text that can be read.

    Text stays text, in the page's own sans-serif. Every id begins with the prefix, so that
    several figures can stand on one page.
    """
    with rc_context({"svg.fonttype": "none"}):
        text = image(drawn, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    # matplotlib names every group; only what is referred to needs its name.
    named = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(
        r' id="([\w.-]+)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in named else "", text
    )
    text = re.sub(r'(xlink:href="|url\()#([\w.-]+)', rf"\1#{prefix}-\2", text)
    text = re.sub(r"(\d+\.\d\d)\d+", r"\1", text)
    text = re.sub(r' d="[^"]*"', _shortened, text)
    text = re.sub(r"font-family: [^;]*;", "font-family: sans-serif;", text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    return re.sub(r"\n\s*", "\n", text).replace("<g>\n</g>\n", "")


def _shortened(path: re.Match[str]) -> str:
    """What a path runs through, to a tenth of a point."""
    text = re.sub(r"(\.\d)\d+", r"\1", path[0]).replace(".0 ", " ")
    return re.sub(r"\s*\n\s*", "", text).replace("L ", "L").replace("M ", "M")


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


def look(i: int) -> tuple[str, Any]:
    """Colour and line of the i-th option, told apart without colour too."""
    return SHADES[i % len(SHADES)], LINES[i % len(LINES)]


def option_name(part: Ensemble) -> str:
    """What the only option of an ensemble is called."""
    return words(part.options[0] or "as written")


def key(figure: Figure, options: Sequence[str]) -> None:
    """Say once, above all panels of a figure, what each option looks like."""
    handles = [
        Line2D(
            [], [], color=look(i)[0], ls=look(i)[1], lw=2, marker=MARKERS[i % len(MARKERS)], ms=5
        )
        for i in range(len(options))
    ]
    figure.legend(
        handles, [words(option or "as written") for option in options], loc="outside upper right",
        ncols=len(options), frameon=False, fontsize=9, labelcolor=INK,
    )  # fmt: skip


def axes_or_new(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """The axes given, or new ones on a figure of their own."""
    return new_figure(width, height).subplots() if ax is None else ax


def page(
    drawings: Sequence[Callable[..., object]], columns: int, size: tuple[float, float]
) -> Figure:
    """Draw side by side, each of a size in inches, in rows of so many columns at most."""
    columns = min(columns, len(drawings))
    rows = -(-len(drawings) // columns)
    figure = new_figure(size[0] * columns, size[1] * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, draw in zip(axes, drawings, strict=False):
        draw(ax=ax)
    for ax in axes[len(drawings) :]:
        ax.set_axis_off()
    return figure


def dress(ax: Axes, title: str, note: str = "", *, width: int = 64) -> None:
    """Give axes their title, in lines of so many characters, a note below it, and no ornament."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(colors=INK, labelsize=8)
    ax.xaxis.label.set(color=INK, size=8.5)
    ax.yaxis.label.set(color=INK, size=8.5)
    ax.set_axisbelow(True)
    pad = 7 + 11 * (note.count("\n") + 1 if note else 0)
    ax.set_title(wrapped(title, width), loc="left", color=INK, size=10, weight="bold", pad=pad)
    if note:
        ax.annotate(
            note, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
            color=MUTED, size=8, va="bottom",
        )  # fmt: skip


NOT_OBSERVED = "model results, not observations"


def foot(given: Axes | None, ax: Axes, ensemble: Ensemble, *notes: str) -> None:
    """Say below a figure of its own what it rests on: scenario, replications, notes.

    Where the axes were given, the page they stand on says it.
    """
    counts = sorted({part.n - part.n_failed for part in map(ensemble.of, ensemble.options)})
    n = " or ".join(f"{count:,}" for count in counts)
    over = f" for each of {len(ensemble.options)} options" if len(ensemble.options) > 1 else ""
    only = ensemble.options[0] if len(ensemble.options) == 1 else ""
    is_said = bool(only) and only != ensemble.name
    name = heading(ensemble.name) + (f", option {words(only)}" if is_said else "")
    say_below(given, ax, name, f"n = {n}{over}", *notes)


def say_below(given: Axes | None, ax: Axes, *parts: str) -> None:
    """Say something below a figure of its own, and that it shows no observations."""
    if given is not None:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101  (axes stand on one)
    text = "; ".join([*filter(None, parts), NOT_OBSERVED])
    text = text[:1].upper() + text[1:]
    width = int(figure.get_figwidth() * 17)
    figure.supxlabel(wrapped(f"{text}.", width), x=0.012, ha="left", color=MUTED, size=7)


def grid(ax: Axes, along: Literal["x", "y", "both"]) -> None:
    """Rule lines at the ticks of an axis, or of both."""
    ax.grid(axis=along, color=RULE, linewidth=0.6)


def legend(ax: Axes, place: str = "best", *, gap: float = 34, **how: Any) -> None:
    """Say what is what, without a frame.

    The place is as matplotlib says it, or ``below``: under the axes, where it can cover no
    line, with a gap in points for the ticks and their label.
    """
    look: dict[str, Any] = {"loc": place, "frameon": False, "fontsize": 7.5, "labelcolor": INK}
    if place == "below":
        figure = ax.get_figure(root=True)
        assert figure is not None  # noqa: S101  (axes stand on one)
        down = ScaledTranslation(0, -gap / 72, figure.dpi_scale_trans)
        look |= {
            "loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 0.0,
            "bbox_transform": ax.transAxes + down,
        }  # fmt: skip
    ax.legend(**look | how)


def beside(ax: Axes, text: str, at: tuple[float, float], gap: float = 6, **how: Any) -> None:
    """Write text to the right of a point, so many points away; to its left where below 0."""
    look = {"va": "center", "ha": "left" if gap > 0 else "right", "color": INK, "size": 7.5}
    ax.annotate(text, at, (gap, 0), textcoords="offset points", **look | how)


def at_edge(ax: Axes, text: str, height: float, **how: Any) -> None:
    """Write text at the right edge of the axes, at a height of theirs."""
    edge = ("axes fraction", "data")
    beside(ax, text, (1, height), xycoords=edge, annotation_clip=False, **how)


def number_axis(axis: Axis, n_ticks: int = 6, *, is_whole: bool = False) -> None:
    """Label an axis with plain numbers at round places; of what is counted with whole ones."""
    # Where all is one number, that is its only whole one.
    least = 1 if is_whole else 2
    axis.set_major_locator(
        MaxNLocator(n_ticks, steps=[1, 2, 5, 10], integer=is_whole, min_n_ticks=least)
    )
    axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))


def date_axis(ax: Axes) -> None:
    """Label the horizontal axis with dates, the year once."""
    locator = _dates.AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator))
    ax.xaxis.get_offset_text().set(color=INK, size=8)


def date_numbers(days: Iterable[float]) -> NDArray[np.float64]:
    """Days since 2000-01-01 as matplotlib counts them."""
    epoch = float(_dates.date2num(np.datetime64("2000-01-01")))
    return np.fromiter(days, dtype=np.float64) + epoch


def date_number(date: str) -> float:
    """An ISO date as matplotlib counts it."""
    return float(_dates.date2num(np.datetime64(date)))


def wrapped(text: str, width: int = 28) -> str:
    """Text in lines of so many characters."""
    return "\n".join(textwrap.wrap(text, width))


def known(outcome: str | None, found: Iterable[str]) -> str:
    """The outcome that is to be drawn; the only one where none is named.

    Raises
    ------
    ScenarioError
        It is not there, or there are several.
    """
    names = list(found)
    if outcome is None and len(names) == 1:
        return names[0]
    if outcome is None or outcome not in names:
        rule = f"nothing to draw of it (got {outcome})"
        raise ScenarioError([Problem("outcome", rule, f"one of {', '.join(names) or 'none'}")])
    return outcome
