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
    at_edge,
    axes_or_new,
    beside,
    date_axis,
    date_number,
    date_numbers,
    dress,
    foot,
    grid,
    legend,
    look,
    number_axis,
    wrapped,
)
from simlib.scenario.spelling import heading, words
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
    ensemble: Ensemble,
    incident_type: str,
    country: str | None = None,
    ax: Axes | None = None,
    *,
    is_small: bool = False,
) -> Axes:
    """Draw monthly incidents: of one option bands and the median, of several each with its own.

    Where most months have none, the probability of so many or more in a month is drawn, with
    Wilson 95 % bands.

    Parameters
    ----------
    ensemble
        The results, of one option or several.
    incident_type
        The type counted.
    country
        Count only there.
    ax
        Where; a figure of its own when not given.
    is_small
        One of many panels, which says elsewhere what lines and bands are.
    """
    given = ax
    ax = axes_or_new(ax, 7.2, 4.2)
    counts = [
        ensemble.of(option).monthly_counts(incident_type, country) for option in ensemble.options
    ]
    is_rare = any(len(each) for each in counts) and _is_rare(np.concatenate(counts))
    draw = _draw_chances if is_rare else _draw_bands
    names = draw(ax, ensemble, counts)
    ax.set_ylim(0, max(ax.get_ylim()[1] * 1.05, 1.0))
    chance = "1 or more in a month (%)" if len(counts) > 1 else "probability in a month (%)"
    ax.set_ylabel(chance if is_rare else "incidents per month")
    number_axis(ax.yaxis, 5 if is_small else 6, is_whole=not is_rare)
    grid(ax, "y")
    date_axis(ax)
    place = f", {country}" if country else ""
    n = f"n = {len(counts[0]):,}{' for each option' if len(counts) > 1 else ''}"
    dress(ax, f"{heading(incident_type)}{place}", "" if is_small else n)
    if not is_small or (is_rare and len(counts) == 1):
        _name_lines(ax, names, 0.085 if is_small else 0.05)
    foot(given, ax, ensemble, "bands: 95 % intervals" if is_rare else _BANDS[len(counts) > 1])
    return ax


_BANDS = {
    False: "bands: 5-95 % and 25-75 % of replications",
    True: "bands: 25-75 % of replications",
}


def _is_rare(counts: NDArray[np.int32]) -> bool:
    """Whether most months have no incident in most replications: their median says nothing."""
    return bool(np.median(np.median(counts, axis=0)) < 1.0)


def _edges(ensemble: Ensemble) -> list[float]:
    """The first days of the months, and the end."""
    months = [date_number(str(month)) for month in ensemble.months()]
    return [*months, float(date_numbers([_span(ensemble)[1]])[0])]


def _draw_bands(
    ax: Axes, ensemble: Ensemble, counts: Sequence[NDArray[np.int32]]
) -> list[tuple[str, float, str]]:
    """Draw a step for each month and option; return a name, last height and colour for each."""
    edges, names, is_one = _edges(ensemble), [], len(counts) == 1
    for i, (option, own) in enumerate(zip(ensemble.options, counts, strict=True)):
        if not len(own):
            continue
        color, style = look(i)
        quantiles = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        q05, q25, q50, q75, q95 = (np.append(row, row[-1]) for row in quantiles)
        if is_one:
            ax.fill_between(edges, q05, q95, step="post", color=LIGHT, linewidth=0)
        inner = {"color": MIDDLE} if is_one else {"color": color, "alpha": 0.12}
        ax.fill_between(edges, q25, q75, step="post", linewidth=0, **inner)
        ax.step(edges, q50, where="post", color=color, linewidth=1.6, ls=style)
        if is_one:
            for text, row in zip(("5 %", "25 %", "median", "75 %", "95 %"), quantiles, strict=True):
                names.append((text, float(row[-1]), MAIN if text == "median" else MUTED))
        else:
            names.append((f"{words(option)}, median", float(q50[-1]), color))
    return names


_LEVELS = (2, 3, 5, 10, 20, 50)
_OFTEN = 0.05
"""Share of months that a second level is reached in, at least, where any is."""


def _levels(counts: NDArray[np.int32], n_options: int) -> list[int]:
    """How many or more are asked for: one, and of one option the most that is not too rare."""
    often = [k for k in _LEVELS if (counts >= k).mean() >= _OFTEN]
    return [1, *often[-1:]] if n_options == 1 else [1]


def _draw_chances(
    ax: Axes, ensemble: Ensemble, counts: Sequence[NDArray[np.int32]]
) -> list[tuple[str, float, str]]:
    """Draw the probability of so many or more; return a name, last height and colour for each."""
    edges, names = _edges(ensemble), []
    levels = _levels(np.concatenate(counts), len(counts))
    for i, (option, own) in enumerate(zip(ensemble.options, counts, strict=True)):
        for j, least in enumerate(levels):
            n_with = (own >= least).sum(axis=0)
            band = np.array([wilson(int(yes), len(own)) for yes in n_with])
            low, high, share = (
                100 * np.append(row, row[-1]) for row in (*band.T, n_with / max(1, len(own)))
            )
            color, style = look(i + j)
            ax.fill_between(edges, low, high, step="post", color=color, alpha=0.16, linewidth=0)
            ax.step(edges, share, where="post", color=color, linewidth=1.5, ls=style)
            name = words(option) if len(counts) > 1 else f"{least} or more"
            names.append((name, float(share[-1]), color))
    return names


def _name_lines(ax: Axes, names: Sequence[tuple[str, float, str]], gap: float = 0.05) -> None:
    """Write what lines are beside their ends, apart from each other by a share of the height."""
    low, high = ax.get_ylim()
    gap *= high - low
    ordered = sorted(names, key=lambda name: -name[1])
    heights = np.array([height for _, height, _ in ordered])
    for i in range(1, len(heights)):
        heights[i] = min(heights[i], heights[i - 1] - gap)
    # Those that were pushed below the axis push back.
    for i in range(len(heights) - 1, -1, -1):
        floor = low + gap / 2 if i == len(heights) - 1 else heights[i + 1] + gap
        heights[i] = max(heights[i], floor)
    for (text, _, color), height in zip(ordered, heights.tolist(), strict=True):
        at_edge(ax, wrapped(text, 24), height, color=color, size=7.5)


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
    given = ax
    ax = axes_or_new(ax, 7.2, 4.2)
    start, horizon = _span(ensemble)
    has_bands = len(ensemble.options) <= MOST_BANDS
    names = []
    for index, option in enumerate(ensemble.options):
        part = ensemble.of(option)
        own = part.milestones[part.milestones["milestone"] == milestone]
        curve = _Stay(own["completed_at"].to_numpy(dtype=np.float64), start, horizon)
        curve.draw(ax, index, has_band=has_bands)
        name = f"{words(option)}: " if option else ""
        text = f"{name}{curve.share[-1]:.0f} % open"
        names.append((text, float(curve.share[-1]), SHADES[index % len(SHADES)]))
    _mark_agreed(ax, ensemble, milestone)
    ax.set_ylim(-2, 104)
    first, last = date_numbers([start, horizon + 0.015 * (horizon - start)])
    ax.set_xlim(first, last)
    ax.set_ylabel("replications not yet completed (%)")
    grid(ax, "y")
    date_axis(ax)
    dress(ax, f"Share of the stay remaining: {words(milestone)}", "hollow mark: open at the end")
    _name_lines(ax, names)
    foot(given, ax, ensemble, "bands: 95 % intervals" if has_bands else "")
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

    def draw(self, ax: Axes, index: int, *, has_band: bool) -> None:
        """Draw it as the line of that index: equal curves stay visible under each other."""
        color = SHADES[index % len(SHADES)]
        if has_band:
            low, high = 100 * np.array([wilson(int(k), self.n) for k in self.n_left]).T
            ax.fill_between(self.x, low, high, step="post", color=color, alpha=0.15, lw=0)
        ax.step(
            self.x, self.share, where="post", color=color, alpha=0.7,
            ls=LINES[index % len(LINES)], lw=WIDTHS[index % len(WIDTHS)],
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
