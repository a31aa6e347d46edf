"""What learning an unknown is worth, ranked, for each loss and date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import (
    INK,
    MARKERS,
    RULE,
    SHADES,
    axes_or_new,
    dress,
    heading,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlib.analysis.value.evppi import UnknownValue
    from simlib.analysis.value.information import Information

MOST_BARS = 10


def information(result: Information, loss: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw what unknowns are worth for one loss, the dates side by side, with 95 % intervals.

    The reports to each date and the unknowns that are worth most at some date are shown,
    at most `MOST_BARS`. Foreseeing everything is named in the note: it is another scale.

    Parameters
    ----------
    result
        What `simlib.analysis.value.information.value_of_information` found.
    loss
        Name of the loss; the first of the panel when not given.
    ax
        Where to draw; new axes when not given.
    """
    name = loss or next(iter(result.panel.losses))
    dates = list(result.options)
    shown = _most_valuable([x for x in result.unknowns if x.loss == name])
    ax = axes_or_new(ax, 7.6, 1.9 + 0.52 * len(shown))
    places = np.arange(len(shown), dtype=np.float64)[::-1]
    height = 0.8 / len(dates)
    for i, date in enumerate(dates):
        those = {x.name: x.alone for x in result.unknowns if (x.loss, x.date) == (name, date)}
        y = places + height * ((len(dates) - 1) / 2 - i)
        worths = [those[each.name] for each in shown]
        color = SHADES[i % len(SHADES)]
        ax.barh(y, [w.value for w in worths], height * 0.9, color=color, alpha=0.45)
        for at, worth in zip(y, worths, strict=True):
            ax.plot(worth.interval(), [at, at], color=color, linewidth=1.3)
        marker = MARKERS[i % len(MARKERS)]
        values = [w.value for w in worths]
        ax.plot(values, y, marker, color=color, markersize=4, label=f"{date}")
    ax.set_yticks(places, [_label(each) for each in shown])
    ax.set_xlim(left=0.0)
    ax.set_xlabel(f"value of learning it before choosing ({result.panel.losses[name].unit})")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.legend(title="decided on", fontsize=8, title_fontsize=8, frameon=False, labelcolor=INK)
    dress(ax, f"Loss: {heading(name)}", _note(result, name))
    return ax


def _most_valuable(unknowns: list[UnknownValue]) -> list[UnknownValue]:
    """Return the reports and the unknowns worth most at some date, one of each name."""
    best: dict[str, UnknownValue] = {}
    for each in unknowns:
        known = best.get(each.name)
        if each.kind != "everything" and (
            known is None or each.alone.estimate > known.alone.estimate
        ):
            best[each.name] = each
    ranked = sorted(best.values(), key=lambda x: (x.kind != "reports", -x.alone.estimate))
    return ranked[:MOST_BARS]


def _label(each: UnknownValue) -> str:
    kind = "group: " if each.kind == "group" and each.name.endswith(".*") else ""
    return f"{kind}{words(each.name.removesuffix('.*'))}"


def _note(result: Information, loss: str) -> str:
    parts = []
    for ranking in result.rankings:
        if ranking.loss == loss:
            everything = next(
                x.alone
                for x in result.unknowns
                if (x.loss, x.date, x.kind) == (loss, ranking.date, "everything")
            )
            parts.append(
                f"{ranking.date}: {words(ranking.best)} is best (wrong with P <= "
                f"{max(ranking.p_incorrect, 0.001):.2g}); foreseeing all: {everything.value:.3g}"
            )
    return "\n".join(parts)
