"""Curves: counts by month, the share of a stay, and distributions against what they should be."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.distributions import quantile
from simlib.plot.style import (
    ACCENT,
    LIGHT,
    LINES,
    MAIN,
    MARKERS,
    MIDDLE,
    MUTED,
    SHADES,
    WIDTHS,
    axes_or_new,
    beside,
    date_axis,
    date_number,
    date_numbers,
    dress,
    grid,
    heading,
    legend,
    words,
)
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.evidence.abc_smc.inverse_problems import Inversion
    from simlib.statistics.ranks import Uniformity

MOST_BANDS = 2
"""Curves that can bear a band without one hiding the other."""


def fan(
    ensemble: Ensemble, incident_type: str, country: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw monthly incidents of one option: the 5-95 % band, the quartiles and the median.

    Parameters
    ----------
    incident_type
        The type counted.
    country
        Count only there.
    """
    ax = axes_or_new(ax)
    counts = ensemble.monthly_counts(incident_type, country)
    if len(counts):
        _draw_bands(ax, ensemble, counts)
    ax.set_ylim(0, max(ax.get_ylim()[1] * 1.05, 1.0))
    ax.set_ylabel("incidents per month")
    grid(ax, "y")
    date_axis(ax)
    place = f", {country}" if country else ""
    dress(ax, f"{heading(incident_type)}{place}", f"{len(counts)} replications")
    legend(
        ax, "lower right", ncols=3, bbox_to_anchor=(1.0, 0.985), borderpad=0, borderaxespad=0.2,
        handlelength=1.4, columnspacing=1.0,
    )  # fmt: skip
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
    the horizon is censored there, and is shown as a hollow mark. Several options are drawn
    as several lines.

    Parameters
    ----------
    milestone
        Its name.
    """
    ax = axes_or_new(ax)
    start, horizon = _span(ensemble)
    has_bands = len(ensemble.options) <= MOST_BANDS
    for index, option in enumerate(ensemble.options):
        part = ensemble.of(option)
        own = part.milestones[part.milestones["milestone"] == milestone]
        curve = _Stay(own["completed_at"].to_numpy(dtype=np.float64), start, horizon)
        curve.draw(ax, index, words(option or ensemble.name), has_band=has_bands)
    _mark_agreed(ax, ensemble, milestone)
    ax.set_ylim(-2, 104)
    first, last = date_numbers([start, horizon + 0.03 * (horizon - start)])
    ax.set_xlim(first, last)
    ax.set_ylabel("replications not yet completed (%)")
    grid(ax, "y")
    date_axis(ax)
    band = "95 % band; " if has_bands else ""
    dress(ax, f"Share of the stay remaining: {words(milestone)}", f"{band}hollow mark: censored")
    legend(ax, "below", gap=26, fontsize=8, handlelength=3)
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

    def draw(self, ax: Axes, index: int, name: str, *, has_band: bool) -> None:
        """Draw it as the line of that index: equal curves stay visible under each other."""
        color = SHADES[index % len(SHADES)]
        if has_band:
            low, high = 100 * np.array([wilson(int(k), self.n) for k in self.n_left]).T
            ax.fill_between(self.x, low, high, step="post", color=color, alpha=0.15, lw=0)
        ax.step(
            self.x, self.share, where="post", color=color, alpha=0.7,
            ls=LINES[index % len(LINES)], lw=WIDTHS[index % len(WIDTHS)],
            label=f"{name}: {self.share[-1]:.0f} % open at the end (n = {self.n})",
        )  # fmt: skip
        if self.n_left[-1]:
            marker = MARKERS[index % len(MARKERS)]
            ax.plot(self.x[-1], self.share[-1], marker, color=color, mfc="none", ms=9 - index % 4)


def _mark_agreed(ax: Axes, ensemble: Ensemble, milestone: str) -> None:
    agreed = ensemble.manifest["milestones"].get(milestone)
    if agreed is None:
        return
    where = date_number(agreed)
    ax.axvline(where, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    beside(ax, f"agreed {agreed}", (where, 2), 4, color=MUTED, size=8, va="baseline")


def _span(ensemble: Ensemble) -> tuple[float, float]:
    epoch = dt.date(2000, 1, 1)
    start = dt.date.fromisoformat(ensemble.manifest["start"])
    end = dt.date.fromisoformat(ensemble.manifest["end"])
    return float((start - epoch).days), float((end - epoch).days) + 1.0


def rescaled(
    intervals: Sequence[float], title: str = "Rescaled intervals", ax: Axes | None = None
) -> Axes:
    """Draw rescaled intervals between events against the exponential, with a 95 % band.

    Parameters
    ----------
    intervals
        What `simlib.evidence.excitation.hawkes.rescaled_intervals` returns.
    title
        Of the figure.

    Notes
    -----
    The band is that of Kolmogorov and Smirnov, 1.36 / sqrt(n) (Ogata 1988).
    """
    ax = axes_or_new(ax, 4.6, 4.2)
    shares = np.sort(-np.expm1(-np.asarray(intervals, dtype=np.float64)))
    expected = (np.arange(len(shares)) + 0.5) / len(shares)
    width = 1.36 / np.sqrt(len(shares))
    ends = np.array([0.0, 1.0])
    ax.fill_between(ends, ends - width, ends + width, color=LIGHT, linewidth=0)
    ax.plot(ends, ends, color=MUTED, linewidth=0.8)
    ax.plot(expected, shares, color=MAIN, linewidth=1.4)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="expected", ylabel="1 - exp(-interval)")
    dress(ax, title, f"{len(shares):,} intervals; band of 95 %")
    return ax


def ranks(result: Uniformity, title: str = "Ranks of truths", ax: Axes | None = None) -> Axes:
    """Draw the shares of ranks less those of uniform ones, with their simultaneous band."""
    ax = axes_or_new(ax, 5.6, 3.4)
    n_values = len(result.share_below)
    place = np.arange(1, n_values + 1) / n_values
    lower, upper = result.band.lower - place, result.band.upper - place
    ax.fill_between(place, lower, upper, step="mid", color=LIGHT, linewidth=0)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    color = MAIN if result.is_uniform else ACCENT
    ax.step(place, result.share_below - place, where="mid", color=color, linewidth=1.4)
    ax.set(xlim=(0, 1), xlabel="rank over the number of draws", ylabel="share below, less uniform")
    dress(ax, title, f"{result.n_ranks:,} ranks; {result.probability:.0%} band, all at once")
    return ax


def inversion(result: Inversion, name: str, ax: Axes | None = None) -> Axes:
    """Draw the posterior of an unknown over its prior, as cumulative distributions.

    Parameters
    ----------
    name
        The unknown.
    """
    ax = axes_or_new(ax, 5.6, 3.4)
    ((kind, arguments),) = result.problem.priors[name].items()
    shares = np.linspace(0.005, 0.995, 200)
    prior = [quantile(kind, dict(arguments), share) for share in shares.tolist()]
    values = result.values(name)
    order = np.argsort(values)
    weights = np.cumsum(result.weights[order])
    ax.plot(prior, shares, color=MUTED, lw=1.2, ls="--", label="prior")
    ax.step(values[order], weights, where="post", color=MAIN, lw=1.6, label="posterior")
    ax.set(ylim=(0, 1), xlabel=name, ylabel="cumulative probability")
    legend(ax)
    dress(ax, words(name), f"{result.contraction(name):.0%} of the prior variance gone")
    return ax
