"""Panels: how one outcome is spread over replications, under one option or several at once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.histograms import bin_edges, histogram
from simlib.plot.rows import Dots, draw_shares, rows
from simlib.plot.style import (
    ACCENT,
    INK,
    MARKERS,
    MIDDLE,
    at_edge,
    axes_or_new,
    dress,
    foot,
    grid,
    legend,
    look,
    number_axis,
    option_name,
    wrapped,
)
from simlib.statistics.formatting import number, supported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.statistics.summaries import Summary

    Floats = NDArray[np.float64]

CUT = 0.99
"""Quantile at which an axis ends where few values lie far beyond it."""
CUT_OFF = f"the axis ends at the {100 * CUT:.0f} % quantile"
_FAR = 1.25
"""How many times as far the largest value must lie for that."""


def distribution(
    ensemble: Ensemble, outcome: str, ax: Axes | None = None, *, is_small: bool = False
) -> Axes:
    """Draw how one outcome is spread over replications, all options in one figure.

    A number: a histogram with the median and the 5-95 % range; the axis ends at the 99 %
    quantile where the largest lie far beyond it. A class or a yes/no: probabilities with
    Wilson 95 % intervals.

    Parameters
    ----------
    ensemble
        The results, of one option or several.
    outcome
        Its name.
    ax
        Where; a figure of its own when not given.
    is_small
        One of many panels, which names the options elsewhere.

    Raises
    ------
    KeyError
        There is no such outcome.
    """
    parts = [ensemble.of(option) for option in ensemble.options]
    found = [part.summary(outcome) for part in parts]
    given, n_options = ax, len(parts)
    ax = axes_or_new(ax, 6.8, 3.8 + 0.25 * n_options)
    if found[0][0].kind == "number":
        note = _draw_numbers(ax, parts, outcome, [lines[0] for lines in found], is_small=is_small)
    else:
        labels = [ensemble.term(each.category) or "yes" for each in found[0]]
        _draw_probabilities(ax, parts, found, labels, is_small=is_small)
        note = _count(found)
    note = "" if is_small and n_options > 1 else note
    dress(ax, ensemble.labels[outcome], note, width=35 if is_small else 64)
    foot(given, ax, ensemble, "intervals: 95 %" if found[0][0].kind != "number" else "")
    return ax


def probabilities(ensemble: Ensemble, ax: Axes | None = None) -> Axes:
    """Draw the probability of every yes/no outcome, all options in one figure.

    Parameters
    ----------
    ensemble
        The results, of one option or several.
    """
    about, given = ensemble.manifest["outcomes"], ax
    names = [name for name, outcome in about.items() if outcome["kind"] == "flag"]
    gather(ensemble)
    per_row = 0.34 + 0.1 * len(ensemble.options)
    ax = axes_or_new(ax, 7.2, 1.6 + per_row * len(names))
    flags(ensemble, names, ax)
    first = [ensemble.of(option).summary(names[0]) for option in ensemble.options if names]
    dress(ax, "What comes about", _count(first) if names else "no yes/no outcome")
    foot(given, ax, ensemble, "intervals: 95 %")
    return ax


def gather(ensemble: Ensemble) -> None:
    """Read all outcomes in one pass over the chunks: what is asked next causes none."""
    for option in ensemble.options:
        deque(ensemble.of(option).summaries(), maxlen=0)


def flags(ensemble: Ensemble, names: Sequence[str], ax: Axes, *, is_small: bool = False) -> Axes:
    """Draw the probabilities of yes/no outcomes, a row each, all options in each row."""
    parts = [ensemble.of(option) for option in ensemble.options]
    by_part = [{name: part.summary(name)[0] for name in names} for part in parts]
    found = [list(of_names.values()) for of_names in by_part]
    labels = [ensemble.labels[name] for name in names]
    _draw_probabilities(ax, parts, found, labels, is_small=is_small)
    return ax


def _draw_probabilities(
    ax: Axes,
    parts: Sequence[Ensemble],
    found: Sequence[Sequence[Summary]],
    labels: Sequence[str],
    *,
    is_small: bool,
) -> None:
    """Draw a row for each label: a bar of one option, or points of several."""
    if len(parts) == 1:
        draw_shares(ax, found[0], labels)
        return
    dots = []
    for i, (part, lines) in enumerate(zip(parts, found, strict=True)):
        values = 100.0 * np.array([(row.mean, row.low, row.high) for row in lines]).T
        color = look(i)[0]
        dots.append(Dots(values, option_name(part), color, MARKERS[i % len(MARKERS)]))
    rows(ax, [wrapped(label) for label in labels], dots)
    right = ax.get_xlim()[1]
    ax.set_xlim(-0.02 * right, right)
    ax.set_xlabel("probability (%), with 95 % interval")
    if not is_small:
        legend(ax, "below", ncols=3)


def _count(found: Sequence[Sequence[Summary]]) -> str:
    counts = {(lines[0].n + lines[0].n_censored, lines[0].n_asked) for lines in found}
    text = " or ".join(f"{n:,} of {n_asked:,}" for n, n_asked in sorted(counts))
    return f"n = {text}{' for each option' if len(found) > 1 else ''}"


def _draw_numbers(
    ax: Axes,
    parts: Sequence[Ensemble],
    outcome: str,
    lines: Sequence[Summary],
    *,
    is_small: bool,
) -> str:
    """Draw a histogram of each option with its range above; return what is to be noted."""
    every = [part.values(outcome) for part in parts]
    seen = [values[~np.isnan(values)] for values in every]
    pooled = np.concatenate(seen)
    ax.set_xlabel(lines[0].unit or "value")
    ax.set_ylabel("replications (%)")
    grid(ax, "y")
    if not len(pooled):
        ax.set_yticks([])
        return f"none settled in {lines[0].n_asked:,} replications"
    last = _cut(pooled)
    edges = bin_edges(pooled[pooled <= last])
    # Between two whole numbers there is nothing to be read of what is counted.
    is_counted = bool(np.all(pooled == np.round(pooled)))
    number_axis(ax.xaxis, 5 if is_small else 6, is_whole=is_counted)
    number_axis(ax.yaxis, 5)
    tops = [
        _draw_one(ax, i, each, (edges, len(every[i])), len(parts)) for i, each in enumerate(seen)
    ]
    _mark_ranges(ax, lines, (float(edges[0]), float(edges[-1])), max(tops))
    if not is_small and len(parts) > 1:
        _name_ranges(ax, parts, lines, max(tops))
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= min(100.0, max(tops) * 1.02)])
    if is_small:
        return _number_note(lines[0])
    notes = [
        f"{_number_note(lines[0])}; n = {len(every[0]):,}"
        if len(parts) == 1
        else _count([[row] for row in lines])
    ]
    if last < pooled.max():
        notes.append(CUT_OFF)
    return "\n".join(notes)


def _cut(values: Floats) -> float:
    """Where the axis ends: at the largest value, or at a quantile that it lies far beyond."""
    low, most = float(values.min()), float(values.max())
    end = float(np.quantile(values, CUT))
    return end if end > low and most - low > _FAR * (end - low) else most


def _draw_one(ax: Axes, i: int, values: Floats, bins: tuple[Floats, int], n_options: int) -> float:
    """Draw the histogram of an option, and return how high it is."""
    edges, n = bins
    if n_options == 1:
        shares = histogram(ax, values, edges, n=n, fill=True, color=MIDDLE)
        # One line a gap: a patch for each bar takes far longer to draw.
        ax.vlines(edges[1:-1], 0, np.minimum(shares[1:], shares[:-1]), color="white", linewidth=0.6)
    else:
        color, style = look(i)
        shares = histogram(ax, values, edges, n=n, color=color, ls=style, lw=1.5)
    return float(shares.max(initial=0.0))


_STEP = 0.09
"""Of the height of the bars, between the ranges of two options above them."""


def _height(top: float, i: int, n: int) -> float:
    return top * (1.06 + _STEP * (n - 1 - i))


def _mark_ranges(ax: Axes, lines: Sequence[Summary], span: tuple[float, float], top: float) -> None:
    """Draw the 5-95 % range and the median of each option just above the bars."""
    n = len(lines)
    for i, row in enumerate(lines):
        color = INK if n == 1 else look(i)[0]
        y = _height(top, i, n)
        low, high = (min(max(q, span[0]), span[1]) for q in (row.q05, row.q95))
        ax.plot([low, high], [y, y], color=color, linewidth=1.4, solid_capstyle="butt")
        ends = [q for q in (row.q05, row.q95) if np.isfinite(q) and q <= span[1]]
        ax.plot(ends, [y] * len(ends), "|", color=color, markersize=6)
        if np.isfinite(row.q50) and row.q50 <= span[1]:
            ax.plot([row.q50], [y], "D", color=ACCENT if n == 1 else color, markersize=4.5)
            if n == 1:
                dash = (0, (4, 3))
                ax.axvline(row.q50, color=ACCENT, linewidth=1, linestyle=dash, ymax=0.88)
    ax.set_ylim(0, _height(top, 0, n) + 0.09 * top)


def _name_ranges(ax: Axes, parts: Sequence[Ensemble], lines: Sequence[Summary], top: float) -> None:
    """Name each option beside its range."""
    for i, (part, row) in enumerate(zip(parts, lines, strict=True)):
        text = f"{option_name(part)}: {_middle(row)}"
        at_edge(ax, text, _height(top, i, len(parts)), color=look(i)[0], size=7.5)


def _middle(row: Summary) -> str:
    """The median in words, and how much is open."""
    if not row.n:
        return "none settled"
    text = f"median {number(row.q50)}"
    return (
        f"{text}, {row.n_censored / (row.n + row.n_censored):.0%} open".replace("%", " %")
        if row.n_censored
        else text
    )


def _number_note(row: Summary) -> str:
    middle, low, high = _points(row.q50, row.q05, row.q95)
    text = f"median {middle}, 5-95 % {low} to {high}"
    if not row.n_censored:
        return text
    return f"{text}\n{100 * row.n_censored / (row.n + row.n_censored):.0f} % open at the end"


def _points(*quantiles: float) -> list[str]:
    """Quantiles as text, fractions to about a hundredth of what they span."""
    finite = [each for each in quantiles if np.isfinite(each)]
    is_whole = all(each == round(each) for each in finite)
    step = float(np.ptp(finite)) / 10.0 if finite else 0.0

    def told(value: float) -> str:
        if np.isinf(value):
            return "after the end"
        return number(value) if is_whole or np.isnan(value) else supported(0.0, step, value)[0]

    return [told(each) for each in quantiles]
