"""What is seen when a deadline is extended, against what extending does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import (
    ACCENT,
    INK,
    MAIN,
    MARKERS,
    MUTED,
    RULE,
    SHADES,
    axes_or_new,
    dress,
    heading,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.selection.decision_forecast import DecisionForecast
    from simlib.analysis.selection.observational import Readings

_DRAWN = {
    "gap": "selection gap: E[Y | extended] - E[Y | do(extended)]",
    "observational": "seen: E[Y | extended] - E[Y | not extended]",
    "interventional": "made: E[Y | do(extended)] - E[Y | do(as agreed)]",
}
MOST_OBSERVABLES = 8
FEWEST_RUNS = 30
"""Groups of fewer runs are left to the table."""


def readings(result: Readings, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the gap between both readings of "extended" by the weight of threat.

    Parameters
    ----------
    result
        What `simlib.analysis.readings` found.
    outcome
        Name of the outcome; the first headline when not given.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 7.0, 4.4)
    name = outcome or result.headlines[0]
    versions = list(result.selections)
    places = np.arange(len(versions), dtype=np.float64)
    for i, (key, label) in enumerate(_DRAWN.items()):
        found = [getattr(result.gap(name, version), key) for version in versions]
        x = places + 0.16 * (i - 1)
        ax.vlines(
            x, [e.low for e in found], [e.high for e in found], color=SHADES[i], linewidth=1.6
        )
        ax.plot(x, [e.value for e in found], MARKERS[i], color=SHADES[i], label=label, markersize=6)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    ax.set_xticks(places, ["drawn,\nas written", *versions[1:]])
    ax.set_xlabel("weight of threat in the answer (log odds per standard deviation)")
    ax.set_ylabel(f"difference ({result.units[name] or 'probability'})")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.24), fontsize=8, frameon=False, labelcolor=INK
    )
    counts = [f"{s.n_extended} of {s.n}" for s in result.selections.values()]
    dress(ax, heading(name), f"95 % intervals; extended in {', '.join(counts)} runs")
    return ax


def extension_forecast(found: DecisionForecast, ax: Axes | None = None) -> Axes:
    """Draw P(extension) by thirds of what is known at a date, with Wilson 95 % intervals.

    The observables in which the groups differ most are shown, at most
    `MOST_OBSERVABLES`: the largest differences of many, so chance has a part in them.

    Parameters
    ----------
    found
        What is known at a date says of an extension.
    ax
        Where to draw; new axes when not given.
    """
    groups = found.groups[found.groups["n"] >= FEWEST_RUNS]
    spread = groups.groupby("observable")["p_extension"].agg(lambda p: p.max() - p.min())
    chosen = list(spread.sort_values(ascending=False).index[:MOST_OBSERVABLES])
    rows = groups[groups["observable"].isin(chosen)]
    ax = axes_or_new(ax, 7.4, 1.6 + 0.22 * (len(rows) + len(chosen)))
    heights, labels, at = [], [], 0.0
    for name in chosen:
        for row in rows[rows["observable"] == name].itertuples():
            heights.append(at)
            labels.append(f"{words(name)}: {words(str(row.group))}{_range(row)}")
            ax.plot([100 * row.low, 100 * row.high], [at, at], color=MAIN, linewidth=1.4)
            ax.plot([100 * row.p_extension], [at], MARKERS[0], color=MAIN, markersize=4.5)
            at -= 1.0
        at -= 0.7
    rate = 100.0 * found.n_extended / found.n_open
    ax.axvline(rate, color=ACCENT, linestyle="--", linewidth=1.1, label=f"all: {rate:.1f} %")
    ax.set_yticks(heights, labels)
    ax.set_xlabel("probability of an extension later on (%), with 95 % interval")
    ax.set_xlim(left=0.0)
    ax.set_ylim(at, 1.0)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.legend(loc="lower right", fontsize=8, frameon=False, labelcolor=INK)
    dress(
        ax,
        f"What is known on {found.date} says of an extension",
        f"{found.n_open} of {found.n} runs, in which none was agreed by then",
    )
    return ax


def _range(row: object) -> str:
    span, group = str(getattr(row, "range", "")), str(getattr(row, "group", ""))
    return "" if span == group else f" ({span})"
