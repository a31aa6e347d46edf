"""Why two options differ: shares of the effect, and the paths that differ."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MUTED,
    RULE,
    axes_or_new,
    dress,
    heading,
    new_figure,
    save,
    words,
)
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.analysis.mediation.explanation import Explanation
    from simlib.analysis.mediation.mediated_effects import MediatedEffect
    from simlib.analysis.mediation.path_description import Path

_MOST_SHARES, _MOST_PATHS = 8, 10


def shares(explanation: Explanation, ax: Axes | None = None, outcome: str | None = None) -> Axes:
    """Draw what each group carries, from the baseline's mean to the counterfactual's.

    A bar goes from where the one above ends; its share of the effect stands beside it, with
    the 95 % interval. Where the interval of the effect includes 0, there are no bars.

    Parameters
    ----------
    explanation
        What `simlib.analysis.why` returns.
    ax
        Where to draw; new axes when not given.
    outcome
        One of those explained; the first when not given.
    """
    finding = _chosen(explanation, outcome)
    told = finding.shares[:_MOST_SHARES]
    ax = axes_or_new(ax, 6.8, 2.0 + 0.42 * (len(told) + 2))
    labels = [words(explanation.baseline or "as written")]
    starts, ends = [finding.before], [finding.before]
    for share in told:
        labels.append(_label(share.group))
        starts.append(ends[-1])
        ends.append(ends[-1] + share.mean)
    n_left = len(finding.shares) - len(told)
    if n_left:
        labels.append(f"{n_left} others")
        starts.append(ends[-1])
        ends.append(finding.after)
    labels.append(words(explanation.counterfactual or "as written"))
    starts.append(finding.after)
    ends.append(finding.after)
    heights = np.arange(len(labels))[::-1].astype(float)
    _draw_steps(ax, finding, (heights, starts, ends), len(told))
    ax.set_yticks(heights, labels)
    ax.set_ylim(-0.7, len(labels) - 0.3)
    ax.set_xlabel(f"mean{f', {finding.unit}' if finding.unit else ''}, with 95 % intervals")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    dress(ax, _title(finding.outcome), _note(explanation, finding))
    ax.tick_params(axis="y", length=0)
    return ax


def _draw_steps(
    ax: Axes,
    finding: MediatedEffect,
    steps: tuple[np.ndarray[tuple[int], np.dtype[np.float64]], list[float], list[float]],
    n_told: int,
) -> None:
    heights, starts, ends = steps
    reach = [*starts, *ends]
    for height, start, end in zip(heights[1:-1], starts[1:-1], ends[1:-1], strict=True):
        is_less = end < start
        ax.barh(height, end - start, left=start, height=0.56, color="#ecd3c6" if is_less else LIGHT,
                edgecolor=ACCENT if is_less else MAIN, linewidth=0.8,
                hatch="////" if is_less else "")  # fmt: skip
    for before, after, x in zip(heights[:-1], heights[1:], ends[:-1], strict=True):
        ax.plot([x, x], [before - 0.28, after + 0.28], color=MUTED, linewidth=0.7)
    for i, share in enumerate(finding.shares[:n_told], start=1):
        low, high = starts[i] + share.low, starts[i] + share.high
        ax.plot([low, high], [heights[i], heights[i]], color=INK, linewidth=1.4)
        reach += [low, high]
    ax.plot([starts[0], starts[-1]], [heights[0], heights[-1]], "D", color=INK, markersize=5)
    effect = finding.effect
    if math.isfinite(effect.low):
        ends_of_effect = [finding.before + effect.low, finding.before + effect.high]
        ax.plot(ends_of_effect, [heights[-1]] * 2, color=INK, linewidth=1.4)
        reach += ends_of_effect
    span = (max(reach) - min(reach)) or 1.0
    ax.set_xlim(min(reach) - 0.08 * span, max(reach) + 0.42 * span)
    for i, share in enumerate(finding.shares[:n_told], start=1):
        right = max(starts[i] + share.high, ends[i], starts[i])
        text = f"{share.percent:.0f} % ({share.percent_low:.0f} to {share.percent_high:.0f})"
        _beside(ax, right, heights[i], text)
    _beside(ax, starts[0], heights[0], number(finding.before))
    _beside(ax, starts[-1], heights[-1], number(finding.after))


def _beside(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(
        text, (x, y), (7, 0), textcoords="offset points", va="center", color=INK, size=8
    )  # fmt: skip


def paths(explanation: Explanation, ax: Axes | None = None, outcome: str | None = None) -> Axes:
    """Draw the paths of causes that differ most: description, not attribution.

    To the right what only the counterfactual has, to the left what only the baseline has,
    over all pairs; a diamond marks the net.

    Parameters
    ----------
    explanation
        What `simlib.analysis.why` returns.
    ax
        Where to draw; new axes when not given.
    outcome
        One of those explained; the first when not given.
    """
    finding = _chosen(explanation, outcome)
    told = finding.told.paths[:_MOST_PATHS]
    ax = axes_or_new(ax, 7.6, 2.0 + 0.42 * max(1, len(told)))
    heights = np.arange(len(told))[::-1]
    for height, path in zip(heights, told, strict=True):
        ax.barh(height, path.extra, height=0.6, color=LIGHT, edgecolor=MAIN, linewidth=0.8)
        ax.barh(height, -path.missing, height=0.6, color="#ecd3c6", edgecolor=ACCENT,
                linewidth=0.8, hatch="////")  # fmt: skip
        ax.plot([path.net], [height], "D", color=INK, markersize=4.5)
    ax.axvline(0.0, color=MUTED, linewidth=0.8)
    ax.set_yticks(heights, [_way(path) for path in told])
    ax.set_ylim(-0.7, max(1, len(told)) - 0.3)
    ax.margins(x=0.08)
    ends = (explanation.baseline, explanation.counterfactual)
    first, second = (words(end or "as written") for end in ends)
    unit = f"{finding.unit}: " if finding.unit else ""
    ax.set_xlabel(f"{unit}only under {first} (hatched)  |  only under {second};  diamond: net")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    n = len(finding.told.paths)
    note = f"description, not attribution; {len(told)} of {n} paths, summed over pairs"
    dress(ax, "Who, through what, where", note if told else "nothing differs")
    ax.tick_params(axis="y", length=0)
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
    n_rows = max(
        2 + min(len(finding.shares), _MOST_SHARES), min(len(finding.told.paths), _MOST_PATHS)
    )
    figure = new_figure(13.0, 2.2 + 0.4 * n_rows)
    left, right = figure.subplots(1, 2)
    shares(explanation, left, finding.outcome)
    paths(explanation, right, finding.outcome)
    return figure


def _chosen(explanation: Explanation, outcome: str | None) -> MediatedEffect:
    return explanation.findings[0] if outcome is None else explanation.of(outcome)


def _label(group: str) -> str:
    return "\n".join(textwrap.wrap(words(group.strip("()")), 26))


def _way(path: Path) -> str:
    return " > ".join(words(part.strip("()")) for part in (path.agent, path.mechanism, path.place))


def _title(outcome: str) -> str:
    return "\n".join(textwrap.wrap(heading(outcome), 50))


def _note(explanation: Explanation, finding: MediatedEffect) -> str:
    effect = finding.effect
    text = f"effect {effect.mean:+.3g} ({number(effect.low)} to {number(effect.high)}), "
    text += f"n = {finding.n} pairs of {explanation.n_asked}"
    if not finding.has_effect:
        return f"{text}\nthe interval includes 0: no share is given"
    return f"{text}\nShapley shares by {explanation.by}; hatched: downward"
