"""How counts develop from month to month, and how long a stay lasts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import (
    INK,
    LIGHT,
    LINES,
    MAIN,
    MARKERS,
    MIDDLE,
    MUTED,
    RULE,
    SHADES,
    WIDTHS,
    axes_or_new,
    date_axis,
    date_number,
    date_numbers,
    dress,
    heading,
    words,
)
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble


MOST_BANDS = 2
"""Curves that can bear a band without one hiding the other."""


def fan(
    ensemble: Ensemble, incident_type: str, country: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw monthly incidents: the 5-95 % band, the quartiles and the median.

    Parameters
    ----------
    ensemble
        Results of one option.
    incident_type
        The type counted.
    country
        Count only there.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax)
    counts = ensemble.monthly_counts(incident_type, country)
    if len(counts):
        _draw_bands(ax, ensemble, counts)
    ax.set_ylim(0, max(ax.get_ylim()[1] * 1.05, 1.0))
    ax.set_ylabel("incidents per month")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    date_axis(ax)
    place = f", {country}" if country else ""
    dress(ax, f"{heading(incident_type)}{place}", f"{len(counts)} replications")
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 0.985),
        ncols=3,
        fontsize=7.5,
        frameon=False,
        labelcolor=INK,
        borderpad=0,
        borderaxespad=0.2,
        handlelength=1.4,
        columnspacing=1.0,
    )
    return ax


def _draw_bands(ax: Axes, ensemble: Ensemble, counts: NDArray[np.int32]) -> None:
    """Draw a step for each month, from its first day to the next month's."""
    last = _span(ensemble)[1]
    months = [date_number(str(month)) for month in ensemble.months()]
    edges = [*months, float(date_numbers([last])[0])]
    quantiles = np.quantile(counts, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    q05, q25, q50, q75, q95 = (np.append(row, row[-1]) for row in quantiles)
    ax.fill_between(edges, q05, q95, step="post", color=LIGHT, linewidth=0, label="5-95 %")
    ax.fill_between(edges, q25, q75, step="post", color=MIDDLE, linewidth=0, label="25-75 %")
    ax.step(edges, q50, where="post", color=MAIN, linewidth=1.6, label="median")


def exit_curve(ensemble: Ensemble, milestone: str, ax: Axes | None = None) -> Axes:
    """Draw the share of replications in which a milestone is not yet completed.

    The Kaplan-Meier curve of the stay, with its Wilson 95 % band. What is not completed by
    the horizon is censored there, and is shown as a circle. Several options are drawn as
    several lines.

    Parameters
    ----------
    ensemble
        Results of one option or several.
    milestone
        Name of the milestone.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax)
    start, horizon = _span(ensemble)
    for index, option in enumerate(ensemble.options):
        part = ensemble.of(option)
        rows = part.milestones[part.milestones["milestone"] == milestone]
        completed = rows["completed_at"].to_numpy(dtype=np.float64)
        label = option or ensemble.name
        curve = _Stay(completed, start, horizon)
        if len(ensemble.options) <= MOST_BANDS:
            _draw_band(ax, curve, index)
        _draw_stay(ax, curve, index, words(label))
    _mark_agreed(ax, ensemble, milestone)
    ax.set_ylim(-2, 104)
    first, last = date_numbers([start, horizon + 0.03 * (horizon - start)])
    ax.set_xlim(first, last)
    ax.set_ylabel("replications not yet completed (%)")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    date_axis(ax)
    band = "95 % band; " if len(ensemble.options) <= MOST_BANDS else ""
    dress(ax, f"Share of the stay remaining: {words(milestone)}", f"{band}hollow mark: censored")
    # Below the axes, where it can cover no line.
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0.0, -0.1),
        fontsize=8,
        frameon=False,
        labelcolor=INK,
        handlelength=3,
        borderaxespad=0,
    )
    return ax


class _Stay:
    """The share not yet completed, as steps."""

    def __init__(self, completed: NDArray[np.float64], start: float, horizon: float) -> None:
        self.n = len(completed)
        times = np.unique(completed[completed <= horizon])
        left = [self.n - np.count_nonzero(completed <= time) for time in times]
        self.n_left = np.array([self.n, *left, left[-1] if left else self.n], dtype=np.int64)
        self.x = date_numbers([start, *times, horizon])
        self.share = 100 * self.n_left / max(self.n, 1)


def _draw_band(ax: Axes, curve: _Stay, index: int) -> None:
    band = np.array([wilson(int(k), curve.n) for k in curve.n_left]) * 100
    color = SHADES[index % len(SHADES)]
    ax.fill_between(
        curve.x, band[:, 0], band[:, 1], step="post", color=color, alpha=0.15, linewidth=0
    )


def _draw_stay(ax: Axes, curve: _Stay, index: int, label: str) -> None:
    color = SHADES[index % len(SHADES)]
    ax.step(
        curve.x,
        curve.share,
        where="post",
        color=color,
        linestyle=LINES[index % len(LINES)],
        # Equal curves stay visible under each other.
        linewidth=WIDTHS[index % len(WIDTHS)],
        alpha=0.7,
        label=f"{label}: {curve.share[-1]:.0f} % open at the end (n = {curve.n})",
    )
    if curve.n_left[-1]:
        marker = MARKERS[index % len(MARKERS)]
        ax.plot(curve.x[-1:], curve.share[-1:], marker, color=color, markerfacecolor="none",
                markersize=9 - index % 4)  # fmt: skip


def _mark_agreed(ax: Axes, ensemble: Ensemble, milestone: str) -> None:
    agreed = ensemble.manifest["milestones"][milestone]
    where = date_number(agreed)
    ax.axvline(where, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    ax.annotate(
        f"agreed {agreed}",
        (where, 2),
        (4, 0),
        xycoords="data",
        textcoords="offset points",
        color=MUTED,
        size=8,
    )


def _span(ensemble: Ensemble) -> tuple[float, float]:
    epoch = dt.date(2000, 1, 1)
    start = dt.date.fromisoformat(ensemble.manifest["start"])
    end = dt.date.fromisoformat(ensemble.manifest["end"])
    return float((start - epoch).days), float((end - epoch).days) + 1.0
