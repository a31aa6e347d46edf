"""What the differences say in words and short tables: losses are shown like wins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.evidence.backtest.origins import HORIZONS, LAG
from simlib.evidence.backtest.skill import ALL

if TYPE_CHECKING:
    import pandas as pd

    from simlib.evidence.backtest.result import BackTest

UNIT_BASELINE = "negative_binomial"
"""The baseline that a candidate is not to lose to in any series of a country."""
SHOWN = ("crps", "twcrps", "log", "brier_any", "brier_many", "interval_90", "covered_90")
_SAID = ["baseline", "difference", "low", "high", "verdict"]
_GROUPS = ("all", "series", "horizon")


def setting(found: BackTest) -> tuple[str, ...]:
    """Return what was back-tested: vintages, units, months, origins."""
    lines = []
    for part in found.parts:
        panel, origins = part.panel, part.origins
        lines.append(
            f"{part.name}: {panel.vintage}, {panel.counts.sum():,} lethal events in "
            f"{len(panel.units)} units, {panel.months[0]} to {panel.months[-1]}; "
            f"{len(origins)} origins, {origins[0].month} to {origins[-1].month}, horizons of "
            f"1 to {HORIZONS} months, known to {LAG} months before the first"
        )
    lines.append(
        f"{found.n_draws:,} draws of each forecast, root seed {found.root_seed}; "
        f"intervals: {found.n_resamples:,} resamples of blocks of {found.block} origins"
    )
    return tuple(lines)


def parts_of(found: BackTest) -> tuple[str, ...]:
    """Return the names of the parts, before them ``all`` where there are several."""
    names = tuple(part.name for part in found.parts)
    return (ALL, *names) if len(names) > 1 else names


def ranking(found: BackTest) -> pd.DataFrame:
    """Return mean CRPS with its interval by forecaster and part, in the order of the list.

    For units, series and countries; rows are not sorted by the score.
    """
    scores = found.scores
    own = scores[(scores["by"] == "all") & (scores["score"] == "crps")]
    table = own.assign(shown=_with_interval(own, "mean", 3))
    wide = table.pivot_table(
        index=["level", "forecaster"], columns="part", values="shown", aggfunc="first"
    )
    order = [(level, name) for level in ("unit", "series", "country") for name in found.forecasters]
    return wide.loc[order][list(parts_of(found))].reset_index()


def scoreboard(found: BackTest) -> pd.DataFrame:
    """Return every mean score of units by forecaster, all parts together.

    ``pit_distance`` is how far the distribution of the randomized probability integral
    transforms of active units is from uniform at most, 0 to 1 (Kolmogorov's distance).
    """
    from scipy import stats

    scores = found.scores
    first = parts_of(found)[0]
    own = scores[(scores["part"] == first) & (scores["level"] == "unit") & (scores["by"] == "all")]
    wide = own.pivot_table(index="forecaster", columns="score", values="mean")
    table = wide.loc[list(found.forecasters)][list(SHOWN)].reset_index()
    cases = found.cases[(found.cases["level"] == "unit") & found.cases["is_active"]]
    pits = cases.groupby("forecaster")["pit"]
    table["pit_distance"] = [
        float(stats.kstest(pits.get_group(name).to_numpy(), "uniform").statistic)
        for name in found.forecasters
    ]
    return table


def breakdown(found: BackTest, by: str) -> pd.DataFrame:
    """Return mean CRPS of units by part, group and forecaster.

    Parameters
    ----------
    found
        What `backtest` returns.
    by
        ``country``, ``series``, ``horizon``, ``governorate``, ``year`` (of what is forecast)
        or ``activity`` (an event in the last 12 known months, or none).
    """
    scores = found.scores
    own = scores[(scores["level"] == "unit") & (scores["by"] == by) & (scores["score"] == "crps")]
    own = own[own["part"].isin([part.name for part in found.parts])]
    wide = own.pivot_table(
        index=["part", "group", "n_cases"], columns="forecaster", values="mean", sort=False
    )
    return wide[list(found.forecasters)].reset_index()


def verdict(found: BackTest, candidate: str) -> pd.DataFrame:
    """Return candidate minus each baseline, mean CRPS, with what can be said of it.

    One row for each group, one column for each baseline: the difference (negative: the
    candidate is better), and ``win``, ``loss``, ``undecided`` or ``no interval``.

    Raises
    ------
    ScenarioError
        The candidate was not back-tested.
    """
    own = _of(found, candidate)
    own = own[own["by"].isin(_GROUPS) | ((own["by"] == "country") & (own["level"] != "unit"))]
    shown = [
        f"{difference:+.4f} {word}"
        for difference, word in zip(own["difference"], own["verdict"], strict=True)
    ]
    keys = ["part", "level", "by", "group", "n_origins"]
    wide = own.assign(shown=shown).pivot_table(
        index=keys, columns="baseline", values="shown", aggfunc="first", sort=False
    )
    return wide[[name for name in found.baselines if name != candidate]].reset_index()


def against_unit_baseline(found: BackTest, candidate: str) -> pd.DataFrame:
    """Return candidate minus negative binomial for each country and series, with intervals."""
    own = _of(found, candidate)
    own = own[
        (own["baseline"] == UNIT_BASELINE) & (own["level"] == "unit") & (own["by"] == "series")
    ]
    columns = ["part", "group", "n_origins", "of_baseline", "difference", "low", "high"]
    table = own[[*columns, "verdict"]].reset_index(drop=True)
    percent = (100 * table["difference"] / table["of_baseline"]).map("{:+.2f}".format)
    table.insert(len(columns), "percent", percent)
    return table


def sentences(found: BackTest, candidate: str) -> tuple[str, ...]:
    """Return what the two aims come to: lower than every baseline overall, than one anywhere."""
    first = parts_of(found)[0]
    own = _of(found, candidate)
    overall = own[(own["part"] == first) & (own["level"] == "unit") & (own["by"] == "all")]
    lower = int((overall["difference"] < 0).sum())
    words = "; ".join(_said(*row) for row in overall[_SAID].itertuples(index=False, name=None))
    lines = [
        f"mean CRPS of units, {candidate} minus baseline, parts: {first}: {words}",
        f"lower than {lower} of {len(overall)} baselines overall",
    ]
    by_series = against_unit_baseline(found, candidate)
    if len(by_series):
        worse = by_series[by_series["difference"] > 0]
        decided = int((by_series["verdict"] == "loss").sum())
        named = ", ".join(f"{row.part}: {row.group}" for row in worse.itertuples()) or "none"
        lines.append(
            f"against {UNIT_BASELINE}, {len(worse)} of {len(by_series)} series of a country are "
            f"worse, {decided} of them decidedly; worse: {named}"
        )
    return tuple(lines)


def _of(found: BackTest, candidate: str) -> pd.DataFrame:
    if candidate not in found.forecasters:
        known = ", ".join(found.forecasters)
        raise ScenarioError([Problem("candidate", f"must be one of {known} (got {candidate})")])
    own = found.differences
    return own[(own["forecaster"] == candidate) & (own["score"] == "crps")]


def _said(baseline: str, difference: float, low: float, high: float, word: str) -> str:
    bounds = "" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}, "
    return f"{baseline} {difference:+.4f} ({bounds}{word})"


def _with_interval(table: pd.DataFrame, value: str, decimals: int) -> list[str]:
    return [
        f"{mean:.{decimals}f}"
        + ("" if math.isnan(low) else f" ({low:.{decimals}f} to {high:.{decimals}f})")
        for mean, low, high in zip(table[value], table["low"], table["high"], strict=True)
    ]
