"""What a back-test found: every forecast's scores, and what they come to in words and tables."""

from __future__ import annotations

import functools
import gzip
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Unpack

from simlib.errors import Problem, ScenarioError
from simlib.evidence.backtests.forecasters import BASELINES, CANDIDATES, forecaster
from simlib.evidence.backtests.origins import HORIZONS, LAG, SPAN
from simlib.evidence.backtests.scored_forecasts import cases_of, scores_of
from simlib.evidence.backtests.skill import ALL, Block, compared, summed
from simlib.files import Output, csv_bytes
from simlib.finding import Finding, plot_room
from simlib.scenario.requests import LAST_SEED, whole
from simlib.scenario.wording import shown
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.ensemble.execution import Execution
    from simlib.evidence.backtests.origins import HistoryPart
    from simlib.evidence.panels import Forecaster

MOST_DRAWS, MOST_RESAMPLES = 20_000, 100_000
UNIT_BASELINE = "negative_binomial"
"""The baseline that a candidate is not to lose to in any series of a country."""
_SHOWN = ("crps", "twcrps", "log", "brier_any", "brier_many", "interval_90", "covered_90")
_SAID = ["baseline", "difference", "low", "high", "verdict"]
_GROUPS = ("all", "series", "horizon")


@dataclass(frozen=True)
class BackTest(Finding):
    """Scores of forecasters at rolling origins; losses are shown like wins.

    Attributes
    ----------
    parts
        The vintages, each back-tested by itself.
    forecasters
        Names of what was back-tested.
    cases
        One row for each forecaster, origin, horizon, and unit or sum of units.
    n_draws, root_seed
        Draws of each forecast, and what made them.
    n_resamples
        Resamples of the bootstrap.
    candidate
        The forecaster that is compared with every baseline; empty for none.
    """

    stem: ClassVar[str] = "backtest"

    parts: tuple[HistoryPart, ...]
    forecasters: tuple[str, ...]
    cases: pd.DataFrame
    n_draws: int
    root_seed: int
    n_resamples: int
    candidate: str = ""

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of those that others are compared with."""
        return tuple(name for name in self.forecasters if name in BASELINES)

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts, before them ``all`` where there are several."""
        names = tuple(part.name for part in self.parts)
        return (ALL, *names) if len(names) > 1 else names

    @functools.cached_property
    def _blocks(self) -> dict[str, Block]:
        return {
            part.name: Block.of(
                part.name, [str(origin.month) for origin in part.origins],
                length=SPAN, n_resamples=self.n_resamples, root_seed=self.root_seed,
            )
            for part in self.parts
        }  # fmt: skip

    @functools.cached_property
    def scores(self) -> pd.DataFrame:
        """Mean scores with 95 % block-bootstrap intervals, one row for each score of a group."""
        return summed(self.cases, self._blocks, self.forecasters)

    @functools.cached_property
    def differences(self) -> pd.DataFrame:
        """Differences of mean scores to each baseline, with 95 % block-bootstrap intervals."""
        return compared(self.cases, self._blocks, self.forecasters, self.baselines)

    def table(self) -> pd.DataFrame:
        """Every mean score: `scores`."""
        return self.scores

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Mean scores and their differences."""
        return {"scores": self.scores, "differences": self.differences}

    def brief(self) -> pd.DataFrame:
        """Mean CRPS with its interval by forecaster and part, in the order of the list.

        For units, series and countries; rows are not sorted by the score.
        """
        own = self.scores[(self.scores["by"] == "all") & (self.scores["score"] == "crps")]
        table = own.assign(shown=_with_interval(own))
        wide = table.pivot_table(
            index=["level", "forecaster"], columns="part", values="shown", aggfunc="first"
        )
        levels = ("unit", "series", "country")
        order = [(level, name) for level in levels for name in self.forecasters]
        return wide.loc[order][list(self.part_names)].reset_index()

    def scoreboard(self) -> pd.DataFrame:
        """Every mean score of units by forecaster, all parts together.

        ``pit_distance`` is how far the distribution of the randomized probability integral
        transforms of active units is from uniform at most, 0 to 1 (Kolmogorov's distance).
        """
        from scipy import stats

        own = self._of_units("all")
        own = own[own["part"] == self.part_names[0]]
        wide = own.pivot_table(index="forecaster", columns="score", values="mean")
        table = wide.loc[list(self.forecasters)][list(_SHOWN)].reset_index()
        cases = self.cases[(self.cases["level"] == "unit") & self.cases["is_active"]]
        pits = cases.groupby("forecaster")["pit"]
        table["pit_distance"] = [
            float(stats.kstest(pits.get_group(name).to_numpy(), "uniform").statistic)
            for name in self.forecasters
        ]
        return table

    def breakdown(self, by: str) -> pd.DataFrame:
        """Mean CRPS of units by part, group and forecaster.

        Parameters
        ----------
        by
            ``country``, ``series``, ``horizon``, ``governorate``, ``year`` (of what is forecast)
            or ``activity`` (an event in the last 12 known months, or none).
        """
        own = self._of_units(by)
        own = own[(own["score"] == "crps") & (own["part"] != ALL)]
        wide = own.pivot_table(
            index=["part", "group", "n_cases"], columns="forecaster", values="mean", sort=False
        )
        return wide[list(self.forecasters)].reset_index()

    def _of_units(self, by: str) -> pd.DataFrame:
        return self.scores[(self.scores["level"] == "unit") & (self.scores["by"] == by)]

    def _of_candidate(self) -> pd.DataFrame:
        own = self.differences
        return own[(own["forecaster"] == self.candidate) & (own["score"] == "crps")]

    def verdict(self) -> pd.DataFrame:
        """Candidate minus each baseline, mean CRPS, with what can be said of it.

        One row for each group, one column for each baseline: the difference (negative: the
        candidate is better), and ``win``, ``loss``, ``undecided`` or ``no interval``.
        """
        own = self._of_candidate()
        own = own[own["by"].isin(_GROUPS) | ((own["by"] == "country") & (own["level"] != "unit"))]
        told = [
            f"{difference:+.4f} {word}"
            for difference, word in zip(own["difference"], own["verdict"], strict=True)
        ]
        keys = ["part", "level", "by", "group", "n_origins"]
        wide = own.assign(shown=told).pivot_table(
            index=keys, columns="baseline", values="shown", aggfunc="first", sort=False
        )
        return wide[[name for name in self.baselines if name != self.candidate]].reset_index()

    def against_unit_baseline(self) -> pd.DataFrame:
        """Candidate minus negative binomial for each country and series, with intervals."""
        own = self._of_candidate()
        own = own[
            (own["baseline"] == UNIT_BASELINE) & (own["level"] == "unit") & (own["by"] == "series")
        ]
        columns = ["part", "group", "n_origins", "of_baseline", "difference", "low", "high"]
        table = own[[*columns, "verdict"]].reset_index(drop=True)
        percent = (100 * table["difference"] / table["of_baseline"]).map("{:+.2f}".format)
        table.insert(len(columns), "percent", percent)
        return table

    def sentences(self) -> tuple[str, ...]:
        """Say what was back-tested, and what the candidate's aims come to."""
        return (*self.setting(), *self.aims())

    def setting(self) -> tuple[str, ...]:
        """Say what was back-tested: vintages, units, months, origins."""
        lines = []
        for part in self.parts:
            panel, origins = part.panel, part.origins
            lines.append(
                f"{part.name}: {panel.vintage}, {panel.counts.sum():,} lethal events in "
                f"{len(panel.units)} units, {panel.months[0]} to {panel.months[-1]}; "
                f"{len(origins)} origins, {origins[0].month} to {origins[-1].month}, horizons of "
                f"1 to {HORIZONS} months, known to {LAG} months before the first"
            )
        lines.append(
            f"{self.n_draws:,} draws of each forecast, root seed {self.root_seed}; "
            f"intervals: {self.n_resamples:,} resamples of blocks of {SPAN} origins"
        )
        return tuple(lines)

    def aims(self) -> tuple[str, ...]:
        """Say whether the candidate is lower than every baseline overall, than one anywhere."""
        if not self.candidate:
            return ()
        own, first = self._of_candidate(), self.part_names[0]
        overall = own[(own["part"] == first) & (own["level"] == "unit") & (own["by"] == "all")]
        lower = int((overall["difference"] < 0).sum())
        words = "; ".join(_said(*row) for row in overall[_SAID].itertuples(index=False, name=None))
        lines = [
            f"mean CRPS of units, {self.candidate} minus baseline, parts: {first}: {words}",
            f"lower than {lower} of {len(overall)} baselines overall",
        ]
        by_series = self.against_unit_baseline()
        if len(by_series):
            worse = by_series[by_series["difference"] > 0]
            decided = int((by_series["verdict"] == "loss").sum())
            named = ", ".join(f"{row.part}: {row.group}" for row in worse.itertuples()) or "none"
            lines.append(
                f"against {UNIT_BASELINE}, {len(worse)} of {len(by_series)} series of a country "
                f"are worse, {decided} of them decidedly; worse: {named}"
            )
        return tuple(lines)

    def page(self) -> str:
        """Everything as one page of Markdown, made by `make backtest`."""
        parts = [
            "# Back-tests: results",
            "Made by `make backtest`; do not edit. [What it means](../backtests.md).",
            *self.setting(),
            "## Mean CRPS",
            "In events, 95 % block-bootstrap interval in brackets. Lower is better.",
            _markdown(self.brief()),
            f"## All scores of units, parts: {self.part_names[0]}",
            _markdown(self.scoreboard()),
        ]
        if self.candidate:
            parts += [
                f"## {self.candidate} minus each baseline, mean CRPS",
                "Negative: the candidate is better.",
                _markdown(self.verdict()),
                f"## {self.candidate} minus {UNIT_BASELINE} by country and series",
                _markdown(self.against_unit_baseline()),
                *self.aims(),
            ]
        for by in ("series", "horizon", "year", "activity", "governorate"):
            parts += [f"## Mean CRPS of units by {by}", _markdown(self.breakdown(by))]
        return "\n\n".join(parts) + "\n"

    def figures(self) -> Mapping[str, Callable[[], Axes | Figure]]:
        """Scores, coverage, transforms, skill by horizon and by governorate."""
        drawn: Mapping[str, Callable[[], Axes | Figure]] = plot_room().backtest_figures(
            self, self.candidate or None
        )
        return drawn

    def briefs(self) -> Mapping[str, pd.DataFrame]:
        """Show mean scores and, where a candidate is compared, how it stands beside the others."""
        shown = {
            "mean CRPS in events, lower is better, with 95 % block-bootstrap intervals": (
                self.brief()
            ),
            f"mean scores of units, parts: {self.part_names[0]}": self.scoreboard(),
            "mean CRPS of units by country and series": self.breakdown("series"),
        }
        if name := self.candidate:
            better = f"(negative: {name} is better)"
            shown[f"mean CRPS, {name} minus baseline {better}"] = self.verdict()
            by_series = self.against_unit_baseline()
            shown[f"units by country and series, {name} minus {UNIT_BASELINE}"] = by_series
        return shown

    def write(self, output: Output) -> list[Path]:
        """Write tables and figures as `Finding.write` does, every case, and the page."""
        cases = gzip.compress(csv_bytes(self.cases, float_format="%.6g"), mtime=0)
        return [
            *super().write(output),
            output.write("cases.csv.gz", cases),
            output.write("results.md", self.page().encode()),
        ]


def backtest(
    parts: Sequence[HistoryPart],
    forecasters: Sequence[Forecaster] | None = None,
    *,
    candidate: str | None = None,
    n_draws: int = 1000,
    root_seed: int = 1,
    n_resamples: int = 2000,
    **execution: Unpack[Execution],
) -> BackTest:
    """Forecast lethal events as if at each past month, and score what came.

    Parameters
    ----------
    parts
        Vintages, as `simlib.theatre.record.monthly.shipped_parts` returns them.
    forecasters
        What forecasts; all that are listed in `forecasters` when not given.
    candidate
        Which of them is compared with every baseline; when not given the first that is none.
    n_draws
        Draws of each forecast, 2 to `MOST_DRAWS`.
    root_seed
        Makes every draw and every resample repeatable.
    n_resamples
        Resamples of the bootstrap over origins.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        A number is out of its range, or the candidate does not forecast.
    SimulationError
        A forecaster returns what is no draws of the counts asked for.
    """
    n_draws = whole("draws", n_draws, 2, MOST_DRAWS)
    n_resamples = whole("resamples", n_resamples, 1, MOST_RESAMPLES)
    root_seed = whole("root_seed", root_seed, 0, LAST_SEED)
    if forecasters is None:
        forecasters = [forecaster(name) for name in (*CANDIDATES, *BASELINES)]
    names = tuple(each.name for each in forecasters)
    chosen = _candidate(candidate, names)
    scores = scores_of(parts, forecasters, n_draws=n_draws, root_seed=root_seed, **execution)
    cases = cases_of(parts, names, scores, root_seed)
    return BackTest(tuple(parts), names, cases, n_draws, root_seed, n_resamples, chosen)


def _candidate(name: str | None, names: Sequence[str]) -> str:
    if name is not None and name not in names:
        rule = f"must be one of {', '.join(names)} (got {shown(name)})"
        raise ScenarioError([Problem("candidate", rule)])
    if len(names) == 1:  # nothing stands beside it
        return ""
    return name or next((each for each in names if each not in BASELINES), "")


def _said(baseline: str, difference: float, low: float, high: float, word: str) -> str:
    bounds = "" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}, "
    return f"{baseline} {difference:+.4f} ({bounds}{word})"


def _with_interval(table: pd.DataFrame) -> list[str]:
    return [
        f"{mean:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")
        for mean, low, high in zip(table["mean"], table["low"], table["high"], strict=True)
    ]


def _markdown(table: pd.DataFrame) -> str:
    head = [str(name) for name in table.columns]
    rows = [
        [number(value) if isinstance(value, float) else str(value) for value in row]
        for row in table.itertuples(index=False, name=None)
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
