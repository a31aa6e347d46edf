"""What drives outcomes: shares of the variance, and elementary effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.sensitivity.sobol import CHANCE, OTHERS
from simlib.errors import Problem, ScenarioError
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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from simlib.analysis.sensitivity.morris import Screening
    from simlib.analysis.sensitivity.sobol import Sensitivity

_NAMED = 10
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "++")
_FILLS = (MAIN, MIDDLE, LIGHT, "#e6dccf", "#c9d8c5", "#d9cfe0", "#efe3b8")


def sensitivity(result: Sensitivity, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the shares of the variance.

    One outcome: first and total index of each group with 95 % intervals. Several and none
    named: first indices of all outcomes, one after the other, and what they leave.

    Parameters
    ----------
    result
        What `simlib.analysis.sensitivity` found.
    outcome
        Outcome, or ``OUTCOME.CLASS``.
    ax
        Where to draw; new axes when not given.

    Raises
    ------
    ScenarioError
        There are no indices of the outcome.
    """
    if outcome is None and len(result.indices) > 1:
        return _draw_all(result, ax)
    return _draw_one(result, _known(outcome, result.indices), ax)


def _known(outcome: str | None, found: Iterable[str]) -> str:
    names = list(found)
    if outcome is None and len(names) == 1:
        return names[0]
    if outcome is None or outcome not in names:
        rule = f"nothing to draw of it (got {outcome})"
        raise ScenarioError([Problem("outcome", rule, f"one of {', '.join(names) or 'none'}")])
    return outcome


def _draw_one(result: Sensitivity, outcome: str, ax: Axes | None) -> Axes:
    found = result.indices[outcome]
    groups = list(result.members)
    if result.by == "parameter":
        free = [name for name in groups if name not in {OTHERS, CHANCE}]
        free.sort(key=lambda name: -found.total[name])
        groups = [*free, *(name for name in (OTHERS, CHANCE) if name in groups)]
    ax = axes_or_new(ax, 6.8, 1.9 + 0.36 * len(groups))
    y = np.arange(len(groups))[::-1]
    for shift, label, values, halves, fill in (
        (0.19, "first: alone", found.first, found.first_half, MAIN),
        (-0.19, "total: with interactions", found.total, found.total_half, LIGHT),
    ):
        shares = np.array([100.0 * values[name] for name in groups])
        errors = np.array([100.0 * halves[name] for name in groups])
        ax.barh(y + shift, shares, 0.36, color=fill, edgecolor=MAIN, linewidth=0.6, label=label)
        ax.errorbar(shares, y + shift, xerr=errors, fmt="none", ecolor=INK, elinewidth=0.9)
    ax.set_yticks(y, [_label(result, name) for name in groups])
    ax.axvline(0.0, color=MUTED, linewidth=0.7)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.set_xlabel("share of the variance (%), with 95 % intervals")
    below = -0.42 / (0.67 + 0.36 * len(groups))  # inches of inches: under the axis label
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, below), ncols=2, frameon=False, fontsize=8)
    dress(ax, _title(outcome, result.label, is_effect=result.is_effect), _note(result))
    return ax


def _draw_all(result: Sensitivity, ax: Axes | None) -> Axes:
    outcomes = sorted(result.indices, key=lambda name: result.indices[name].first[CHANCE])
    ax = axes_or_new(ax, 8.0, 1.9 + 0.2 * len(outcomes))
    y = np.arange(len(outcomes))
    left = np.zeros(len(outcomes))
    groups = list(result.members)
    for i, group in enumerate(groups):
        shares = np.array([max(0.0, result.indices[name].first[group]) for name in outcomes])
        # Estimates may sum to more than the whole: noise, cut off at 100 %.
        shares = np.minimum(100.0 * shares, 100.0 - left)
        fill, hatch = _FILLS[i % len(_FILLS)], _HATCHES[i % len(_HATCHES)]
        ax.barh(
            y, shares, 0.74, left, color=fill, hatch=hatch, edgecolor="white", lw=0, label=group
        )
        left += shares
    ax.barh(
        y, 100.0 - left, 0.74, left, color="white", edgecolor=MUTED, lw=0.6, label="interactions"
    )
    ax.set_yticks(y, [words(name) for name in outcomes])
    ax.set_xlim(0, 100)
    ax.set_ylim(-0.7, len(outcomes) - 0.3)
    ax.set_xlabel("share of the variance (%): first indices, and what they leave")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, frameon=False, fontsize=8)
    dress(ax, f"What drives outcomes, {result.label}", f"{_note(result)}\n \n ")
    ax.tick_params(axis="y", labelsize=7, length=0)
    return ax


def _label(result: Sensitivity, group: str) -> str:
    n = len(result.members[group])
    if group == OTHERS:
        return f"{n} other parameters"
    is_one = group == CHANCE or (group,) == result.members[group]
    return group if is_one else f"{group} ({n})"


def _title(outcome: str, label: str, *, is_effect: bool) -> str:
    return f"{heading(outcome)}: {'effect ' if is_effect else ''}{label}"


def _note(result: Sensitivity) -> str:
    return f"{result.n_runs:,} runs; below 0 or above 100 % is noise"


def screening(result: Screening, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw elementary effects: how large they are against how much they vary.

    Parameters
    ----------
    result
        What `simlib.analysis.screen` found.
    outcome
        Outcome, or ``OUTCOME.CLASS``; not needed where there is one.
    ax
        Where to draw; new axes when not given.

    Raises
    ------
    ScenarioError
        There are no effects on the outcome.
    """
    outcome = _known(outcome, result.effects)
    ax = axes_or_new(ax, 7.4, 4.8)
    effects, ranking = result.effects[outcome], result.ranking(outcome)
    stars = np.array([effects.mu_star[name] for name in ranking])
    sigmas = np.array([effects.sigma[name] for name in ranking])
    halves = np.array([effects.mu_star_half[name] for name in ranking])
    n = min(_NAMED, int((stars > 0.0).sum()))
    ax.scatter(stars[n:], sigmas[n:], 12, color=MIDDLE, label="other numbers")
    ax.errorbar(stars[:n], sigmas[:n], xerr=halves[:n], fmt="none", ecolor=RULE, zorder=1)
    ax.scatter(stars[:n], sigmas[:n], 26, color=ACCENT, marker="D", label=f"largest {n}")
    for i in range(n):
        ax.annotate(
            f"{i + 1}", (stars[i], sigmas[i]), (4, 4), textcoords="offset points", size=8, color=INK
        )
    key = "\n".join(f"{i + 1:>2}  {name}" for i, name in enumerate(ranking[:n]))
    ax.text(1.03, 1.0, key, transform=ax.transAxes, va="top", size=7.5, color=INK)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.grid(color=RULE, linewidth=0.6)
    unit = f" ({result.units[outcome]})" if result.units[outcome] else ""
    ax.set_xlabel(f"mean size of the elementary effect{unit}, with 95 % intervals")
    ax.set_ylabel(f"its standard deviation{unit}")
    ax.legend(loc="lower right", frameon=False, fontsize=8)
    note = f"{result.trajectories:,} paths, {result.n_runs:,} runs; from 12.5 % to 87.5 % points"
    dress(ax, f"{heading(outcome)}: {result.label}", note)
    return ax
