"""What an option changes: a dot and a whisker for each outcome, in its own unit, by topic."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.rows import Dots, rows
from simlib.plot.style import (
    ACCENT,
    INK,
    MUTED,
    at_edge,
    axes_or_new,
    beside,
    dress,
    foot,
    wrapped,
)
from simlib.scenario.spelling import words
from simlib.statistics.formatting import supported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.comparison.comparison import Comparison
    from simlib.analysis.comparison.paired_effects import PairedEffect

_PAPER = {"fc": "white", "lw": 0, "boxstyle": "square,pad=0.1"}
_MUCH_LESS = 30.0
"""How many times smaller the largest effect on a scale makes another too small to see."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Effects of one topic and unit that are drawn on one scale, and where it ends."""

    topic: str
    unit: str
    end: float
    found: tuple[PairedEffect, ...]


def effects(comparison: Comparison, option: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw all effects of one option, in the units of the outcomes, topic by topic.

    Each is a point with its 95 % interval, and in numbers to the right. Outcomes of one topic
    and unit stand on one scale, whose ends are named above them; where some are far smaller
    than others, on two. Outcomes that are identical in every pair are left out and counted.

    Parameters
    ----------
    comparison
        The options, compared under the same luck.
    option
        The counterfactual option; the only one when not given.
    ax
        Where; a figure of its own when not given.

    Raises
    ------
    ScenarioError
        There is no such option, or several and none is named.
    """
    chosen, given = comparison.option(option), ax
    every = [found for found in comparison.effects if found.option == chosen]
    scales = _scales(comparison, [found for found in every if found.n_differing])
    drawn = [(scale, found) for scale in scales for found in scale.found]
    n_lines = len(drawn) + 1.9 * len(scales) + 0.5 * len({scale.topic for scale in scales})
    ax = axes_or_new(ax, 8.6, 1.6 + 0.165 * max(n_lines, 6))
    _draw(ax, comparison, scales)
    against = words(comparison.baseline or "as written")
    left_out = len(every) - len(drawn)
    dress(
        ax,
        f"What changes: {words(chosen or 'as written')} against {against}",
        f"{comparison.n_pairs[chosen]:,} pairs on the same luck; {left_out} outcomes identical in "
        "every pair are left out\nfilled: the 95 % interval leaves out 0",
        width=80,
    )
    ax.spines[["left", "bottom"]].set_visible(False)
    foot(given, ax, comparison.ensemble, "whiskers: 95 % intervals")
    return ax


def _scales(comparison: Comparison, drawn: list[PairedEffect]) -> list[_Scale]:
    """Effects by topic and unit, larger ones apart from those they would hide."""
    groups: dict[tuple[str, str], list[PairedEffect]] = defaultdict(list)
    for topic, names in comparison.ensemble.topics.items():
        for found in (each for each in drawn if each.outcome in names):
            groups[topic, _unit(found)].append(found)
    scales = []
    for (topic, unit), members in groups.items():
        left = members
        while left:
            end = max(_reach(found) for found in left)
            on_it = tuple(found for found in left if _reach(found) * _MUCH_LESS >= end)
            scales.append(_Scale(topic, unit, end, on_it))
            left = [found for found in left if found not in on_it]
    return scales


def _unit(found: PairedEffect) -> str:
    return (found.unit or "value") if found.kind == "number" else "percentage points"


def _native(found: PairedEffect) -> tuple[float, float, float]:
    """Effect, lower and upper end in the unit of the outcome, or in percentage points."""
    factor = 1.0 if found.kind == "number" else 100.0
    return factor * found.effect, factor * found.low, factor * found.high


def _reach(found: PairedEffect) -> float:
    """How far an effect or its interval goes from 0."""
    return max(abs(value) for value in _native(found) if np.isfinite(value))


def _draw(ax: Axes, comparison: Comparison, scales: list[_Scale]) -> None:
    labels, heights, values, faces, texts = [], [], [], [], []
    height, topic = 0.0, None
    for scale in scales:
        is_new = scale.topic != topic
        height -= 2.4 if is_new else 1.9
        _head(ax, scale, height, is_new=is_new)
        topic = scale.topic
        for found in scale.found:
            height -= 1.0
            labels.append(comparison.ensemble.label(found.outcome, found.category))
            heights.append(height)
            values.append(np.array(_native(found)) / (scale.end or 1.0))
            faces.append(ACCENT if found.is_clear else "white")
            texts.append(_in_numbers(found))
    dots = Dots(np.reshape(values, (-1, 3)).T, color=ACCENT, face=faces)
    y = rows(ax, [wrapped(label, 72) for label in labels], [dots], reference=0.0, heights=heights)
    for at, text in zip(y.tolist(), texts, strict=True):
        at_edge(ax, text, at, color=MUTED, size=7)
    ax.set_xlim(-1.06, 1.06)
    ax.set_ylim(min(heights, default=0.0) - 0.8, 0.0)
    ax.set_xticks([])
    ax.tick_params(axis="y", labelsize=7)


def _head(ax: Axes, scale: _Scale, height: float, *, is_new: bool) -> None:
    """Name the topic where one begins, and the unit and the ends of the scale."""
    if is_new and scale.topic:
        beside(
            ax, scale.topic, (0, height + 0.6), -6, xycoords=("axes fraction", "data"),
            weight="bold", color=INK, size=8.5, annotation_clip=False,
        )  # fmt: skip
    end = f"{float(f'{scale.end:.2g}'):,.12f}".rstrip("0").rstrip(".")  # as 0.000045, not 4.5e-05
    look = {"color": MUTED, "size": 6.5, "va": "center"}
    ax.plot([-1, 1], [height] * 2, color=MUTED, lw=0.6, marker="|", ms=4)
    ax.text(-1, height + 0.6, f"\N{MINUS SIGN}{end}", ha="left", **look)  # type: ignore[arg-type]
    ax.text(0, height + 0.6, scale.unit, ha="center", bbox=_PAPER, **look)  # type: ignore[arg-type]
    ax.text(1, height + 0.6, f"+{end}", ha="right", **look)  # type: ignore[arg-type]


def _in_numbers(found: PairedEffect) -> str:
    effect, low, high = _native(found)
    if not np.isfinite(low):
        return found.shown
    middle, *ends = supported(low, high, effect, low, high, is_signed=True)
    return f"{middle} ({ends[0]} to {ends[1]})"
