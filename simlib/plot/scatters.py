"""Scatters: what is gained against what it costs, for boxes, rules and parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.discovery.prim import fit
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
    grid,
    known,
    legend,
    say_below,
    wrapped,
)
from simlib.scenario.spelling import heading, words
from simlib.statistics.formatting import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.discovery.discovered import Discovery, FoundLimit
    from simlib.analysis.discovery.early_warning import EarlyWarning
    from simlib.analysis.global_sensitivity.morris import Screening

_WIDE = 62
_NAMED = 10


def peeling(discovery: Discovery, ax: Axes | None = None) -> Axes:
    """Draw density against coverage of the boxes peeled, and of the one chosen, on both halves."""
    given, ax = ax, axes_or_new(ax, 6.8, 5.0)
    chosen = discovery.boxes[0]
    halves = (
        (discovery.drawn.training, chosen.training, MAIN, ("-o", "*", 14), "where it was peeled"),
        (discovery.drawn.held_out, chosen.held_out, ACCENT, ("--s", "D", 8), "on the other half"),
    )
    for half, fitted, color, (line, marker, size), where in halves:
        fits = [fit(each, *half) for each in discovery.trajectory]
        ax.plot(
            [100 * each.coverage for each in fits], [100 * each.density for each in fits], line,
            ms=3.5, color=color, lw=1.2, alpha=0.75, label=f"boxes peeled, {where}",
        )  # fmt: skip
        ax.plot(
            100 * fitted.coverage, 100 * fitted.density, marker, color=color, ms=size, mec=INK,
            zorder=5, ls="", label=f"box chosen, {where}",
        )  # fmt: skip
    base = 100 * discovery.base_rate
    ax.axhline(base, color=MUTED, linewidth=1, linestyle=":", label="overall share")
    ax.set_xlim(104, -2)
    ax.set_ylim(0, 104)
    ax.set_xlabel("coverage: share of all cases inside the box (%)")
    ax.set_ylabel("density: cases among what is inside (%)")
    grid(ax, "both")
    legend(ax, "below", ncols=2)
    dress(ax, f"Peeling: {discovery.condition}", width=_WIDE)
    say_below(given, ax, _halves(discovery))
    return ax


def box(discovery: Discovery, ax: Axes | None = None) -> Axes:
    """Draw the limits of the first box, as shares of each parameter's draws."""
    found = discovery.boxes[0]
    names = list(dict.fromkeys(limit.parameter for limit in found.limits))[::-1]
    given, ax = ax, axes_or_new(ax, 7.6, 1.9 + 0.75 * max(1, len(names)) if names else 1.2)
    if not names:
        ax.set_axis_off()
        dress(ax, f"Box: {discovery.condition}", "nothing found: no limit", width=_WIDE)
        return ax
    for height, name in enumerate(names):
        _draw_limits(ax, height, [limit for limit in found.limits if limit.parameter == name])
    ax.set_ylim(-0.6, len(names) - 0.2)
    ax.set_yticks(range(len(names)), [wrapped(words(name), 26) for name in names])
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of the draws of each parameter (%), from its lowest to its highest")
    ax.tick_params(axis="y", length=0)
    grid(ax, "x")
    fitted = found.held_out
    note = (
        f"on the other half: density {100 * fitted.density:.0f} % against "
        f"{100 * discovery.base_rate:.0f} % overall, coverage {100 * fitted.coverage:.0f} %"
    )
    dress(ax, f"Box: {discovery.condition}", note, width=_WIDE)
    say_below(given, ax, _halves(discovery))
    return ax


def _halves(discovery: Discovery) -> str:
    peeled, other = (len(each) for _, each in (discovery.drawn.training, discovery.drawn.held_out))
    return f"n = {peeled:,} where peeled and {other:,} on the other half"


def _draw_limits(ax: Axes, height: float, limits: list[FoundLimit]) -> None:
    ends = {"at_least": 0.0, "at_most": 100.0}
    ends |= {limit.side: 100 * limit.share_below for limit in limits}
    low, high = ends["at_least"], ends["at_most"]
    ax.barh(height, 100, height=0.3, color=LIGHT, edgecolor=MIDDLE, linewidth=0.6)
    ax.barh(height, high - low, left=low, height=0.3, color=MAIN, hatch="//", edgecolor="white")
    text = "; ".join(_limit_text(limit) for limit in limits)
    ax.text(0.5, height + 0.22, text, color=INK, size=7.5, va="bottom")


def _limit_text(limit: FoundLimit) -> str:
    chance = "< 0.001" if limit.quasi_p < 0.001 else f"{limit.quasi_p:.3f}"
    text = f"{limit.bound}: quasi-p {chance}"
    if math.isnan(limit.stability.share):
        return text
    return f"{text}, restricted in {100 * limit.stability.share:.0f} % of resamples"


def tripwire(found: EarlyWarning, ax: Axes | None = None) -> Axes:
    """Draw hit rate against false-alarm rate of each indicator's best rule, as judged."""
    given, ax = ax, axes_or_new(ax, 6.8, 4.6)
    for n_parts, marker, label in ((1, "o", "one indicator"), (2, "s", "a pair")):
        judged = [each.held_out for each in found.candidates if len(each.rule.parts) == n_parts]
        if judged:
            rates = np.array([(each.false_alarm_rate, each.hit_rate) for each in judged])
            x, y = 100 * rates.T
            ax.plot(
                x, y, marker, color=MIDDLE, mec=MAIN, ms=5, clip_on=False, label=f"best of {label}"
            )
    if found.chosen is not None:
        own = found.chosen.held_out
        x, y = np.array([100 * own.false_alarm_rate]), np.array([100 * own.hit_rate])
        ax.plot(x, y, "D", color=ACCENT, mec=INK, ms=10, clip_on=False, label="chosen", zorder=5)
    most = 100 * found.terms.most_false_alarms
    ax.axvline(most, color=MUTED, lw=1, ls=":", label="most false alarms where searched")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.margins(0.08)
    ax.set_xlabel("false-alarm rate (% of replications that can have one), on the other half")
    ax.set_ylabel("hit rate (% of replications that can be hit)")
    grid(ax, "both")
    legend(ax)
    dress(ax, f"Tripwires: {words(found.event)}", _chosen_rule(found), width=_WIDE)
    say_below(given, ax, heading(found.scenario), f"n = {found.held_out.n:,}")
    return ax


def _chosen_rule(found: EarlyWarning) -> str:
    if found.chosen is None:
        return "no rule found"
    judged = found.chosen.held_out
    low, high = judged.predictive_interval
    luck = "" if judged.is_better_than_chance else ": no better than luck"
    return (
        f"chosen: {wrapped(words(found.chosen.rule.shown), 84)}\nan alarm is right with "
        f"{percent(judged.predictive_value)} ({100 * low:.0f} to {100 * high:.0f} %), by luck "
        f"with {percent(judged.base_rate_at_alarms)}{luck}"
    )


def screening(result: Screening, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw elementary effects: how large they are against how much they vary.

    Parameters
    ----------
    outcome
        Outcome, or ``OUTCOME.CLASS``; not needed where there is one.

    Raises
    ------
    ScenarioError
        There are no effects on the outcome.
    """
    outcome = known(outcome, result.effects)
    given, ax = ax, axes_or_new(ax, 7.4, 4.8)
    effects, ranking = result.effects[outcome], result.ranking(outcome)
    stars, sigmas, halves = (
        np.array([values[name] for name in ranking])
        for values in (effects.mu_star, effects.sigma, effects.mu_star_half)
    )
    n = min(_NAMED, int((stars > 0.0).sum()))
    ax.scatter(stars[n:], sigmas[n:], 12, color=MIDDLE, label="other numbers")
    ax.errorbar(stars[:n], sigmas[:n], xerr=halves[:n], fmt="none", ecolor=RULE, zorder=1)
    ax.scatter(stars[:n], sigmas[:n], 26, color=ACCENT, marker="D", label=f"largest {n}")
    key = []
    for i, name in enumerate(ranking[:n]):
        where = (stars[i], sigmas[i])
        ax.annotate(f"{i + 1}", where, (4, 4), textcoords="offset points", size=8, color=INK)
        key.append(f"{i + 1:>2}  {words(name)}")
    ax.text(1.03, 1.0, "\n".join(key), transform=ax.transAxes, va="top", size=7.5, color=INK)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    grid(ax, "both")
    unit = f" ({result.units[outcome]})" if result.units[outcome] else ""
    ax.set_xlabel(f"mean size of the elementary effect{unit}, with 95 % intervals")
    ax.set_ylabel(f"its standard deviation{unit}")
    legend(ax, "lower right")
    note = f"{result.trajectories:,} paths; from 12.5 % to 87.5 % points"
    dress(ax, f"{result.labels[outcome]}: {words(result.label)}", note)
    say_below(given, ax, heading(result.scenario), f"{result.n_runs:,} runs")
    return ax
