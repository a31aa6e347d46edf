"""Small pictures as SVG text: a few shapes with classes, which the page's style colours.

A picture written so follows the page into dark and onto paper, needs no attribute that a
content security policy would refuse, and takes a tenth of the bytes of a general plotter's.
Coordinates have one decimal.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from simlib.plot.histograms import bin_edges
from simlib.reporting.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WIDTH = 360.0
"""Of a picture in units of its own: a letter is as large on a telephone as in the text."""
_LEFT, _RIGHT, _TOP = 34.0, 350.0, 8.0
_N_STYLES = 6
"""Looks of a series in the page's style: ``s0`` to ``s5``."""
TAIL = 0.99
"""Quantile up to which a long tail is drawn."""


@dataclass(frozen=True, slots=True)
class AxisScale:
    """A straight line from values to places."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """The place of a value; beyond an end it is the end."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.first + min(max(share, 0.0), 1.0) * (self.last - self.first)


def style(index: int) -> str:
    """The class of the series of that index."""
    return f"s{index % _N_STYLES}"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values from one end to the other, at most so many.

    Examples
    --------
    >>> ticks(0.0, 104.0)
    [0.0, 50.0, 100.0]
    """
    if not high > low:
        return [low]
    found = MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(low, high)
    # Those beyond the ends, which the locator adds, have no place on the axis.
    slack = 1e-9 * (high - low)
    return [float(f"{tick:.10g}") for tick in found if low - slack <= tick <= high + slack]


def picture(shapes: Iterable[Markup], title: str, height: float, about: str = "") -> Markup:
    """A drawing with its name and description, which is read out in its place."""
    said = Markup("<desc>{}</desc>").format(plain(about)) if about else Markup()
    return Markup(
        '<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>'
    ).format(_short(WIDTH), _short(height), plain(title), said, Markup().join(shapes))


def text(x: float, y: float, what: str, kind: str = "t") -> Markup:
    """Text that begins, is centred or ends at a place, by its class."""
    mark = Markup('<text x="{}" y="{}" class="{}">{}</text>')
    return mark.format(_short(x), _short(y), kind, plain(what))


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A line from one point to another."""
    path = f"M{_short(x1)} {_short(y1)}L{_short(x2)} {_short(y2)}"
    return Markup('<path d="{}" class="{}"/>').format(path, kind)


def stairs(edges: Sequence[float], heights: Sequence[float], base: float, kind: str) -> Markup:
    """An outline of bars between edges, from the base and back to it."""
    parts = [f"M{_short(edges[0])} {_short(base)}"]
    for height, edge in zip(heights, edges[1:], strict=True):
        parts.append(f"V{_short(height)}H{_short(edge)}")
    return Markup('<path d="{}" class="{}"/>').format("".join([*parts, f"V{_short(base)}"]), kind)


def steps(xs: Sequence[float], ys: Sequence[float], kind: str) -> Markup:
    """A line that keeps its height until the next place."""
    parts = [f"M{_short(xs[0])} {_short(ys[0])}"]
    parts += [f"H{_short(x)}V{_short(y)}" for x, y in zip(xs[1:], ys[1:], strict=True)]
    return Markup('<path d="{}" class="{}"/>').format("".join(parts), kind)


def histogram(series: Mapping[str, Floats], title: str, unit: str, about: str) -> Markup:
    """Values of one or several series, in percent of each; nan is not drawn but counted.

    The tail beyond `TAIL` of the longest series is gathered in the last bar, which says so.
    """
    seen = {name: values[~np.isnan(values)] for name, values in series.items()}
    everything = np.concatenate(list(seen.values()))
    if not len(everything):
        return picture([text(WIDTH / 2, 40, "none observed", "t m")], title, 60, about)
    # The same edges for all series: heights can be compared only between equal bars.
    edges = bin_edges(everything[everything <= np.quantile(everything, TAIL, method="higher")])
    x = AxisScale(float(edges[0]), float(edges[-1]), _LEFT, _RIGHT)
    # Percent of all replications of a series, so that what is not seen is missing in its bars.
    shares = {
        name: 100.0 * np.histogram(np.minimum(v, edges[-1]), edges)[0] / max(len(series[name]), 1)
        for name, v in seen.items()
    }
    y = AxisScale(
        0.0, max(5.0, *(float(max(share)) for share in shares.values())), 150.0, _TOP + 12
    )
    shapes = [text(0, _TOP + 2, "% of replications")]
    for tick in ticks(0.0, y.high, 4):
        shapes += [line(_LEFT, y.at(tick), _RIGHT, y.at(tick), "g")]
        shapes += [text(_LEFT - 4, y.at(tick) + 4, _label(tick), "t e")]
    # The first series is filled; outlines over it leave it in sight.
    places = [x.at(edge) for edge in edges.tolist()]
    for index, share in enumerate(shares.values()):
        kind = f"{style(index)} {'bar' if index == 0 else 'out'}"
        shapes.append(stairs(places, [y.at(value) for value in share.tolist()], 150.0, kind))
    is_cut = float(everything.max()) > float(edges[-1])
    # Bars of whole numbers begin half a number before the first that they hold.
    first = math.ceil(edges[-2]) if edges[-2] % 1.0 == 0.5 else float(f"{edges[-2]:.3g}")
    cut = f"; the last bar holds all from {_label(first)} on" if is_cut else ""
    shapes += _axis(x, 150.0, unit + cut)
    return picture(shapes, title, 186, about)


def _axis(x: AxisScale, base: float, label: str) -> list[Markup]:
    shapes = [line(x.first, base, x.last, base, "a")]
    for tick in ticks(x.low, x.high):
        place = x.at(tick)
        shapes += [line(place, base, place, base + 4, "a")]
        shapes += [text(place, base + 16, _label(tick), "t m")]
    return [*shapes, text(x.last, base + 31, label, "t e")]


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate with its interval, of a series."""

    series: int
    value: float
    low: float
    high: float


def dots(rows: Mapping[str, Sequence[Dot]], title: str, about: str) -> Markup:
    """Probabilities with their intervals: a row a class, a dot a series."""
    x = AxisScale(0.0, 100.0, 8.0, WIDTH - 14.0)
    shapes: list[Markup] = []
    y = _TOP + 8.0
    for label, found in rows.items():
        shapes.append(text(0, y, label))
        for dot in found:
            y += 11.0
            low, value, high = (x.at(100.0 * end) for end in (dot.low, dot.value, dot.high))
            shapes.append(line(low, y, high, y, f"{style(dot.series)} whisker"))
            shapes.append(point(value, y, dot.series))
        y += 22.0
    base = y - 8.0
    shapes += _axis(x, base, "probability, %")
    return picture(shapes, title, base + 36.0, about)


def point(x: float, y: float, series: int) -> Markup:
    """A series' own mark: circles, squares, diamonds and triangles in turn."""
    r = 3.6
    marks = (
        f"M{_short(x - r)} {_short(y)}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0",
        f"M{_short(x - r)} {_short(y - r)}h{2 * r}v{2 * r}h{-2 * r}z",
        f"M{_short(x)} {_short(y - r - 1)}l{r + 1} {r + 1}l{-r - 1} {r + 1}l{-r - 1} {-r - 1}z",
        f"M{_short(x)} {_short(y - r)}l{r + 0.6} {2 * r}h{-2 * r - 1.2}z",
    )
    shape = marks[series % len(marks)]
    return Markup('<path d="{}" class="{} dot"/>').format(shape, style(series))


def whisker(dot: Dot, reach: float, title: str) -> Markup:
    """An effect with its interval on a line about 0, which reaches as far to both sides."""
    x = AxisScale(-reach, reach, 4.0, 116.0)
    shapes = [line(60, 0, 60, 18, "a")]
    if math.isfinite(dot.low) and math.isfinite(dot.high):
        shapes.append(line(x.at(dot.low), 9, x.at(dot.high), 9, f"{style(dot.series)} whisker"))
    if math.isfinite(dot.value):
        shapes.append(point(x.at(dot.value), 9, dot.series))
    mark = Markup('<svg class="inline" viewBox="0 0 120 18" role="img" aria-label="{}">{}</svg>')
    return mark.format(plain(title), Markup().join(shapes))


def key(series: int) -> Markup:
    """What a series looks like, for a legend: its outline or bar, and its mark."""
    kind = f"{style(series)} {'out' if series else 'bar'}"
    shapes = [stairs([1, 27], [1], 13, kind), line(1, 13, 27, 13, kind), point(14, 7, series)]
    return Markup('<svg class="key" viewBox="0 0 28 14" aria-hidden="true">{}</svg>').format(
        Markup().join(shapes)
    )


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    dates: Sequence[tuple[float, str]],
    title: str,
    marks: Mapping[str, float],
    about: str,
) -> Markup:
    """Shares in percent over days, as steps; marks are upright lines that bear a word."""
    days = [x for xs, _ in series.values() for x in xs]
    x, y = AxisScale(min(days), max(days), _LEFT, _RIGHT), AxisScale(0.0, 100.0, 170.0, _TOP + 14)
    shapes = [text(0, _TOP + 2, "% of replications in which it has not ended")]
    for tick in (0.0, 50.0, 100.0):
        shapes += [line(_LEFT, y.at(tick), _RIGHT, y.at(tick), "g")]
        shapes += [text(_LEFT - 4, y.at(tick) + 4, _label(tick), "t e")]
    for day, label in dates:
        shapes += [line(x.at(day), 170, x.at(day), 174, "a"), text(x.at(day), 186, label, "t m")]
    for word, day in marks.items():
        side = "t e" if day > (x.low + x.high) / 2 else "t"
        gap = -4 if side == "t e" else 4
        shapes += [line(x.at(day), _TOP + 14, x.at(day), 170, "mark")]
        shapes += [text(x.at(day) + gap, 164, word, side)]
    for index, (xs, ys) in enumerate(series.values()):
        places = [x.at(value) for value in xs]
        shapes.append(steps(places, [y.at(v) for v in ys], f"{style(index)} curve"))
    return picture(shapes, title, 194, about)


def calendar(rows: Mapping[str, Sequence[int]], title: str, years: Sequence[int]) -> Markup:
    """Counts by month: a row of bars for each name, each as high as its own greatest month."""
    left, right, height = 132.0, WIDTH - 44.0, 22.0
    n = max((len(counts) for counts in rows.values()), default=1)
    edges = [left + (right - left) * i / n for i in range(n + 1)]
    shapes, y = [text(WIDTH, 10, "most", "t e")], 14.0
    for name, counts in rows.items():
        base, most = y + height - 4.0, max(*counts, 1)
        tops = [base - (height - 7.0) * count / most for count in counts]
        shapes += [text(0, base - 2, name), line(left, base, right, base, "g")]
        shapes += [stairs(edges, tops, base, "s0 bar"), text(WIDTH, base - 2, f"{most:,}", "t e")]
        y += height
    # January of each year is marked: months run from the first on.
    for index, year in _first_months(years):
        place = edges[index]
        shapes += [line(place, 14, place, y, "g"), text(place + 2, y + 10, year)]
    return picture(shapes, title, y + 16.0)


def _first_months(years: Sequence[int]) -> list[tuple[int, str]]:
    pairs = itertools.pairwise([0, *years])
    return [(i, str(year)) for i, (before, year) in enumerate(pairs) if year != before]


def _label(value: float) -> str:
    """A round number as it is."""
    return f"{value:,.10g}"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
