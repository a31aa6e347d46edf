"""How the gap of an outcome between two scenarios comes about, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.plot.style import ACCENT, INK, MAIN, MIDDLE, MUTED, axes_or_new, dress, heading, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.compare.attribution import Attribution


def attribution(result: Attribution, outcome: str, ax: Axes | None = None) -> Axes:
    """Draw the way from one scenario's mean to the other's, a step for each group.

    Bars start where the one before has ended; their whiskers are 95 % intervals of the
    shares. Where the interval of the gap includes 0 there are the two ends only.

    Parameters
    ----------
    result
        What `simlib.analysis.diff` returns.
    outcome
        ``OUTCOME`` or ``OUTCOME.CLASS``.
    """
    gap = result.gap(outcome)
    parts = sorted(gap.shares.items(), key=lambda item: -abs(item[1].mean))
    ax = axes_or_new(ax, 7.2, 1.6 + 0.38 * (len(parts) + 2))
    names = [result.names[0], *(name for name, _ in parts), result.names[1]]
    ax.plot([gap.before, gap.before], [-0.3, 0.3], color=INK, lw=3)
    at = gap.before
    for row, (_, share) in enumerate(parts, start=1):
        is_up = share.mean >= 0.0
        ax.barh(
            row, share.mean, left=at, height=0.55, color=MAIN if is_up else ACCENT,
            hatch="" if is_up else "///", edgecolor="white",
        )  # fmt: skip
        at += share.mean
        half = share.high - share.mean
        ax.errorbar(at, row, xerr=half, color=INK, capsize=2.5, lw=1, ls="none")
        ax.plot([at, at], [row, row + 1], color=MUTED, lw=0.8)
    last = len(parts) + 1
    ax.plot([gap.after, gap.after], [last - 0.3, last + 0.3], color=INK, lw=3)
    ax.axvspan(
        gap.before + gap.gap.low,
        gap.before + gap.gap.high,
        color=MIDDLE,
        alpha=0.25,
        lw=0,
        zorder=0,
    )
    ax.margins(x=0.06)
    ax.set_yticks(range(len(names)), [words(name) for name in names])
    ax.invert_yaxis()
    ax.set_xlabel(f"mean of {words(outcome)}" + (f", {gap.unit}" if gap.unit else ""))
    shown = (
        "shares are Shapley values" if parts else "the interval includes 0: the gap is not split"
    )
    note = (
        f"gap {gap.gap.mean:+.3g} ({gap.gap.low:.3g} to {gap.gap.high:.3g}, shaded), "
        f"{gap.gap.n:,} paired replications\n{shown}; whiskers are 95 % intervals"
    )
    dress(ax, f"{heading(outcome)}: what makes the gap", note)
    return ax
