"""Back-tests: nothing later is seen, sums are of joint draws, work goes on where it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simlib.cli.app import app
from simlib.errors import ScenarioError, SimulationError
from simlib.evidence import CountPanel, HistoryPart, Unit, backtest, shipped_counts
from simlib.evidence.backtests import scored_forecasts as running
from simlib.evidence.backtests.forecasters import BASELINES, CANDIDATES, forecaster
from simlib.evidence.backtests.origins import HORIZONS, LAG, known_at
from simlib.evidence.backtests.skill import Block, compared, summed
from simlib.evidence.panels import at_levels, levels_of
from simlib.statistics.scores import SCORES
from simlib.theatre.record.monthly import shipped_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Progress
    from simlib.evidence.panels import Forecaster

LATE = 10**6
"""A count that no month which may be known has."""
UNITS = (
    Unit("Here", "raids", "North"),
    Unit("Here", "raids", "South"),
    Unit("Here", "strikes", "North"),
    Unit("There", "raids", "East"),
)


def part(n_months: int = 20, n_known: int = 12) -> HistoryPart:
    """Return counts that differ by unit and month."""
    months = np.arange(np.datetime64("2000-01"), np.datetime64("2000-01") + n_months)
    counts = (7 * np.arange(4)[:, None] + 3 * np.arange(n_months) ** 2) % 11
    return HistoryPart("test", CountPanel(UNITS, months, counts.astype(np.int64), "test"), n_known)


@dataclass(frozen=True)
class Knowing:
    """Draws what it knows last."""

    name: str

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, _root_seed: int
    ) -> NDArray[np.int64]:
        """Draw the last known counts."""
        shape = (len(known.units), len(months), n_draws)
        return np.broadcast_to(known.counts[:, -1, None, None], shape).copy()


@dataclass(frozen=True)
class Cheating:
    """Looks for later counts wherever an array may lead, and writes over what it is given."""

    name: str
    found: list[int]

    def forecast(
        self, known: CountPanel, months: NDArray[np.datetime64], n_draws: int, _root_seed: int
    ) -> NDArray[np.int64]:
        """Draw zeros; note the largest count that can be reached."""
        array: NDArray[np.int64] | None = known.counts
        while array is not None:
            self.found.append(int(array.max()))
            array = array.base
        self.found.append(int((known.months >= months[0]).sum()))
        known.counts[:] = 0
        return np.zeros((len(known.units), len(months), n_draws), dtype=np.int64)


def test_origins_know_nothing_of_the_last_two_months() -> None:
    """At month t counts to t - 3 are known and months t to t + 5 are forecast, as far as there are.

    20 months, 12 known at first: the first origin is the 15th month, the last the 20th.
    """
    origins = part().origins
    assert [str(origin.month) for origin in origins] == [f"2001-0{m}" for m in range(3, 9)]
    for origin in origins:
        assert origin.month - origin.last_known == np.timedelta64(LAG, "M")
        assert origin.months[0] == origin.month
    assert [len(origin.months) for origin in origins] == [6, 5, 4, 3, 2, 1]
    assert HORIZONS == 6


def test_a_cheating_forecaster_gets_nothing_later() -> None:
    """Counts of a million from the first unknown month on are not seen, nor is history changed."""
    whole = part(n_known=12)
    origin = whole.origins[0]
    whole.panel.counts[:, whole.panel.months > origin.last_known] = LATE
    before = whole.panel.counts.copy()
    seen: list[int] = []
    cheat = Cheating("cheat", seen)
    known = known_at(whole.panel, origin)
    cheat.forecast(known, origin.months, 2, 1)
    assert max(seen) < LATE
    np.testing.assert_array_equal(whole.panel.counts, before)
    cheat.forecast(whole.panel, origin.months, 2, 1)
    assert max(seen) == LATE, "negative control: given everything, it finds it"


def in_process(whole: HistoryPart, made: Sequence[Forecaster], n_draws: int) -> pd.DataFrame:
    """Return the cases of a back-test without workers."""
    job = running._Forecasts((whole,), tuple(made), n_draws, 1)
    scores = running._scored(job, range(len(job.rows())))["scores"]
    return running.cases_of([whole], [each.name for each in made], scores, 1)


def test_forecasters_are_given_what_was_known_and_are_scored_on_what_came() -> None:
    """The one that draws the last known counts has a CRPS of how far they are from what came."""
    whole = part()
    cases = in_process(whole, [Knowing("knowing")], 3)
    assert len(cases) == (6 + 5 + 4 + 3 + 2 + 1) * len(levels_of(UNITS))
    units = cases[cases["level"] == "unit"].reset_index(drop=True)
    at = [whole.panel.months.tolist().index(np.datetime64(o).item()) for o in units["origin"]]
    keys = units[["country", "series", "place"]].itertuples(index=False, name=None)
    rows = [UNITS.index(Unit(*key)) for key in keys]
    came = whole.panel.counts[rows, np.array(at) + units["horizon"] - 1]
    known = whole.panel.counts[rows, np.array(at) - LAG]
    np.testing.assert_array_equal(units["observed"], came)
    np.testing.assert_allclose(units["crps"], np.abs(known - came))


@pytest.mark.parametrize("name", [*CANDIDATES, *BASELINES])
def test_later_counts_change_no_forecast(name: str) -> None:
    """What came later can be anything: draws stay as they are. What is known cannot."""
    (shipped,) = shipped_parts(["2024"])
    origin = shipped.origins[1]
    made = forecaster(name)

    def drawn(change: np.datetime64) -> NDArray[np.int64]:
        panel = shipped.panel
        counts = panel.counts.copy()
        counts[:, panel.months >= change] += 40
        changed = CountPanel(panel.units, panel.months, counts, panel.vintage)
        return made.forecast(known_at(changed, origin), origin.months, 20, 1)

    as_is = drawn(np.datetime64("2030-01"))
    np.testing.assert_array_equal(as_is, drawn(origin.last_known + 1))
    assert (as_is != drawn(origin.last_known)).any()


def test_sums_are_of_joint_draws() -> None:
    """Series and countries are summed draw by draw: what moves together does so in sums.

    Two units that are 0 or 10 together have a sum of 0 or 20, never 10.
    """
    levels = levels_of(UNITS)
    assert [level.name for level in levels] == ["unit"] * 4 + ["series"] * 3 + ["country"] * 2
    coin = np.tile([0, 10], 50)
    draws = np.stack([coin, coin, 10 - coin, coin])
    sums = dict(zip((level.unit for level in levels), at_levels(levels, draws), strict=True))
    assert set(sums[Unit("Here", "raids", "")]) == {0, 20}
    assert set(sums[Unit("Here", "", "")]) == {10, 20}
    np.testing.assert_array_equal(sums[Unit("There", "", "")], coin)


def test_any_number_of_workers_gives_the_same_and_stopped_work_goes_on(tmp_path: Path) -> None:
    """Stopped after two of six origins, four are left; all is as without workers."""
    made = [forecaster(name) for name in BASELINES]
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.n_done == 2 * len(made) and progress.n_total == 6 * len(made):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backtest([part()], made, n_draws=20, jobs=1, directory=tmp_path, progress=stop)
    seen.clear()
    resumed = backtest([part()], made, n_draws=20, jobs=2, directory=tmp_path, progress=stop)
    assert seen[-1].n_total == 4 * len(made)
    pd.testing.assert_frame_equal(resumed.cases, in_process(part(), made, 20))


@pytest.mark.parametrize("wrong", [np.zeros((4, 6, 3)), -np.ones((4, 6, 3), dtype=np.int64)])
def test_what_is_no_draws_is_refused(wrong: NDArray[np.int64]) -> None:
    class Wrong:
        name = "wrong"

        def forecast(self, *_given: object) -> NDArray[np.int64]:
            return wrong

    with pytest.raises(SimulationError, match=r"^wrong: must draw whole numbers >= 0 of shape"):
        in_process(part(), [Wrong()], 3)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"n_draws": 1}, r"draws: must be a whole number from 2 to 20000 \(got 1\)"),
        ({"n_draws": 10**11}, r"draws: must be a whole number from 2 to 20000 \(got 1000"),
        ({"root_seed": -1}, r"root_seed: must be a whole number from 0 to"),
        ({"n_resamples": 0}, r"resamples: must be a whole number from 1 to"),
    ],
)
def test_a_number_out_of_bounds_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        backtest([part()], **more)


def test_a_name_that_is_empty_is_no_forecaster() -> None:
    """It does not stand for all of them, which take minutes."""
    found = CliRunner().invoke(app, ["backtest", "--forecaster", ""])
    assert isinstance(found.exception, ScenarioError)
    assert "must be one of incident_layer, last_value" in str(found.exception)


def made_cases(scores: dict[str, NDArray[np.float64]]) -> tuple[pd.DataFrame, dict[str, Block]]:
    """Return cases of one unit whose scores are given, by forecaster and origin."""
    months = np.arange(np.datetime64("2000-01"), np.datetime64("2000-01") + 48)
    block = Block.of("p", list(months.astype(str)), length=8, n_resamples=400, root_seed=1)
    tables = [
        pd.DataFrame(
            {
                "part": "p", "forecaster": name, "origin": months.astype(str), "horizon": 1,
                "month": months.astype(str), "level": "unit", "country": "Here",
                "series": "raids", "place": "North", "is_active": True,
                **dict.fromkeys(SCORES, values),
            }
        )
        for name, values in scores.items()
    ]  # fmt: skip
    return pd.concat(tables), {"p": block}


def test_losses_are_shown_like_wins() -> None:
    """A forecaster one lower at every origin wins by 1 exactly; the other way round it loses.

    One that differs by noise about nothing is undecided, and one seen at too few origins
    has no interval.
    """
    level = 5 + np.sin(np.arange(48.0))
    noise = np.sin(0.7 * np.arange(48.0) ** 2)
    noise -= noise.mean()
    cases, blocks = made_cases({"a": level, "b": level + 1, "c": level + noise})
    names = ("a", "b", "c")
    table = compared(cases, blocks, names, names)
    own = table[(table["by"] == "all") & (table["level"] == "unit") & (table["score"] == "crps")]
    said = own.set_index(["forecaster", "baseline"])
    assert said.loc[("a", "b"), "verdict"] == "win"
    assert said.loc[("b", "a"), "verdict"] == "loss"
    assert said.loc[("c", "a"), "verdict"] == "undecided"
    for column in ("difference", "low", "high"):
        assert said.loc[("b", "a"), column] == pytest.approx(1)
    few = cases[cases["origin"] < "2001-12"]
    assert set(compared(few, blocks, names, names)["verdict"]) == {"no interval"}


def test_means_are_of_cases() -> None:
    """A group's mean is that of its cases; its interval holds it."""
    cases, blocks = made_cases({"a": np.arange(48.0)})
    table = summed(cases, blocks, ("a",))
    own = table[(table["by"] == "all") & (table["score"] == "crps") & (table["level"] == "unit")]
    assert own["mean"].item() == pytest.approx(23.5)
    assert own["low"].item() < 23.5 < own["high"].item()
    assert own["n_cases"].item() == own["n_origins"].item() == 48


def test_shipped_parts_are_of_one_vintage_and_hold_all_governorates() -> None:
    """18 governorates in Iraq and 14 in Syria for each series, located lethal events all in."""
    shipped = {each.name: each.panel for each in shipped_parts()}
    assert {name: len(panel.units) for name, panel in shipped.items()} == {
        "iraq": 2 * 18,
        "syria": 4 * 14,
        "2024": 2 * 18 + 4 * 14,
    }
    counts = shipped_counts()
    for panel in shipped.values():
        own = counts[(counts["vintage"] == panel.vintage) & (counts["place"] != "")]
        own = own[own["series"].isin({unit.series for unit in panel.units})]
        assert panel.counts.sum() == own["lethal_events"].sum()
    assert len({panel.vintage for panel in shipped.values()}) == 3
    with pytest.raises(ScenarioError, match=r"part: must be one of iraq, syria, 2024 \(got mars\)"):
        shipped_parts(["mars"])


def test_the_command_writes_tables_figures_and_a_page(tmp_path: Path) -> None:
    """Losses of the candidate are in the words too; a baseline that is not known is one line."""
    line = ["backtest", "--part", "2024", "--draws", "20", "--jobs", "1", "-o", str(tmp_path)]
    chosen = ["--forecaster", "last_value,negative_binomial", "--candidate", "last_value"]
    done = CliRunner().invoke(app, [*line, *chosen], catch_exceptions=False)
    assert done.exit_code == 0
    assert "lower than 0 of 1 baselines overall" in done.stdout
    assert "too few" not in done.stdout
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert written >= {"scores.csv", "differences.csv", "cases.csv.gz", "results.md"}
    assert written >= {"crps-unit.png", "coverage.png", "transforms.png", "horizons.png"}
    with pytest.raises(ScenarioError, match=r"forecaster: must be one of .* \(got 'luck'\)"):
        CliRunner().invoke(app, [*line, "--forecaster", "luck"], catch_exceptions=False)
    with pytest.raises(ScenarioError, match=r"candidate: must be one of .* \(got 'luck'\)"):
        CliRunner().invoke(app, [*line, "--candidate", "luck"], catch_exceptions=False)
