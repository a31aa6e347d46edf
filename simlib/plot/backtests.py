"""How forecasts would have done: scores, coverage, transforms, skill by horizon and by place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.evidence.backtest.result import UNIT_BASELINE
from simlib.files import distinct
from simlib.plot.style import (
    ACCENT,
    INK,
    LINES,
    MAIN,
    MARKERS,
    MIDDLE,
    MUTED,
    RULE,
    SHADES,
    axes_or_new,
    dress,
    new_figure,
    words,
)
from simlib.statistics.scores import LEVELS, pit_histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.evidence.backtest.result import BackTest

_BINS = 10
_LEVELS = {
    "unit": "series in a governorate",
    "series": "series in a country",
    "country": "country",
}


def backtest_scores(
    found: BackTest, part: str, level: str = "unit", ax: Axes | None = None
) -> Axes:
    """Draw mean CRPS by forecaster with its interval, in the order of the list.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns.
    part
        Name of a part, or ``all``.
    level
        ``unit``, ``series`` or ``country``.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 6.0, 3.2)
    table = _of(found, part, level, "all", "crps").set_index("forecaster")
    for height, name in enumerate(reversed(found.forecasters)):
        row = table.loc[name]
        color, marker = (MIDDLE, "o") if name in found.baselines else (ACCENT, "D")
        if np.isfinite(row["low"]):
            ax.plot([row["low"], row["high"]], [height] * 2, color=color, linewidth=2)
        ax.plot(row["mean"], height, marker, color=color, markeredgecolor=INK, markersize=6)
    ax.set_yticks(range(len(found.forecasters)), list(map(words, reversed(found.forecasters))))
    ax.set_xlim(left=0)
    ax.set_xlabel("mean CRPS (events; lower is better), 95 % interval")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    n_origins = int(table["n_origins"].iloc[0])
    has_interval = np.isfinite(table["low"]).all()
    note = f"{_LEVELS[level]}; {n_origins} origins"
    dress(ax, _part(part), note if has_interval else f"{note}, too few for an interval")
    return ax


def backtest_coverage(found: BackTest, level: str = "unit", ax: Axes | None = None) -> Axes:
    """Draw which share of counts central intervals held, against the share they were to hold.

    Of units only those that were active: where nothing happens every interval holds.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns.
    level
        ``unit``, ``series`` or ``country``.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 5.0, 4.2)
    cases = _cases(found, level)
    means = cases.groupby("forecaster")[[f"covered_{each}" for each in LEVELS]].mean()
    ax.plot([0, 100], [0, 100], color=MUTED, linewidth=1, label="as said")
    for i, name in enumerate(found.forecasters):
        ax.plot(LEVELS, 100 * means.loc[name], **_line(found, i))
    ax.set_xlim(40, 100)
    ax.set_ylim(0, 100)
    ax.set_xlabel("central interval (%)")
    ax.set_ylabel("counts that it held (%)")
    ax.grid(color=RULE, linewidth=0.6)
    _legend_below(ax)
    n = len(cases) // len(found.forecasters)
    dress(
        ax, "Coverage", f"{_level(level)};\n{n:,} cases; counts are whole: the share said or more"
    )
    return ax


def _legend_below(ax: Axes) -> None:
    """Put the legend where no line is."""
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=3,
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
    )


def backtest_transforms(
    found: BackTest, forecaster: str, level: str = "unit", ax: Axes | None = None
) -> Axes:
    """Draw the histogram of a forecaster's probability integral transforms: flat where it is right.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns.
    forecaster
        Its name.
    level
        ``unit`` (active ones), ``series`` or ``country``.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 4.4, 3.2)
    cases = _cases(found, level)
    own = cases[cases["forecaster"] == forecaster]
    heights = pit_histogram(own["below"].to_numpy(), own["at_most"].to_numpy(), _BINS)
    edges = np.linspace(0, 1, _BINS + 1)
    ax.stairs(heights, edges, fill=True, color=MIDDLE)
    ax.stairs(heights, edges, color=MAIN, linewidth=0.8)
    ax.axhline(1, color=ACCENT, linewidth=1.2, linestyle="--")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(2.0, 1.08 * heights.max()))
    ax.set_xlabel("probability integral transform")
    ax.set_ylabel("density (1 where forecasts are right)")
    dress(ax, words(forecaster), f"{_level(level)}; {len(own):,} cases")
    return ax


def backtest_horizons(
    found: BackTest, part: str, level: str = "unit", ax: Axes | None = None
) -> Axes:
    """Draw by horizon how much lower the mean CRPS is than the negative binomial's, in percent.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns; the negative binomial is among its forecasters.
    part
        Name of a part, or ``all``.
    level
        ``unit``, ``series`` or ``country``.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 6.0, 3.8)
    table = _of(found, part, level, "horizon", "crps")
    wide = table.assign(horizon=table["group"].astype(int)).pivot_table(
        index="horizon", columns="forecaster", values="mean"
    )
    ax.axhline(0, color=MUTED, linewidth=1)
    for i, name in enumerate(found.forecasters):
        if name != UNIT_BASELINE:
            ax.plot(wide.index, 100 * (1 - wide[name] / wide[UNIT_BASELINE]), **_line(found, i))
    ax.set_xticks(wide.index)
    ax.set_xlabel("horizon (months)")
    ax.set_ylabel("CRPS lower by (%); below 0: worse")
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    _legend_below(ax)
    dress(ax, f"{_part(part)}: against the negative binomial", _LEVELS[level])
    return ax


def backtest_places(found: BackTest, part: str, candidate: str, ax: Axes | None = None) -> Axes:
    """Draw by governorate the difference of mean CRPS to the negative binomial's.

    Governorates where it never was above a hundredth of an event are left out.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns.
    part
        Name of a part.
    candidate
        The forecaster that is compared.
    ax
        Where to draw; new axes when not given.
    """
    own = found.differences
    own = own[
        (own["part"] == part) & (own["by"] == "governorate") & (own["score"] == "crps")
        & (own["forecaster"] == candidate) & (own["baseline"] == UNIT_BASELINE)
        & (own["of_baseline"] > 0.01)
    ]  # fmt: skip
    ax = axes_or_new(ax, 6.4, 1.6 + 0.27 * len(own))
    values = own[["difference", "low", "high"]].to_numpy(dtype=np.float64)[::-1]
    for height, (difference, low, high) in enumerate(values):
        color = ACCENT if difference > 0 else MAIN
        ax.barh(height, difference, height=0.6, color=color, alpha=0.55)
        if np.isfinite(low):
            ax.plot([low, high], [height] * 2, color=INK, linewidth=1)
    ax.set_yticks(range(len(own)), list(own["group"].iloc[::-1]))
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_xlabel("difference of mean CRPS (events); left of 0: better; line: 95 % interval")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    dress(ax, f"{_part(part)}: {words(candidate)} against the negative binomial", "by governorate")
    return ax


def backtest_figures(
    found: BackTest, candidate: str | None
) -> dict[str, Callable[[], Figure | Axes]]:
    """Return what draws each figure of a back-test, by name of its file.

    Parameters
    ----------
    found
        What `simlib.evidence.backtest` returns.
    candidate
        The forecaster that is compared with the negative binomial by governorate.
    """
    parts, names = found.part_names, found.forecasters
    drawn: dict[str, Callable[[], Figure | Axes]] = {
        f"crps-{level}": partial(_page, partial(backtest_scores, found, level=level), parts)
        for level in _LEVELS
    }
    drawn["coverage"] = partial(_page, partial(backtest_coverage, found), list(_LEVELS))
    drawn["transforms"] = partial(_page, partial(backtest_transforms, found), names)
    if UNIT_BASELINE in names:
        drawn["horizons"] = partial(_page, partial(backtest_horizons, found), parts)
        if candidate is not None and candidate != UNIT_BASELINE:
            for part, name in distinct([part.name for part in found.parts]).items():
                drawn[f"places-{name}"] = partial(backtest_places, found, part, candidate)
    return drawn


def _page(draw: Callable[..., Axes], names: Sequence[str]) -> Figure:
    n_columns = min(3 if len(names) != 4 else 2, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(5.2 * n_columns, 4.0 * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        draw(name, ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return figure


def _of(found: BackTest, part: str, level: str, by: str, score: str) -> pd.DataFrame:
    own = found.scores
    return own[
        (own["part"] == part) & (own["level"] == level) & (own["by"] == by)
        & (own["score"] == score)
    ]  # fmt: skip


def _cases(found: BackTest, level: str) -> pd.DataFrame:
    cases = found.cases[found.cases["level"] == level]
    return cases[cases["is_active"]] if level == "unit" else cases


def _level(level: str) -> str:
    return f"{_LEVELS[level]}{', active in the last year known' if level == 'unit' else ''}"


def _part(part: str) -> str:
    return "All parts" if part == "all" else words(part).capitalize()


def _line(found: BackTest, i: int) -> dict[str, Any]:
    name = found.forecasters[i]
    is_baseline = name in found.baselines
    return {
        "color": SHADES[i % len(SHADES)] if is_baseline else INK,
        "linestyle": LINES[i % len(LINES)] if is_baseline else "-",
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 4,
        "linewidth": 1.2 if is_baseline else 2.4,
        "label": words(name),
    }
