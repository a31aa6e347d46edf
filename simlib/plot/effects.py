"""What an option changes: paired differences of one outcome, and all effects side by side."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from simlib.analysis.compare.paired_effects import ENOUGH, times
from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MIDDLE,
    MUTED,
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

    from simlib.analysis.compare.comparison import Comparison
    from simlib.analysis.compare.paired_effects import PairedEffect

    Floats = NDArray[np.float64]

N_BARS = 40
_TICKS = (-10.0, -3.0, -1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0, 3.0, 10.0)
_LINEAR = 0.1
"""Effects below this many standard deviations stand on a linear scale, larger on a log one."""


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
    comparison
        What `simlib.compare` or `simlib.fork` returns.
    outcome
        Name of the outcome; of one that is a class, ``OUTCOME.CLASS``.
    option
        The counterfactual option; the only one when not given.
    ax
        Where to draw; new axes when not given.

    Raises
    ------
    ScenarioError
        There is no such outcome or option.
    """
    found = comparison.effect(outcome, option)
    ax = axes_or_new(ax, 7.2, 4.4)
    one, other = comparison.pairs(outcome, found.option)
    is_seen = ~(np.isnan(one) | np.isnan(other))
    names = comparison.baseline or "as written", found.option or "as written"
    if found.kind == "number":
        _draw_number(ax, found, (one[is_seen], other[is_seen]), names)
    else:
        _draw_shares(ax, found, (one[is_seen], other[is_seen]), names)
    title = f"{heading(found.name)}: {words(names[1])} against {words(names[0])}"
    dress(ax, "\n".join(textwrap.wrap(title, 64)), _note(found))
    return ax


def effects(comparison: Comparison, option: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw all effects of one option, in standard deviations of the baseline.

    Each is a point with its 95 % interval; at the right stands how many times smaller its
    variance is than that of independent runs. Outcomes that are identical in every pair
    are left out and counted in the note.

    Parameters
    ----------
    comparison
        What `simlib.compare` or `simlib.fork` returns.
    option
        The counterfactual option; the only one when not given.
    ax
        Where to draw; new axes, as high as they must be, when not given.

    Raises
    ------
    ScenarioError
        There is no such option, or several and none is named.
    """
    chosen = comparison.option(option)
    every = [found for found in comparison.effects if found.option == chosen]
    drawn = [found for found in every if found.n_differing and found.baseline_sd > 0.0]
    ax = axes_or_new(ax, 8.0, 2.0 + 0.2 * max(len(drawn), 3))
    heights = np.arange(len(drawn))[::-1]
    for height, found in zip(heights, drawn, strict=True):
        _draw_line(ax, float(height), found)
    ax.axvline(0, color=MUTED, linewidth=0.9)
    ax.set_xscale("symlog", linthresh=_LINEAR, linscale=0.6)
    most = max((abs(x) / f.baseline_sd for f in drawn for x in _ends(f)), default=1.0)
    most = max(1.0, most) * 1.3
    ax.set_xlim(-most, most)
    ticks = [tick for tick in _TICKS if abs(tick) <= most]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_yticks(heights, [words(found.name) for found in drawn])
    ax.set_ylim(-0.8, max(len(drawn) - 0.2, 0.8))
    ax.set_xlabel(
        "effect (standard deviations under the baseline), 95 % interval; "
        f"logarithmic beyond {_LINEAR:g}"
    )
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    _dress_all(ax, comparison, chosen, len(every) - len(drawn))
    return ax


def _dress_all(ax: Axes, comparison: Comparison, option: str, n_left: int) -> None:
    against = words(comparison.baseline or "as written")
    title = f"What changes: {words(option or 'as written')} against {against}"
    pairs = f"{comparison.n_pairs[option]:,} pairs on the same luck"
    same = f"{n_left} outcomes identical in every pair, or without spread, are left out"
    text = f"{pairs}; {same}\nfilled: interval leaves out 0; right: variance reduction"
    dress(ax, title, f"{text} against independent runs (below {ENOUGH:.0f} in italics)")


def _draw_line(ax: Axes, height: float, found: PairedEffect) -> None:
    scale = found.baseline_sd
    low, high = (x / scale for x in _ends(found))
    ax.plot([low, high], [height, height], color=INK, linewidth=1.3, solid_capstyle="butt")
    face = ACCENT if found.is_clear else "white"
    ax.plot([found.effect / scale], [height], "o", color=ACCENT, mfc=face, markersize=4.5)
    is_small = found.variance_reduction < ENOUGH
    ax.annotate(
        times(found.variance_reduction),
        (1, height),
        (6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        color=INK if is_small else MUTED,
        size=7.5,
        style="italic" if is_small else "normal",
        annotation_clip=False,
    )


def _ends(found: PairedEffect) -> tuple[float, float]:
    if math.isnan(found.low):
        return found.effect, found.effect
    return found.low, found.high


def _draw_number(
    ax: Axes, found: PairedEffect, pairs: tuple[Floats, Floats], names: tuple[str, str]
) -> None:
    change = pairs[1] - pairs[0]
    strangers = _strangers(*pairs)
    edges = _edges(np.concatenate([change, strangers]))
    ax.set_xlabel(f"difference ({found.unit})" if found.unit else "difference")
    ax.set_ylabel("pairs (%)")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    if not len(change):
        return
    shares = _shares(change, edges)
    ax.stairs(shares, edges, fill=True, color=MIDDLE, label="within pairs, same luck")
    other = _shares(strangers, edges)
    ax.stairs(other, edges, color=INK, linewidth=1.1, linestyle="--", label="independent runs")
    top = max(float(shares.max()), float(other.max())) * 1.85
    ax.set_ylim(0, top)
    ax.axvline(found.effect, color=ACCENT, linewidth=1.2, ymax=0.56)
    ax.axvline(0, color=MUTED, linewidth=0.8, linestyle=":", ymax=0.56)
    low, high = _ends(found)
    level = top * 0.575
    ax.plot([low, high], [level, level], color=ACCENT, linewidth=2, solid_capstyle="butt")
    ax.plot([found.effect], [level], "D", color=ACCENT, markersize=5, label="mean, 95 % interval")
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    ax.legend(loc="upper left", frameon=False, fontsize=7.5, labelcolor=INK)
    _draw_both(ax, found, pairs, names)


def _draw_both(
    ax: Axes, found: PairedEffect, pairs: tuple[Floats, Floats], names: tuple[str, str]
) -> None:
    """Draw the outcome under both options, in the corner kept free for it."""
    small = ax.inset_axes((0.58, 0.72, 0.41, 0.25))
    edges = _edges(np.concatenate(pairs))
    before, after = (_shares(side, edges) for side in pairs)
    small.stairs(before, edges, fill=True, color=LIGHT, label=words(names[0]))
    small.stairs(after, edges, color=ACCENT, linewidth=1, label=words(names[1]))
    small.set_yticks([])
    small.set_ylim(0, max(float(before.max()), float(after.max())) * 1.9)
    small.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    small.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    small.spines[["top", "right", "left"]].set_visible(False)
    small.spines["bottom"].set_color(MUTED)
    small.tick_params(colors=INK, labelsize=6.5, length=2)
    small.set_xlabel(found.unit or "value", size=6.5, color=INK, labelpad=1)
    small.legend(loc="upper right", frameon=False, fontsize=6.5, labelcolor=INK, borderpad=0)


def _draw_shares(
    ax: Axes, found: PairedEffect, pairs: tuple[Floats, Floats], names: tuple[str, str]
) -> None:
    one, other = (side > 0 for side in pairs)
    before, after = (words(name) for name in names)
    rows = (
        ("under both", one & other, LIGHT, ""),
        (f"only under {before}", one & ~other, MIDDLE, "//"),
        (f"only under {after}", ~one & other, ACCENT, "\\\\"),
        ("under neither", ~one & ~other, "white", ""),
    )
    heights = np.arange(len(rows))[::-1]
    for height, (_, is_so, color, hatch) in zip(heights, rows, strict=True):
        share = 100.0 * float(is_so.mean()) if len(is_so) else 0.0
        ax.barh(height, share, height=0.62, color=color, edgecolor=MAIN, hatch=hatch, linewidth=0.8)
        label = f"{share:.1f} % ({int(is_so.sum()):,})"
        ax.annotate(
            label, (share, height), (5, 0), textcoords="offset points",
            va="center", color=INK, size=8,
        )  # fmt: skip
    what = words(found.category) if found.category else "yes"
    labels = ["\n".join(textwrap.wrap(f"{what} {row[0]}", 28)) for row in rows]
    ax.set_yticks(heights, labels)
    ax.set_xlim(0, 118)
    ax.set_xticks(range(0, 101, 20))
    ax.set_xlabel("pairs (%)")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.tick_params(axis="y", length=0)


def _strangers(one: Floats, other: Floats) -> Floats:
    """Return differences of the same runs, each with another's: as if they were independent."""
    n = len(one)
    shifts = range(1, min(n, 8))
    return np.concatenate([other - one, *(np.roll(other, k) - one for k in shifts)][bool(n > 1) :])


def _edges(values: Floats) -> Floats:
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if np.all(values == np.round(values)):
        step = max(1.0, math.ceil((high - low + 1) / N_BARS))
        return np.arange(low - 0.5, high + step + 0.5, step)
    if high <= low:
        return np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, N_BARS + 1)


def _shares(values: Floats, edges: Floats) -> Floats:
    weights = np.full(len(values), 100.0 / max(len(values), 1))
    shares: Floats = np.histogram(values, edges, weights=weights)[0]
    return shares


def _note(found: PairedEffect) -> str:
    unit = f" {found.unit}" if found.unit and found.kind == "number" else ""
    text = (
        f"{number(found.baseline)} becomes {number(found.counterfactual)}{unit}; "
        f"effect {found.shown}; n = {found.n:,} pairs"
    )
    if found.n_censored:
        text += f", {found.n_censored} not settled by the end"
    if math.isnan(found.variance_reduction) or math.isinf(found.variance_reduction):
        return text
    return f"{text}\nindependent runs would need {times(found.variance_reduction)} as many pairs"
