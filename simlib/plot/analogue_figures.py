"""Withdrawals elsewhere: among placebos, beside simulated years, and what the prior becomes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.rows import Dots, rows
from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    LINES,
    MAIN,
    MARKERS,
    MUTED,
    RULE,
    axes_or_new,
    dress,
    legend,
    page,
    save,
)
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.evidence.analogues.study import AnalogueStudy

_FACTORS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SHOWN = (-3.2, 3.2)
"""Log ratios on the axis; what lies beyond is counted in the note."""


def analogue_placebos(study: AnalogueStudy, ax: Axes | None = None) -> Axes:
    """Draw the cases over the density of placebo log ratios."""
    ax = axes_or_new(ax, 6.4, 4.0)
    values = study.placebos.log_ratios
    ax.hist(values, np.linspace(*_SHOWN, 65).tolist(), density=True, color=LIGHT, label="placebos")
    top = ax.get_ylim()[1]
    for i, row in enumerate(study.rows):
        color = MAIN if row.case.is_pooled else ACCENT
        height = top * (1.06 + 0.11 * i)
        ratio = row.observed.log_ratio
        ax.plot([ratio, ratio], [0.0, height], LINES[2], color=color, linewidth=0.9)
        ax.plot(ratio, height, MARKERS[i % len(MARKERS)], color=color, markersize=5)
        name = f"  {heading(row.case.name)}{'' if row.case.is_pooled else ' (not pooled)'}  "
        side = "left" if ratio > 0.0 or ratio < -1.0 else "right"
        ax.text(ratio, height, name, color=INK, size=7.5, va="center", ha=side)
    ax.set_ylim(0.0, top * (1.15 + 0.11 * len(study.rows)))
    _factor_axis(ax, "events, twelve months after / twelve before (ratio)")
    ax.set_ylabel("density of placebos (per log unit)")
    beyond = int(((values < _SHOWN[0]) | (values > _SHOWN[1])).sum())
    low, high = study.sd_interval
    dress(
        ax,
        "Cases among years without an exit",
        f"{len(values)} overlapping windows ({beyond} beyond the axis), "
        f"log sd {study.placebos.sd:.2f} ({low:.2f} to {high:.2f})",
    )
    return ax


def analogue_years(study: AnalogueStudy, ax: Axes | None = None) -> Axes:
    """Draw the simulated year after each exit, with and without it, and the observed one."""
    ax = axes_or_new(ax, 6.4, 3.6)
    shown = [row for row in study.rows if row.predictions]
    dots = []
    for option, color in (("no_withdrawal", MUTED), ("withdrawal", MAIN)):
        low, middle, high = np.log([row.predictions[option].ratios() for row in shown]).T
        dots.append(Dots([middle, low, high], f"simulated, {words(option)}", color))
    y = rows(ax, [heading(row.case.name) for row in shown], dots)
    observed = [row.observed.log_ratio for row in shown]
    ax.plot(observed, y, "D", color=ACCENT, ms=5, label="observed")
    _factor_axis(ax, "events, twelve months after / observed twelve before (ratio)")
    ax.set_ylim(-0.6, len(shown) + 0.4)
    legend(ax, "upper left")
    dress(ax, "Simulated and observed year after", "lines: 5 % to 95 % of replications, and median")
    return ax


def analogue_update(study: AnalogueStudy, ax: Axes | None = None) -> Axes:
    """Draw the effect as believed before and after the pooled cases."""
    ax = axes_or_new(ax, 6.4, 4.0)
    lines = {"prior": study.before, "posterior": study.after}
    lines |= {each.name: each.after for each in study.alternatives if "afghan" in each.name}
    colors = (MUTED, MAIN, ACCENT)
    for i, (name, belief) in enumerate(lines.items()):
        label = f"{words(name)} ({belief.mean:.2f} ± {belief.sd:.2f})"
        ax.plot(belief.grid, belief.density, LINES[i], color=colors[i], linewidth=1.8, label=label)
    ax.set_ylim(0.0, 1.25 * max(belief.density.max() for belief in lines.values()))
    _factor_axis(ax, "effect of full exit on attacks over twelve months (factor)")
    ax.set_xlim(-2.0, 2.0)
    ax.set_ylabel("density (per log unit)")
    legend(ax, "upper right")
    dress(ax, "What the pooled cases add to the prior", "prior set with the cases in sight")
    return ax


def save_analogues(
    study: AnalogueStudy, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the panels side by side as PNG, SVG or PDF, by the suffix.

    Raises
    ------
    StoreError
        The suffix is another one, another file is there, or it cannot be written.
    """
    save(analogue_panels(study), path, overwrite=overwrite)


def analogue_panels(study: AnalogueStudy) -> Figure:
    """Draw the panels side by side."""
    panels = [analogue_placebos, analogue_years, analogue_update]
    if not any(row.predictions for row in study.rows):
        panels.remove(analogue_years)
    return page([partial(panel, study) for panel in panels], 3, (5.4, 4.6))


def _factor_axis(ax: Axes, label: str) -> None:
    ax.set_xticks(np.log(_FACTORS).tolist(), [f"{factor:g}" for factor in _FACTORS])
    ax.set_xlim(*_SHOWN)
    ax.axvline(0.0, color=RULE, linewidth=1.0, zorder=0)
    ax.set_xlabel(label)
