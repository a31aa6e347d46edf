"""Steps: the way from one option's mean to the other's, and the paths of causes that differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MUTED,
    axes_or_new,
    beside,
    dress,
    grid,
    new_figure,
    number_axis,
    save,
    say_below,
    wrapped,
)
from simlib.scenario.spelling import heading, words
from simlib.statistics.formatting import estimate, number, signed

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.analysis.comparison.attribution import Attribution
    from simlib.analysis.mediation.explanation import Explanation, MediatedEffect

_MOST_SHARES, _MOST_PATHS = 8, 10
_DOWN = "#ecd3c6"


class _Step(NamedTuple):
    """What a group adds to the mean."""

    label: str
    size: float
    low: float = math.nan
    high: float = math.nan
    text: str = ""


def _draw_steps(ax: Axes, before: _Step, steps: Sequence[_Step], after: _Step) -> None:
    """Draw both means as diamonds and, from one to the other, a bar for each step.

    The whisker of the last is the interval of the whole way, from the first mean.
    """
    # A row for each end and each step, the first on top; `reach` is all that must be in sight.
    y = np.arange(len(steps) + 2, dtype=np.float64)[::-1].tolist()
    at, reach = before.size, [before.size, after.size]
    for height, step in zip(y[1:], steps, strict=False):
        # A bar begins where the one above it ends, and its whisker is about its own end.
        is_less = step.size < 0
        ax.plot([at, at], [height - 0.28, height + 1.0], color=MUTED, lw=0.7)
        ax.barh(
            height, step.size, 0.56, at, fc=_DOWN if is_less else LIGHT, lw=0.8,
            ec=ACCENT if is_less else MAIN, hatch="////" if is_less else "",
        )  # fmt: skip
        ends = [end for end in (at + step.low, at + step.high) if math.isfinite(end)]
        ax.plot(ends, [height] * len(ends), color=INK, lw=1.4)
        beside(ax, step.text, (max(at, at + step.size, *ends), height), size=8)
        at += step.size
        reach += [at, *ends]
    ends = [before.size + end for end in (after.low, after.high) if math.isfinite(end)]
    ax.plot(ends, [y[-1]] * len(ends), color=INK, lw=1.4)
    if steps:
        ax.plot([after.size] * 2, [y[-1], y[-2]], color=MUTED, lw=0.7)
    for end, height in ((before, y[0]), (after, y[-1])):
        ax.plot(end.size, height, "D", color=INK, ms=5)
    beside(ax, number(before.size), (before.size, y[0]), size=8)
    beside(ax, number(after.size), (max(after.size, *ends, -math.inf), y[-1]), size=8)
    reach += ends
    # Most of the room is to the right, where the numbers stand.
    span = (max(reach) - min(reach)) or 1.0
    ax.set_xlim(min(reach) - 0.08 * span, max(reach) + 0.42 * span)
    number_axis(ax.xaxis)
    _label_rows(ax, [step.label for step in (before, *steps, after)])


def _label_rows(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_yticks(range(len(labels) - 1, -1, -1), list(labels))
    ax.set_ylim(-0.7, max(1, len(labels)) - 0.3)
    ax.tick_params(axis="y", length=0)
    grid(ax, "x")


def attribution(result: Attribution, outcome: str, ax: Axes | None = None) -> Axes:
    """Draw the way from one scenario's mean to the other's, a step for each group of changes.

    Whiskers are 95 % intervals of the shares. Where the interval of the gap includes 0
    there are the two ends only.

    Parameters
    ----------
    outcome
        ``OUTCOME`` or ``OUTCOME.CLASS``.
    """
    found = result.gap(outcome)
    parts = sorted(found.shares.items(), key=lambda item: -abs(item[1].mean))
    given, ax = ax, axes_or_new(ax, 7.2, 1.6 + 0.38 * (len(parts) + 2))
    gap = found.gap
    steps = [
        _Step(words(name), share.mean, share.low, share.high, signed(share.mean))
        for name, share in parts
    ]
    before, after = (words(name) for name in result.names)
    last = _Step(after, found.after, gap.low, gap.high)
    _draw_steps(ax, _Step(before, found.before), steps, last)
    ax.set_xlabel(f"mean, {found.unit}" if found.unit else "probability")
    shown = "shares are Shapley values" if parts else "the interval includes 0: it is not split"
    note = (
        f"gap {estimate(gap.mean, gap.low, gap.high, is_signed=True)}, {gap.n:,} paired "
        f"replications\n{shown}; whiskers are 95 % intervals; hatched: downward"
    )
    dress(ax, f"{found.label}: what makes the gap", note)
    say_below(given, ax, f"{after} against {before}", f"n = {gap.n:,}")
    return ax


def shares(explanation: Explanation, ax: Axes | None = None, outcome: str | None = None) -> Axes:
    """Draw what each group carries, from the baseline's mean to the counterfactual's.

    A bar goes from where the one above ends; its share of the effect stands beside it, with
    the 95 % interval. Where the interval of the effect includes 0, there are no bars.

    Parameters
    ----------
    outcome
        One of those explained; the first when not given.
    """
    finding = _chosen(explanation, outcome)
    drawn = finding.shares[:_MOST_SHARES]
    given, ax = ax, axes_or_new(ax, 6.8, 2.0 + 0.42 * (len(drawn) + 2))
    steps = [
        _Step(
            wrapped(words(share.group.strip("()")), 26), share.mean, share.low, share.high,
            share.told,
        )
        for share in drawn
    ]  # fmt: skip
    if n_left := len(finding.shares) - len(drawn):
        rest = finding.after - finding.before - sum(step.size for step in steps)
        steps.append(_Step(f"{n_left} others", rest))
    before, after = _names(explanation)
    effect = finding.effect
    last = _Step(after, finding.after, effect.low, effect.high)
    _draw_steps(ax, _Step(before, finding.before), steps, last)
    what = "probability" if finding.kind == "share" else f"mean, {finding.unit or 'value'}"
    ax.set_xlabel(f"{what}, with 95 % intervals")
    dress(ax, finding.label, _note(explanation, finding), width=50)
    say_below(given, ax, heading(explanation.scenario))
    return ax


def paths(explanation: Explanation, ax: Axes | None = None, outcome: str | None = None) -> Axes:
    """Draw the paths of causes that differ most: description, not attribution.

    To the right what only the counterfactual has, to the left what only the baseline has,
    over all pairs; a diamond marks the net.

    Parameters
    ----------
    outcome
        One of those explained; the first when not given.
    """
    finding = _chosen(explanation, outcome)
    drawn = finding.description.paths[:_MOST_PATHS]
    given, ax = ax, axes_or_new(ax, 7.6, 2.0 + 0.42 * max(1, len(drawn)))
    y = np.arange(len(drawn))[::-1]
    ax.barh(y, [path.extra for path in drawn], 0.6, fc=LIGHT, ec=MAIN, lw=0.8)
    missing = [-path.missing for path in drawn]
    ax.barh(y, missing, 0.6, fc=_DOWN, ec=ACCENT, lw=0.8, hatch="////")
    ax.plot([path.net for path in drawn], y, "D", color=INK, ms=4.5)
    ax.axvline(0.0, color=MUTED, lw=0.8)
    _label_rows(ax, [path.way for path in drawn])
    ax.margins(x=0.08)
    first, second = _names(explanation)
    unit = f"{finding.unit}: " if finding.unit else ""
    if drawn:
        sides = f"only under {first} (hatched)  |  only under {second}"
        ax.set_xlabel(f"{unit}{sides}\ndiamond: net")
    else:
        ax.set_xticks([])
    n = len(finding.description.paths)
    note = f"description, not attribution; {len(drawn)} of {n} paths, summed over pairs"
    dress(ax, "Who, through what, where", note if drawn else "nothing differs")
    say_below(given, ax, heading(explanation.scenario))
    return ax


def save_why(
    explanation: Explanation,
    path: str | os.PathLike[str],
    outcome: str | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write shares and paths of one outcome side by side as PNG, SVG or PDF, by the suffix.

    Raises
    ------
    StoreError
        The suffix is another one, another file is there, or it cannot be written.
    """
    save(shares_and_paths(explanation, outcome), path, overwrite=overwrite)


def shares_and_paths(explanation: Explanation, outcome: str | None = None) -> Figure:
    """Draw shares and paths of one outcome side by side."""
    finding = _chosen(explanation, outcome)
    n_shares = 2 + min(len(finding.shares), _MOST_SHARES)
    n_rows = max(n_shares, min(len(finding.description.paths), _MOST_PATHS))
    figure = new_figure(13.0, 2.2 + 0.4 * n_rows)
    left, right = figure.subplots(1, 2)
    shares(explanation, left, finding.outcome)
    paths(explanation, right, finding.outcome)
    say_below(None, left, heading(explanation.scenario))
    return figure


def _chosen(explanation: Explanation, outcome: str | None) -> MediatedEffect:
    return explanation.findings[0] if outcome is None else explanation.of(outcome)


def _names(explanation: Explanation) -> tuple[str, str]:
    both = explanation.baseline, explanation.counterfactual
    before, after = (words(name or "as written") for name in both)
    return before, after


def _note(explanation: Explanation, finding: MediatedEffect) -> str:
    text = f"effect {finding.told}, n = {finding.n} pairs of {explanation.n_asked}"
    if not finding.has_effect:
        return f"{text}\nthe interval includes 0: no share is given"
    return f"{text}\nShapley shares by {explanation.by}; hatched: downward"
