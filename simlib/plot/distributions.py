"""How an outcome is spread over replications."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MIDDLE,
    RULE,
    axes_or_new,
    dress,
    heading,
    words,
)
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.statistics.summaries import Summary

FEWEST_BARS, MOST_BARS = 10, 40


def distribution(ensemble: Ensemble, outcome: str, ax: Axes | None = None) -> Axes:
    """Draw the distribution of one outcome over the replications.

    A number: a histogram with the median and the 5-95 % range. A class or a yes/no:
    probabilities with Wilson 95 % intervals.

    Parameters
    ----------
    ensemble
        Results of one option.
    outcome
        Name of the outcome.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax)
    rows = ensemble.summary(outcome)
    if rows[0].kind == "number":
        _draw_number(ax, rows[0], ensemble.values(outcome))
    else:
        _draw_probabilities(ax, rows)
    return ax


def _draw_number(ax: Axes, row: Summary, values: NDArray[np.float64]) -> None:
    seen = values[~np.isnan(values)]
    ax.set_xlabel(row.unit or "value")
    ax.set_ylabel("replications (%)")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    if len(seen):
        edges = _edges(seen)
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        weights = np.full(len(seen), 100.0 / len(values))
        shares, _ = np.histogram(seen, edges, weights=weights)
        ax.stairs(shares, edges, fill=True, color=MIDDLE)
        # One line a gap: a patch for each bar takes far longer to draw.
        ax.vlines(edges[1:-1], 0, np.minimum(shares[1:], shares[:-1]), color="white", linewidth=0.6)
        _mark_range(ax, row, (float(edges[0]), float(edges[-1])))
    dress(ax, _title(row.outcome), _number_note(row))


def _mark_range(ax: Axes, row: Summary, span: tuple[float, float]) -> None:
    """Draw the 5-95 % range and the median just above the bars."""
    low, high = (min(max(q, span[0]), span[1]) for q in (row.q05, row.q95))
    top = ax.get_ylim()[1] * 1.06
    ax.plot([low, high], [top, top], color=INK, linewidth=1.4, solid_capstyle="butt")
    ends = [end for end, q in ((low, row.q05), (high, row.q95)) if np.isfinite(q)]
    ax.plot(ends, [top] * len(ends), "|", color=INK, markersize=7)
    if np.isfinite(row.q50):
        ax.plot([row.q50], [top], "D", color=ACCENT, markersize=5)
        ax.axvline(row.q50, color=ACCENT, linewidth=1, linestyle=(0, (4, 3)), ymax=0.9)
    ax.set_ylim(0, top * 1.08)


def _number_note(row: Summary) -> str:
    if not row.n:
        return f"none observed in {row.n_asked} replications"
    middle = f"median {number(row.q50)}, 5-95 % {number(row.q05)} to {number(row.q95)}"
    text = f"{middle}; n = {row.n} of {row.n_asked}"
    return f"{text}\n{row.n_censored} not completed by the end" if row.n_censored else text


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    n_bins = min(max(len(np.histogram_bin_edges(values, "fd")) - 1, FEWEST_BARS), MOST_BARS)
    if np.all(values == np.round(values)):
        # Bars of whole numbers each hold as many of them.
        step = float(np.ceil((high - low + 1) / n_bins))
        return np.arange(low - 0.5, high + step + 0.5, step)
    return np.linspace(low, high, n_bins + 1)


def probabilities(ensemble: Ensemble, ax: Axes | None = None) -> Axes:
    """Draw the probability of every yes/no outcome, with its Wilson 95 % interval.

    Parameters
    ----------
    ensemble
        Results of one option.
    ax
        Where to draw; new axes when not given.
    """
    rows = [row for row in ensemble.summaries() if row.kind == "flag"]
    ax = axes_or_new(ax, 6.4, 1.4 + 0.42 * len(rows))
    _draw_bars(ax, rows, [heading(row.outcome) for row in rows])
    n = f"n = {rows[0].n} of {rows[0].n_asked}" if rows else "no yes/no outcome"
    dress(ax, "Yes/no outcomes", n)
    return ax


def _draw_probabilities(ax: Axes, rows: list[Summary]) -> None:
    _draw_bars(ax, rows, [words(row.category) if row.category else "yes" for row in rows])
    dress(ax, _title(rows[0].outcome), f"n = {rows[0].n} of {rows[0].n_asked}")


def _draw_bars(ax: Axes, rows: list[Summary], labels: list[str]) -> None:
    heights = np.arange(len(rows))[::-1]
    shares = np.array([0.0 if np.isnan(row.mean) else row.mean for row in rows]) * 100
    ax.barh(heights, shares, height=0.62, color=LIGHT, edgecolor=MAIN, linewidth=0.8)
    for height, row in zip(heights, rows, strict=True):
        ax.plot([100 * row.low, 100 * row.high], [height, height], color=INK, linewidth=1.4)
        # To the right of the interval, where nothing else is drawn.
        ax.annotate(
            _percent(row),
            (100 * row.high, height),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            size=8,
        )
    ax.set_yticks(heights, ["\n".join(textwrap.wrap(label, 28)) for label in labels])
    ax.set_xlim(0, min(122.0, max((100 * row.high for row in rows), default=100.0) * 1.22 + 4))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 100])
    room = 0.7 if len(rows) > 1 else 1.2
    ax.set_ylim(-room, len(rows) - 1 + room)
    ax.set_xlabel("probability (%), with 95 % interval")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.tick_params(axis="y", length=0)


def _percent(row: Summary) -> str:
    if not row.n:
        return "-"
    return f"{100 * row.mean:.1f} %" if row.mean else f"< 3/{row.n}"


def _title(outcome: str) -> str:
    return "\n".join(textwrap.wrap(heading(outcome), 46))
