"""Boxes of parameters and tripwires: what scenario discovery and a search for rules found."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

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
    words,
)
from simlib.statistics.formatting import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.discovery.discovered import Discovery, FoundLimit
    from simlib.analysis.discovery.early_warning import EarlyWarning

WIDE = 62


def peeling(discovery: Discovery, ax: Axes | None = None) -> Axes:
    """Draw density against coverage of the boxes peeled, on both halves.

    Parameters
    ----------
    discovery
        What `simlib.analysis.discover` returns.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 6.8, 5.0)
    halves = (
        (discovery.drawn.training, "-", "o", MAIN, "where it was peeled"),
        (discovery.drawn.held_out, "--", "s", ACCENT, "on the other half"),
    )
    for rows, line, marker, color, label in halves:
        fits = [fit(box, *rows) for box in discovery.trajectory]
        coverage = [100 * each.coverage for each in fits]
        density = [100 * each.density for each in fits]
        ax.plot(
            coverage, density, line, marker=marker, markersize=3.5, color=color, linewidth=1.2,
            alpha=0.75, label=f"boxes peeled, {label}",
        )  # fmt: skip
    chosen = discovery.boxes[0]
    for fitted, marker, color, label in (
        (chosen.training, "*", MAIN, "where it was peeled"),
        (chosen.held_out, "D", ACCENT, "on the other half"),
    ):
        ax.plot(
            [100 * fitted.coverage], [100 * fitted.density], marker, color=color, linestyle="",
            markersize=14 if marker == "*" else 8, markeredgecolor=INK, markeredgewidth=1,
            label=f"box chosen, {label}", zorder=5,
        )  # fmt: skip
    base = 100 * discovery.base_rate
    ax.axhline(base, color=MUTED, linewidth=1, linestyle=":", label="overall share")
    ax.set_xlim(-2, 104)
    ax.set_ylim(0, 104)
    ax.invert_xaxis()
    ax.set_xlabel("coverage: share of all cases inside the box (%)")
    ax.set_ylabel("density: cases among what is inside (%)")
    ax.grid(color=RULE, linewidth=0.6)
    ax.legend(
        frameon=False, fontsize=7.5, labelcolor=INK, ncols=2,
        loc="upper center", bbox_to_anchor=(0.5, -0.14),
    )  # fmt: skip
    dress(ax, _title(f"Peeling: {discovery.condition}"), _halves(discovery))
    return ax


def box(discovery: Discovery, ax: Axes | None = None) -> Axes:
    """Draw the limits of the first box, as shares of each parameter's draws.

    Parameters
    ----------
    discovery
        What `simlib.analysis.discover` returns.
    ax
        Where to draw; new axes when not given.
    """
    found = discovery.boxes[0]
    names = list(dict.fromkeys(limit.parameter for limit in found.limits))
    ax = axes_or_new(ax, 7.6, 1.9 + 0.75 * max(1, len(names)))
    if not names:
        ax.text(0.5, 0.5, "nothing found: no limit", ha="center", color=INK, size=10)
        ax.set_ylim(0, 1)
    for height, name in enumerate(reversed(names)):
        limits = [limit for limit in found.limits if limit.parameter == name]
        _range(ax, height, limits)
    ax.set_yticks(range(len(names)), [_wrapped(name) for name in reversed(names)])
    if names:
        ax.set_ylim(-0.6, len(names) - 0.2)
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of the draws of each parameter (%), from its lowest to its highest")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    fitted = found.held_out
    dress(
        ax,
        _title(f"Box: {discovery.condition}"),
        f"on the other half: density {100 * fitted.density:.0f} % against "
        f"{100 * discovery.base_rate:.0f} % overall, coverage {100 * fitted.coverage:.0f} %",
    )
    return ax


def _range(ax: Axes, height: float, limits: list[FoundLimit]) -> None:
    low, high = 0.0, 100.0
    for limit in limits:
        if limit.side == "at_least":
            low = 100 * limit.share_below
        else:
            high = 100 * limit.share_below
    ax.barh(height, 100, height=0.3, color=LIGHT, edgecolor=MIDDLE, linewidth=0.6)
    ax.barh(height, high - low, left=low, height=0.3, color=MAIN, hatch="//", edgecolor="white")
    text = "; ".join(_said(limit) for limit in limits)
    ax.text(0.5, height + 0.22, text, color=INK, size=7.5, va="bottom")


def _said(limit: FoundLimit) -> str:
    text = f"{limit.shown.removeprefix(limit.parameter).strip()}: quasi-p {_chance(limit.quasi_p)}"
    if math.isnan(limit.stability.share):
        return text
    return f"{text}, restricted in {100 * limit.stability.share:.0f} % of resamples"


def tripwire(found: EarlyWarning, ax: Axes | None = None) -> Axes:
    """Draw hit rate against false-alarm rate of each indicator's best rule, as judged.

    Parameters
    ----------
    found
        What `simlib.analysis.tripwires` returns.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 6.8, 4.6)
    for number_of_parts, marker, label in ((1, "o", "one indicator"), (2, "s", "a pair")):
        rules = [each for each in found.candidates if len(each.rule.parts) == number_of_parts]
        if rules:
            ax.plot(
                [100 * each.held_out.false_alarm_rate for each in rules],
                [100 * each.held_out.hit_rate for each in rules],
                marker, color=MIDDLE, markeredgecolor=MAIN, markersize=5, label=f"best of {label}",
            )  # fmt: skip
    note = "no rule found"
    if found.chosen is not None:
        judged = found.chosen.held_out
        ax.plot(
            [100 * judged.false_alarm_rate], [100 * judged.hit_rate], "D", color=ACCENT,
            markersize=10, markeredgecolor=INK, label="chosen", zorder=5,
        )  # fmt: skip
        low, high = judged.predictive_interval
        note = (
            f"chosen: {_wrapped(found.chosen.rule.shown, 84)}\nan alarm is right with "
            f"{percent(judged.predictive_value)} ({100 * low:.0f} to {100 * high:.0f} %), by luck "
            f"with {percent(judged.base_rate_at_alarms)}"
        )
        if not judged.is_better_than_chance:
            note += ": no better than luck"
    ax.axvline(
        100 * found.terms.most_false_alarms, color=MUTED, linewidth=1, linestyle=":",
        label="most false alarms where searched",
    )  # fmt: skip
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.margins(0.08)
    ax.set_xlabel("false-alarm rate (% of replications that can have one), on the other half")
    ax.set_ylabel("hit rate (% of replications that can be hit)")
    ax.grid(color=RULE, linewidth=0.6)
    ax.legend(frameon=False, fontsize=7.5, labelcolor=INK)
    dress(ax, _title(f"Tripwires: {found.event}"), note)
    return ax


def lead_times(found: EarlyWarning, ax: Axes | None = None) -> Axes:
    """Draw how many weeks before the event the right alarms of the chosen rule came.

    Parameters
    ----------
    found
        What `simlib.analysis.tripwires` returns.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 6.4, 3.4)
    first = found.terms.ahead_weeks
    edges = first + np.linspace(0.0, 1.0, 13) * found.terms.window_weeks
    leads = found.chosen.held_out.lead_weeks if found.chosen else ()
    counts, _ = np.histogram(leads, edges)
    ax.stairs(counts, edges, fill=True, color=MIDDLE)
    ax.stairs(counts, edges, color=MAIN, linewidth=0.8)
    note = "no right alarm on the other half"
    if leads:
        assert found.chosen is not None  # noqa: S101
        low, middle, high = found.chosen.held_out.lead_quartiles()
        ax.axvline(middle, color=ACCENT, linewidth=1.4, linestyle="--")
        note = (
            f"{len(leads)} right alarms: median {middle:.1f}, half of them {low:.1f} to {high:.1f}"
        )
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, max(1, counts.max(initial=0)) * 1.1)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("lead: weeks from the alarm to the event")
    ax.set_ylabel("right alarms (replications)")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    dress(ax, _title(f"Lead: {found.event}"), note)
    return ax


def _halves(discovery: Discovery) -> str:
    return f"n = {len(discovery.drawn.training[1])} and {len(discovery.drawn.held_out[1])}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _wrapped(text: str, width: int = 26) -> str:
    return "\n".join(textwrap.wrap(words(text) if " " not in text else text, width))


def _title(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDE))
