"""Forecast verification: scores, coverage, calibration and skill of a back-test or a ledger.

Parts of a back-test are called by their names, ``all`` is all of them; a level is ``unit`` (a
series in a governorate), ``series`` (in a country) or ``country``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.evidence.backtests.result import UNIT_BASELINE
from simlib.files import distinct
from simlib.plot.rows import Dots, rows
from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    LINES,
    MAIN,
    MARKERS,
    MIDDLE,
    MUTED,
    RULE,
    SHADES,
    axes_or_new,
    dress,
    grid,
    legend,
    page,
)
from simlib.scenario.spelling import heading, words
from simlib.statistics.scores import LEVELS, N_BINS, pit_counts, pit_histogram, reliability

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.evidence.backtests.result import BackTest
    from simlib.evidence.ledger.ledger_scores import LedgerScores

_BINS = 10
_LEVELS = {
    "unit": "series in a governorate",
    "series": "series in a country",
    "country": "country",
}


def backtest_scores(
    found: BackTest, part: str, level: str = "unit", ax: Axes | None = None
) -> Axes:
    """Draw mean CRPS by forecaster with its interval, in the order of the list."""
    ax = axes_or_new(ax, 6.0, 3.2)
    names = list(found.forecasters)
    table = _of(found, part, level, "all", "crps").set_index("forecaster").loc[names]
    is_baseline = [name in found.baselines for name in names]
    dots = Dots(
        table[["mean", "low", "high"]].to_numpy(dtype=np.float64).T,
        color=[MIDDLE if each else ACCENT for each in is_baseline],
        marker=["o" if each else "D" for each in is_baseline],
    )
    rows(ax, [words(name) for name in names], [dots])
    ax.set_xlim(left=0)
    ax.set_xlabel("mean CRPS (events; lower is better), 95 % interval")
    note = f"{_LEVELS[level]}; {table['n_origins'].iloc[0]} origins"
    has_interval = np.isfinite(table["low"]).all()
    dress(ax, _part(part), note if has_interval else f"{note}, too few for an interval")
    return ax


def backtest_coverage(found: BackTest, level: str = "unit", ax: Axes | None = None) -> Axes:
    """Draw which share of counts central intervals held, against the share they were to hold.

    Of units only those that were active: where nothing happens every interval holds.
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
    grid(ax, "both")
    legend(ax, "below", ncols=3)
    n = len(cases) // len(found.forecasters)
    note = f"{_level(level)};\n{n:,} cases; counts are whole: the share said or more"
    dress(ax, "Coverage", note)
    return ax


def backtest_transforms(
    found: BackTest, forecaster: str, level: str = "unit", ax: Axes | None = None
) -> Axes:
    """Draw a forecaster's probability integral transforms as a histogram: flat where right."""
    ax = axes_or_new(ax, 4.4, 3.2)
    cases = _cases(found, level)
    own = cases[cases["forecaster"] == forecaster]
    heights = pit_histogram(own["below"].to_numpy(), own["at_most"].to_numpy(), _BINS)
    edges = np.linspace(0, 1, _BINS + 1)
    ax.stairs(heights, edges, fill=True, fc=MIDDLE, ec=MAIN, lw=0.8)
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
    """Draw by horizon how much lower the mean CRPS is than the negative binomial's, in percent."""
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
    grid(ax, "y")
    legend(ax, "below", ncols=3)
    dress(ax, f"{_part(part)}: against the negative binomial", _LEVELS[level])
    return ax


def backtest_places(found: BackTest, part: str, candidate: str, ax: Axes | None = None) -> Axes:
    """Draw by governorate the difference of mean CRPS to the negative binomial's.

    Governorates where it never was above a hundredth of an event are left out.
    """
    own = found.differences
    own = own[
        (own["part"] == part) & (own["by"] == "governorate") & (own["score"] == "crps")
        & (own["forecaster"] == candidate) & (own["baseline"] == UNIT_BASELINE)
        & (own["of_baseline"] > 0.01)
    ]  # fmt: skip
    ax = axes_or_new(ax, 6.4, 1.6 + 0.27 * len(own))
    values = own[["difference", "low", "high"]].to_numpy(dtype=np.float64).T
    colors = [ACCENT if difference > 0 else MAIN for difference in values[0]]
    bars = [(color, 0.55) for color in colors]
    dots = Dots(values, color=colors, marker="", bar=bars)
    rows(ax, list(own["group"]), [dots], reference=0.0)
    ax.set_xlabel("difference of mean CRPS (events); left of 0: better; line: 95 % interval")
    dress(ax, f"{_part(part)}: {words(candidate)} against the negative binomial", "by governorate")
    return ax


def backtest_figures(
    found: BackTest, candidate: str | None
) -> dict[str, Callable[[], Figure | Axes]]:
    """What draws each figure of a back-test, by name of its file.

    Parameters
    ----------
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
    drawings = [partial(draw, name) for name in names]
    return page(drawings, 2 if len(names) == 4 else 3, (5.2, 4.0))


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
        "ls": LINES[i % len(LINES)] if is_baseline else "-",
        "lw": 1.2 if is_baseline else 2.4,
        "marker": MARKERS[i % len(MARKERS)],
        "ms": 4,
        "label": words(name),
    }


def ledger_reliability(scores: LedgerScores, ax: Axes | None = None) -> Axes:
    """Draw how often stated probabilities came, with 90 % bands, beside the base rate's."""
    ax = axes_or_new(ax, 5.4, 5.0)
    own, base = reliability(scores.probabilities), reliability(scores.base_probabilities)
    ax.plot([0, 1], [0, 1], color=RULE, linewidth=1.2)
    ax.vlines(own.stated, own.low, own.high, color=LIGHT, linewidth=8, label="90 % band if true")
    ax.plot(
        own.stated, own.observed, "o-", color=MAIN, markersize=5, linewidth=1.4, label="forecast"
    )
    ax.plot(base.stated, base.observed, "s--", color=ACCENT, ms=4, lw=1.0, label="base rate")
    for x, y, count in zip(own.stated, own.observed, own.count, strict=True):
        ax.annotate(f"{count}", (x, y), (5, -11), textcoords="offset points", size=8, color=INK)
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.05, 1.05))
    ax.set(xlabel="stated probability", ylabel="share that came")
    legend(ax, "lower right")
    n = len(scores.probabilities)
    note = f"{n} probabilities in {N_BINS} bins, counts beside the points; classes count one by one"
    dress(ax, f"Reliability: {heading(scores.scenario)}", note)
    return ax


def ledger_pit(scores: LedgerScores, ax: Axes | None = None) -> Axes:
    """Draw in which part of their forecasts numbers fell; even counts are calibrated."""
    ax = axes_or_new(ax, 5.4, 3.6)
    counts, (low, high) = pit_counts(scores.pit)
    middles = (np.arange(N_BINS) + 0.5) / N_BINS
    ax.axhspan(low, high, color=LIGHT, zorder=0)
    ax.axhline(len(scores.pit) / N_BINS, color=MUTED, linewidth=0.8)
    ax.bar(middles, counts, 0.9 / N_BINS, color=MAIN)
    ax.set(xlim=(0, 1), xlabel="where the number fell in its forecast (probability below it)")
    ax.set_ylabel("numbers")
    note = f"{len(scores.pit)} numbers; shaded: 90 % of each count where forecasts are calibrated"
    dress(ax, f"Numbers in their forecasts: {heading(scores.scenario)}", note)
    return ax
