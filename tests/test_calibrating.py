"""What a calibration reads, what it says, and that the committed file is what it says."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import itertools
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.agents.registry import agent_class, parameters_read
from simlib.chance.distributions import quantile
from simlib.evidence.calibration.collecting import Calibration, calibrate
from simlib.evidence.calibration.fitted_intensities import fit_intensities
from simlib.evidence.calibration.level_fits import Ar1Grid, MonthlySeries, fit_levels
from simlib.evidence.calibration.published_record import CalibrationError, month_lags
from simlib.evidence.calibration.reporting import CountPair, fit_share
from simlib.evidence.calibration.totals import (
    PeriodTotal,
    change,
    damped_months,
    fit_slope,
    fit_totals,
    multiplier_moments,
)
from simlib.evidence.fitted import Fitted
from simlib.evidence.history.csv_text import LeakError
from simlib.scenario import load, load_text
from simlib.scenario.bundled import folder
from simlib.scenario.expressions import ExpressionError, names
from simlib.scenario.register_rows import grade_of
from simlib.theatre.questions.committee_choices import CONSTANTS
from simlib.theatre.questions.standardizing import committee_constants
from simlib.theatre.record.fitters import GEOGRAPHIES, UCDP, older, ucdp_levels
from simlib.theatre.record.published import FITTERS, fit_trend
from support.commands import call

if TYPE_CHECKING:
    from simlib.evidence.calibration.published_record import Record
    from simlib.scenario.schema import Scenario

AS_OF = dt.date(2024, 12, 31)


@functools.cache
def _found() -> Calibration:
    return calibrate(as_of=AS_OF, fitters=FITTERS)


@functools.cache
def _file() -> Scenario:
    return load("fitted")


def _constants() -> dict[str, tuple[float, str]]:
    """Return the committee's constants as the committed file has them."""
    theatre = load("theatre").parameters
    found = {}
    for name, parameter in _file().parameters.items():
        if parameter.value is not None and parameter != theatre[name]:
            found[name] = (parameter.value, str(parameter.judgement))
    return found


def test_committed_file_is_what_a_calibration_writes() -> None:
    """From the shipped counts, word by word; the simulated constants are taken as they are."""
    committed = (folder("scenarios") / "fitted.yaml").read_text(encoding="utf-8")
    assert _found().scenario_text(_constants()) == committed


def test_event_files_give_what_the_shipped_counts_give() -> None:
    root = os.environ.get("SIMLIB_HISTORY")
    if not root or not Path(root).is_dir():
        pytest.skip("SIMLIB_HISTORY names no folder with event files")
    from_files = calibrate([Path(root) / "events_2024.csv.gz"], as_of=AS_OF, fitters=FITTERS)
    assert [one.distribution for one in from_files.fitted] == [
        one.distribution for one in _found().fitted
    ]


def test_every_fit_says_data_method_and_date() -> None:
    for one in _found().fitted:
        parameter = _file().parameters[one.name]
        assert parameter.fitted is not None
        assert f"As of {AS_OF}" in parameter.fitted
        assert parameter.distribution == {k: dict(v) for k, v in one.distribution.items()}
        assert grade_of(one.name, parameter) == "fitted"
        assert one.data
        assert one.method


def _decided(scenario: Scenario) -> set[str]:
    """Return parameters of agents, decisions and postures."""
    texts = [*scenario.decisions.values(), *scenario.postures.values()]
    used: set[str] = set()
    for text in texts:
        used |= _mentioned(text.model_dump())
    used |= {name.rsplit(".", 1)[0] for name in used}
    values = scenario.value_names()
    for name in scenario.agents:
        used |= {values[read] for read in parameters_read(agent_class(name), values)}
    shifts = {name for name in scenario.parameters if name.startswith(("shift.", "structure."))}
    return (used | shifts) & set(scenario.parameters)


def _mentioned(value: object) -> set[str]:
    """Return the names in every expression below a part of a scenario."""
    if isinstance(value, dict):
        return set().union(*map(_mentioned, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_mentioned, value))
    try:
        return names(value) if isinstance(value, str) else set()
    except ExpressionError:  # a text
        return set()


def _touched() -> set[str]:
    theatre = load("theatre").parameters
    return {name for name, p in _file().parameters.items() if p != theatre[name]}


def test_decisions_and_postures_keep_their_priors() -> None:
    theatre = load("theatre")
    decided = _decided(theatre)
    assert {"committee.pi", "pkk.talks_months", "isis.anticipation", "shift.government"} <= decided
    free = {name for name in _touched() if name not in CONSTANTS}
    assert free & decided == set()
    for section in ("decisions", "postures", "agents", "timeline", "incidents", "state"):
        assert getattr(_file(), section) == getattr(theatre, section)


def test_a_touched_decision_is_found() -> None:
    """Negative control: the committee's base rates are among what must not be touched."""
    assert {"committee.pi"} & _decided(load("theatre"))
    assert "committee.pi" not in _touched()


def test_a_child_that_gives_another_value_is_no_longer_fitted() -> None:
    text = (
        "extends: fitted.yaml\nname: other\nparameters:\n"
        "  isis.level_syria: {value: 50, judgement: an assumption}\n"
    )
    parameter = load_text(text).parameters["isis.level_syria"]
    assert parameter.fitted is None
    assert grade_of("isis.level_syria", parameter) == "judgement"


def test_constants_are_solved_on_the_fitted_scenario() -> None:
    """Those that moved stand in the file that is written, and say on how many replications."""
    constants = committee_constants(_found(), 6)
    assert constants
    assert set(constants) <= set(CONSTANTS)
    written = load_text(_found().scenario_text(constants)).parameters
    for name, (value, text) in constants.items():
        assert abs(value) < 20.0
        assert written[name].value == pytest.approx(value, rel=1e-3)
        assert "6 replications" in text


def test_nothing_later_is_read() -> None:
    with pytest.raises(LeakError, match=r"published 2024-12-31, later than 2024-12-30"):
        calibrate(as_of=dt.date(2024, 12, 30), fitters=FITTERS)


def test_register_rows_dated_later_are_refused() -> None:
    earlier = replace(_found().record, as_of=dt.date(2024, 6, 1))
    with pytest.raises(
        LeakError, match=r"parameters.csv: row \d+: B1-LIS-2024H1: dated 2024-06-30"
    ):
        fit_trend(earlier)


def test_a_fitter_must_name_what_is_there_and_only_once() -> None:
    def stray(record: Record) -> list[Fitted]:
        return [Fitted("no.such", {"fixed": {"value": 1.0}}, "x", "d", "m", record.as_of)]

    with pytest.raises(CalibrationError, match=r"no.such: no such parameter in theatre"):
        calibrate(as_of=AS_OF, fitters=[stray])
    with pytest.raises(CalibrationError, match=r"trend.isis_iraq: fitted 2 times"):
        calibrate(as_of=AS_OF, fitters=[fit_trend, fit_trend])


def test_kirkuk_keeps_the_largest_share() -> None:
    for name in ("isis.places_iraq", "operations.places_iraq"):
        weights = (_file().parameters[name].distribution or {})["dirichlet"]
        assert max(weights, key=lambda place: weights[place]) == "kirkuk"


@pytest.mark.parametrize("name", sorted(GEOGRAPHIES))
def test_a_dirichlet_keeps_the_quantiles_of_the_mixture(name: str) -> None:
    """5, 50 and 95 % points of shares above .05: within .02 of 4,000 draws of the mixture.

    The error of a 5 % point of a share of sd .05 from 4,000 draws is about .002.
    """
    record = _found().record
    slugs = list((record.base.parameters[name].distribution or {})["dirichlet"])
    by_slug = {p.lower().replace(" ", "_").replace("-", "_"): p for p in record.base.places}
    places = [by_slug[slug] for slug in slugs]
    series = GEOGRAPHIES[name]
    fit = fit_intensities(
        places,
        record.lethal.by_place(series, places),
        older(record, series).by_place(series, places),
        11,
    )
    draws = fit.draw(4000, 1)
    shares = draws / draws.sum(axis=1, keepdims=True)
    weights = fit.dirichlet()
    for column, weight in enumerate(weights.tolist()):
        if weight / weights.sum() > 0.05:
            beta = {"a": weight, "b": float(weights.sum()) - weight}
            for share in (0.05, 0.5, 0.95):
                expected = np.quantile(shares[:, column], share)
                assert quantile("beta", beta, share) == pytest.approx(expected, abs=0.02)


def test_pooling_lies_between_the_counts_and_an_even_split() -> None:
    """Few events are pulled to the mean of all places, many hardly at all."""
    even = np.zeros(4)
    few = fit_intensities("abcd", np.array([3.0, 1.0, 0.0, 0.0]), even, 11.0).mean()
    assert 4.0 / 4.0 / 11.0 < few[0] < 3.0 / 11.0
    assert 0.0 < few[3] < 4.0 / 4.0 / 11.0
    many = fit_intensities("abcd", np.array([3000.0, 1000.0, 1.0, 1.0]), even, 11.0).mean()
    assert many[:2] * 11.0 == pytest.approx([3000.0, 1000.0], rel=0.01)


def test_older_geography_guides_only_where_it_agrees() -> None:
    counts, like, unlike = (
        np.array(row, dtype=np.float64)
        for row in ([20, 10, 4, 1], [200, 100, 40, 10], [10, 40, 100, 200])
    )
    agreed = fit_intensities("abcd", counts, like, 11.0)
    against = fit_intensities("abcd", counts, unlike, 11.0)
    assert agreed.older_weight > 0.5 > against.older_weight


def test_levels_stand_about_the_means_of_2024() -> None:
    """Each monthly mean of lethal events lies within the 5 to 95 % of its level."""
    levels = ucdp_levels(_found().record)
    for series in UCDP:
        lethal = series != "turkiye_pkk_iraq"
        observed = float(_found().record.monthly(series, lethal=lethal).mean())
        cumulative = np.cumsum(levels.level_weights[series])
        low, high = np.interp([0.05, 0.95], cumulative, levels.levels[series])
        assert low < observed < high


def test_without_drift_a_level_is_gamma() -> None:
    """With next to no tempo the posterior is Gamma(1 + total, 1 / mean + months)."""
    grid = Ar1Grid(np.array([0.5]), np.array([1e-3]), np.array([1.0]))
    counts = np.array([7, 3, 5, 4, 6, 8, 2, 5, 5, 4, 6])
    fit = fit_levels({"a": MonthlySeries(counts, 6.0)}, grid)
    shape, rate = 1.0 + counts.sum(), 1.0 / 6.0 + len(counts)
    mean, variance = fit.moments("a")
    assert mean == pytest.approx(shape / rate, rel=1e-3)
    assert variance == pytest.approx(shape / rate**2, rel=0.01)


def test_averaging_multipliers_keeps_their_mean() -> None:
    """Log moments of an average with mean 1: exp(mean + variance / 2) is 1; longer, tighter."""
    periods = [PeriodTotal(0, 1, 10), PeriodTotal(0, 12, 10)]
    covariance, mean = multiplier_moments(periods, 0.7, 0.4)
    assert np.exp(mean + np.diag(covariance) / 2.0) == pytest.approx([1.0, 1.0])
    assert covariance[0, 0] == pytest.approx(0.4**2)
    assert covariance[1, 1] < covariance[0, 0]


def test_a_known_pattern_shifts_the_level() -> None:
    grid = Ar1Grid(np.array([0.7]), np.array([0.3]), np.array([1.0]))
    plain, half = (
        fit_totals([PeriodTotal(0, 6, 400, pattern)], grid, prior_median=60.0).mean
        for pattern in (0.0, -np.log(2.0))
    )
    assert half - plain == pytest.approx(np.log(2.0), abs=0.05)


def test_slope_of_steady_fall() -> None:
    """A tenth less a year, every year, is log .9 / 12 a month."""
    totals = [10000.0 * 0.9**year for year in range(7)]
    changes = [
        change(a, b, months=12.0, lengths=(12.0, 12.0)) for a, b in itertools.pairwise(totals)
    ]
    fit = fit_slope(changes)
    assert fit.mean == pytest.approx(np.log(0.9) / 12.0, abs=0.002)
    assert damped_months(3, 0.9) == pytest.approx(1.0 + 0.9 + 0.81)


def test_pairs_that_agree_make_a_narrow_share() -> None:
    close = fit_share(
        [CountPair(30, 100), CountPair(31, 100), CountPair(29, 100), CountPair(30, 100)]
    )
    apart = fit_share(
        [CountPair(10, 100), CountPair(60, 100), CountPair(20, 100), CountPair(30, 100)]
    )
    assert close.a + close.b > 3.0 * (apart.a + apart.b)
    assert close.a / (close.a + close.b) == pytest.approx(0.3, abs=0.05)


def test_pairs_of_the_file_are_the_registers() -> None:
    """Register figures named in brackets are those of the row, as totals or rates."""
    with (folder("seeds") / "history" / "reporting_pairs.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    record = _found().record
    assert float(rows[0]["numerator"]) == record.figure("B2-SOHR-2024")
    rate = record.figure("B2-SW-2024-RATE")
    assert float(rows[0]["denominator"]) == pytest.approx(12 * rate, abs=1)
    assert float(rows[1]["numerator"]) == record.figure("B2-SOHR-SDF-2024H1")
    assert float(rows[1]["denominator"]) == 6 * record.figure("B2-SW-NE-2024")
    assert float(rows[2]["numerator"]) == record.figure("B2-CLAIM-2023")
    assert float(rows[3]["numerator"]) == record.figure("B2-CLAIM-2024H1")
    half = 6 * rate + record.figure("B1-LIS-2024H1")
    assert float(rows[3]["denominator"]) == pytest.approx(half, abs=1)


def test_lags_run_from_the_end_of_each_month() -> None:
    first, last, published = dt.date(2024, 1, 1), dt.date(2024, 3, 1), dt.date(2024, 4, 5)
    assert month_lags([(first, last, published)]) == [65, 36, 5]


def test_command_prints_and_writes(tmp_path: Path) -> None:
    paths = ("-o", str(tmp_path / "mine.yaml"), "--report", str(tmp_path / "report"))
    done = call("calibrate", "--as-of", "2024-12-31", *paths)
    assert done.returncode == 0, done.stderr
    assert "parameters of theatre are fitted" in done.stdout
    assert load(tmp_path / "mine.yaml").name == "fitted"
    made = {path.name for path in (tmp_path / "report").iterdir()}
    pictures = {"calibration.png", "calibration-places.png"}
    assert made == {"calibration.csv", "calibration.txt", *pictures, ".simlib-written"}


def test_command_refuses_an_earlier_date() -> None:
    done = call("calibrate", "--as-of", "2024-06-30")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.endswith("later than 2024-06-30")
