"""Whether what a ledger said to be probable came that often, and where numbers fell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import ACCENT, INK, LIGHT, MAIN, MUTED, RULE, axes_or_new, dress, heading
from simlib.statistics.scores import N_BINS, pit_counts, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.evidence.ledger.ledger_scores import LedgerScores


def ledger_reliability(scores: LedgerScores, ax: Axes | None = None) -> Axes:
    """Draw how often stated probabilities came, with 90 % bands, beside the base rate's.

    Parameters
    ----------
    scores
        What `simlib.evidence.ledger.ledger_scores.score` found.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 5.4, 5.0)
    own, base = reliability(scores.probabilities), reliability(scores.base_probabilities)
    ax.plot([0, 1], [0, 1], color=RULE, linewidth=1.2)
    ax.vlines(own.stated, own.low, own.high, color=LIGHT, linewidth=8, label="90 % band if true")
    ax.plot(own.stated, own.came, "o-", color=MAIN, markersize=5, linewidth=1.4, label="forecast")
    ax.plot(
        base.stated, base.came, "s--", color=ACCENT, markersize=4, linewidth=1.0, label="base rate"
    )
    for x, y, count in zip(own.stated, own.came, own.count, strict=True):
        ax.annotate(f"{count}", (x, y), (5, -11), textcoords="offset points", size=8, color=INK)
    ax.set(
        xlim=(-0.03, 1.03),
        ylim=(-0.05, 1.05),
        xlabel="stated probability",
        ylabel="share that came",
    )
    ax.legend(fontsize=8, frameon=False, labelcolor=INK, loc="lower right")
    n = len(scores.probabilities)
    note = f"{n} probabilities in {N_BINS} bins, counts beside the points; classes count one by one"
    dress(ax, f"Reliability: {heading(scores.scenario)}", note)
    return ax


def ledger_pit(scores: LedgerScores, ax: Axes | None = None) -> Axes:
    """Draw in which part of their forecasts numbers fell; even counts are calibrated.

    Parameters
    ----------
    scores
        What `simlib.evidence.ledger.ledger_scores.score` found.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 5.4, 3.6)
    counts, (low, high) = pit_counts(scores.pit)
    middles = (np.arange(N_BINS) + 0.5) / N_BINS
    ax.axhspan(low, high, color=LIGHT, zorder=0)
    ax.axhline(len(scores.pit) / N_BINS, color=MUTED, linewidth=0.8)
    ax.bar(middles, counts, 0.9 / N_BINS, color=MAIN)
    ax.set(xlim=(0, 1), xlabel="where the number fell in its forecast (probability below it)")
    ax.set_ylabel("numbers")
    note = f"{len(scores.pit)} numbers; shaded: 90 % of each count where forecasts are calibrated"
    dress(ax, f"Numbers in their forecasts: {heading(scores.scenario)}", note)
    return ax
