"""Histograms: how an outcome, the differences within pairs or lead times are spread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from simlib.analysis.comparison.paired_effects import times
from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MIDDLE,
    MUTED,
    axes_or_new,
    beside,
    dress,
    foot,
    grid,
    legend,
    number_axis,
    say_below,
    wrapped,
)
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.comparison.comparison import Comparison
    from simlib.analysis.comparison.paired_effects import PairedEffect
    from simlib.analysis.discovery.early_warning import EarlyWarning

    Floats = NDArray[np.float64]

FEWEST_BARS, MOST_BINS = 10, 40
_MIDDLE = (0.005, 0.995)
"""Quantiles of differences that an axis spans."""


def bin_edges(values: Floats, fewest: int = FEWEST_BARS) -> Floats:
    """The edges of bars: as many as Freedman and Diaconis advise, but not too few or many.

    Bars of whole numbers each hold as many of them.
    """
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    n_bins = min(max(len(np.histogram_bin_edges(values, "fd")) - 1, fewest), MOST_BINS)
    if np.all(values == np.round(values)):
        step = float(np.ceil((high - low + 1) / n_bins))
        return np.arange(low - 0.5, high + step + 0.5, step)
    if high <= low:
        return np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, n_bins + 1)


def histogram(
    ax: Axes, values: Floats, edges: Floats, *, n: int | None = None, **how: Any
) -> Floats:
    """Draw percent of the values, or of ``n``, between edges; return them."""
    weights = np.full(len(values), 100.0 / max(len(values) if n is None else n, 1))
    shares: Floats = np.histogram(values, edges, weights=weights)[0]
    ax.stairs(shares, edges, **how)
    return shares


def effect(
    comparison: Comparison, outcome: str, option: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the differences of one outcome within pairs, beside those of independent runs.

    A number: a histogram of the paired differences with their mean and its 95 % interval,
    the outline of the differences that the same runs have when they are paired at random,
    and, in a corner, the outcome under both options. A class or a yes/no: how many pairs
    are yes under both, one, or none.

    Parameters
    ----------
    outcome
        Name of the outcome; of one that is a class, ``OUTCOME.CLASS``.
    option
        The counterfactual option; the only one when not given.

    Raises
    ------
    ScenarioError
        There is no such outcome or option.
    """
    found, given = comparison.effect(outcome, option), ax
    ax = axes_or_new(ax, 7.2, 4.6)
    one, other = comparison.pairs(outcome, found.option)
    is_seen = ~(np.isnan(one) | np.isnan(other))
    pairs = one[is_seen], other[is_seen]
    before, after = (words(name or "as written") for name in (comparison.baseline, found.option))
    if found.kind == "number":
        _draw_differences(ax, found, pairs)
        if len(pairs[0]):
            _draw_both(ax, found, pairs, (before, after))
    else:
        what = comparison.ensemble.term(found.category) or "yes"
        _draw_pairs(ax, what, pairs, (before, after))
    label = comparison.ensemble.label(found.outcome, found.category)
    dress(ax, f"{label}: {after} against {before}", _effect_note(found))
    cut = f"the axis spans {100 * _MIDDLE[0]:g} to {100 * _MIDDLE[1]:g} % of the differences"
    foot(given, ax, comparison.ensemble, "interval: 95 %", cut if found.kind == "number" else "")
    return ax


def _draw_differences(ax: Axes, found: PairedEffect, pairs: tuple[Floats, Floats]) -> None:
    change, strangers = pairs[1] - pairs[0], _strangers(*pairs)
    pooled = np.concatenate([change, strangers])
    ax.set_xlabel(f"difference ({found.unit})" if found.unit else "difference")
    ax.set_ylabel("pairs (%)")
    grid(ax, "y")
    if not len(change):
        return
    # Few differences of strangers lie far out, and would leave no room to those within pairs.
    first, last = np.quantile(pooled, _MIDDLE, method="inverted_cdf")
    edges = bin_edges(pooled[(pooled >= first) & (pooled <= last)], MOST_BINS)
    within = histogram(ax, change, edges, fill=True, color=MIDDLE, label="within pairs, same luck")
    other = histogram(ax, strangers, edges, color=INK, lw=1.1, ls="--", label="independent runs")
    # The upper half is kept free for the legend and for the outcome under both options.
    top = max(float(within.max()), float(other.max())) * 1.85
    ax.set_ylim(0, top)
    number_axis(ax.yaxis, 8)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= 0.56 * top])
    ax.axvline(found.effect, color=ACCENT, linewidth=1.2, ymax=0.56)
    ax.axvline(0, color=MUTED, linewidth=0.8, linestyle=":", ymax=0.56)
    if math.isfinite(found.low):
        ends = [found.low, found.high]
        ax.plot(ends, [top * 0.575] * 2, color=ACCENT, linewidth=2, solid_capstyle="butt")
    ax.plot(found.effect, top * 0.575, "D", color=ACCENT, ms=5, label="mean, 95 % interval")
    number_axis(ax.xaxis, 7)
    legend(ax, "upper left")


def _strangers(one: Floats, other: Floats) -> Floats:
    """Differences of the same runs, each with another's: as if they were independent."""
    n = len(one)
    if n < 2:
        return other - one
    return np.concatenate([np.roll(other, k) - one for k in range(1, min(n, 8))])


def _draw_both(
    ax: Axes, found: PairedEffect, pairs: tuple[Floats, Floats], names: tuple[str, str]
) -> None:
    """Draw the outcome under both options, in the corner kept free for it."""
    small = ax.inset_axes((0.58, 0.72, 0.41, 0.25))
    edges = bin_edges(np.concatenate(pairs), MOST_BINS)
    before = histogram(small, pairs[0], edges, fill=True, color=LIGHT, label=names[0])
    after = histogram(small, pairs[1], edges, color=ACCENT, linewidth=1, label=names[1])
    small.set_yticks([])
    small.set_ylim(0, max(float(before.max()), float(after.max())) * 1.9)
    number_axis(small.xaxis, 4)
    small.spines[["top", "right", "left"]].set_visible(False)
    small.spines["bottom"].set_color(MUTED)
    small.tick_params(colors=INK, labelsize=6.5, length=2)
    small.set_xlabel(found.unit or "value", size=6.5, color=INK, labelpad=1)
    legend(small, "upper right", fontsize=6.5, borderpad=0)


def _draw_pairs(ax: Axes, what: str, pairs: tuple[Floats, Floats], names: tuple[str, str]) -> None:
    one, other = (side > 0 for side in pairs)
    kinds = (
        ("under both", one & other, LIGHT, ""),
        (f"only under {names[0]}", one & ~other, MIDDLE, "//"),
        (f"only under {names[1]}", ~one & other, ACCENT, "\\\\"),
        ("under neither", ~one & ~other, "white", ""),
    )
    y = range(len(kinds) - 1, -1, -1)
    for height, (_, is_so, color, hatch) in zip(y, kinds, strict=True):
        share = 100.0 * float(is_so.mean()) if len(is_so) else 0.0
        ax.barh(height, share, 0.62, fc=color, ec=MAIN, hatch=hatch, lw=0.8)
        beside(ax, f"{share:.1f} % ({int(is_so.sum()):,})", (share, height), size=8)
    ax.set_yticks(y, [wrapped(f"{what} {kind[0]}") for kind in kinds])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, 118)
    ax.set_xticks(range(0, 101, 20))
    ax.set_xlabel("pairs (%)")
    grid(ax, "x")


def _effect_note(found: PairedEffect) -> str:
    before, after = (found.side(value) for value in (found.baseline, found.counterfactual))
    effect = f"effect {found.told}" if found.n_differing else found.told
    text = f"{before} becomes {after}; {effect}; n = {found.n:,} pairs"
    if found.n_censored:
        text += f", {found.n_censored} not settled by the end"
    if math.isnan(found.variance_reduction) or math.isinf(found.variance_reduction):
        return text
    return f"{text}\nindependent runs would need {times(found.variance_reduction)} as many pairs"


def lead_times(found: EarlyWarning, ax: Axes | None = None) -> Axes:
    """Draw how many weeks before the event the right alarms of the chosen rule came."""
    given, ax = ax, axes_or_new(ax, 6.4, 3.4)
    edges = found.terms.ahead_weeks + np.linspace(0.0, 1.0, 13) * found.terms.window_weeks
    judged = None if found.chosen is None else found.chosen.held_out
    leads = () if judged is None else judged.lead_weeks
    counts, _ = np.histogram(leads, edges)
    ax.stairs(counts, edges, fill=True, fc=MIDDLE, ec=MAIN, lw=0.8)
    note = "no right alarm on the other half"
    if judged is not None and leads:
        low, middle, high = judged.lead_quartiles()
        ax.axvline(middle, color=ACCENT, linewidth=1.4, linestyle="--")
        note = (
            f"{len(leads)} right alarms: median {middle:.1f}, half of them {low:.1f} to {high:.1f}"
        )
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, max(1, counts.max(initial=0)) * 1.1)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("lead: weeks from the alarm to the event")
    ax.set_ylabel("right alarms (replications)")
    grid(ax, "y")
    dress(ax, f"Lead: {words(found.event)}", note, width=62)
    say_below(given, ax, heading(found.scenario), f"n = {found.held_out.n:,}")
    return ax
