"""Laws of the analogues: what is counted, what is a placebo, and what the prior becomes."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import gzip
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import halfnorm, norm, t

import simlib
from simlib.chance.distributions import check
from simlib.evidence import study_analogues
from simlib.evidence.analogues.analogue_record import (
    ALL,
    STATE_BASED,
    AnalogueError,
    read_record,
    record_path,
)
from simlib.evidence.analogues.levels import fit_level, level_before
from simlib.evidence.analogues.placebo import (
    SPAN,
    YEAR,
    Contrast,
    Placebos,
    contrast,
    contrast_of,
    placebos,
    standing,
)
from simlib.evidence.analogues.study import Prediction, predict
from simlib.evidence.analogues.updating import (
    SPREAD,
    Belief,
    belief_of,
    information,
    matched,
    spreads,
    thinned,
    updated,
    worth_in_years,
)
from simlib.evidence.panels import CountPanel, Unit
from simlib.scenario import load_text
from simlib.scenario.bundled import scenario_names
from simlib.scenario.canonical import resolve
from simlib.scenario.schema import Parameter
from simlib.statistics.ranks import simulated_ranks, uniformity
from simlib.theatre.analogues.withdrawal import CASES, WITHDRAWALS, fitted_withdrawal_effect
from support.commands import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.evidence.analogues.analogue_record import Case
    from simlib.evidence.analogues.study import AnalogueStudy

AS_OF = dt.date(2024, 12, 31)
SEED = 20241231
PRIOR = WITHDRAWALS.prior
SCENARIOS = [case for case in CASES if case.has_scenario]


@functools.cache
def record() -> CountPanel:
    return read_record(AS_OF)


@functools.cache
def study() -> AnalogueStudy:
    found: AnalogueStudy = study_analogues(analogues=WITHDRAWALS, replications=0)
    return found


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def panel_of(**counts: NDArray[np.int64]) -> CountPanel:
    """Return a panel of all events from January 2008 on."""
    n_months = len(next(iter(counts.values())))
    months = np.datetime64("2008-01", "M") + np.arange(n_months)
    units = tuple(Unit(country, ALL, "") for country in counts)
    return CountPanel(units, months, np.array([*counts.values()]), "test")


# the record


def test_the_record_ends_with_2023_and_says_nothing_of_later() -> None:
    """What is of 2024 comes from a release of 2025; on 31 December 2024 it was not published."""
    with record_path().open(encoding="utf-8", newline="") as lines:
        assert max(row["month"] for row in csv.DictReader(lines)) == "2023-12"
    assert record().months[-1] == np.datetime64("2023-12")
    assert read_record(dt.date(2024, 6, 30)).months[-1] == np.datetime64("2022-12")
    assert (record().counts[::2] <= record().counts[1::2]).all()


def test_the_record_is_what_was_published() -> None:
    """Counts are those of the country-months at hand."""
    folder = os.environ.get("SIMLIB_HISTORY", "")
    file = Path(folder) / "analogues_country_month.csv"
    if not folder or not file.is_file():
        pytest.skip("SIMLIB_HISTORY names no folder with analogues_country_month.csv")
    codes = {"AFG": "Afghanistan", "BFA": "Burkina Faso", "IRQ": "Iraq", "MLI": "Mali"}
    found = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            key = (codes.get(row["country"], "Syria"), row["month"])
            found[key] = [int(float(row[STATE_BASED])), int(float(row[ALL]))]
    panel = record()
    for i, month in enumerate(panel.months):
        for country in {unit.country for unit in panel.units}:
            rows = [panel.units.index(Unit(country, s, "")) for s in (STATE_BASED, ALL)]
            assert panel.counts[rows, i].tolist() == found[country, str(month)]


@pytest.mark.parametrize(
    ("file", "sides", "span", "figures"),
    [
        ("iraq_2010_2018", {"Government of Iraq", "IS"}, ("2010-12", "2011-11"), 143),
        ("iraq_2010_2018", {"Government of Iraq", "IS"}, ("2012-01", "2012-12"), 145),
        ("iraq_2010_2018", {"IS", "Civilians"}, ("2010-12", "2011-11"), 28),
        ("iraq_2010_2018", {"IS", "Civilians"}, ("2012-01", "2012-12"), 110),
        ("syria_2016_2019", {"IS", "SDF"}, ("2018-10", "2018-10"), 80),
        ("syria_2016_2019", {"IS", "SDF"}, ("2019-09", "2019-09"), 20),
        ("syria_2016_2019", {"IS", "SDF"}, ("2019-10", "2019-10"), 14),
        ("syria_2016_2019", {"IS", "SDF"}, ("2019-11", "2019-11"), 5),
    ],
)
def test_figures_by_dyad_on_the_page_are_those_of_the_events(
    file: str, sides: set[str], span: tuple[str, str], figures: int
) -> None:
    folder = os.environ.get("SIMLIB_HISTORY", "")
    path = Path(folder) / f"events_{file}.csv.gz"
    if not folder or not path.is_file():
        pytest.skip(f"SIMLIB_HISTORY names no folder with {path.name}")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        n = sum(
            {row["side_a"], row["side_b"]} == sides and span[0] <= row["date_start"][:7] <= span[1]
            for row in csv.DictReader(lines)
        )
    assert n == figures


HEAD = "country,month,state_based_events,events"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "must hold a row below the header"),
        (["Iraq,9999-12,1,2"], r"row 2: month: must be a month.*from 1900 to 2200"),
        ([f"Iraq,2008-01,{'9' * 5000},2"], r"row 2: state_based_events: must be a whole"),
        ([f"{'x' * 200_000},2008-01,1,2"], r"row 2: is no table with commas"),
        (
            ["Iraq,2008-13,1,2"],
            r"row 2: month: must be a month, YYYY-MM, .*\(got '2008-13'\)",
        ),
        (["Iraq,2008-01,-1,2"], r"row 2: state_based_events: must be a whole .* \(got '-1'\)"),
        (["Iraq,2008-01,1"], r"record.csv: row 2: must have 4 values \(got 3\)"),
        (["Iraq,2008-01,1,2", "Iraq,2008-01,1,2"], "record.csv: row 3: Iraq, 2008-01 stands twice"),
        (["Iraq,2008-01,1,2", "Mali,2008-02,1,2"], "record.csv: no row of Iraq, 2008-02"),
        (["Iraq,2025-01,1,2"], "nothing was published by 2024-12-31"),
    ],
)
def test_a_wrong_record_is_told_by_file_and_row(
    rows: list[str], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "record.csv"
    file.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    with pytest.raises(AnalogueError, match=words):
        read_record(AS_OF, file)


def test_other_columns_and_no_file_are_told(tmp_path: Path) -> None:
    file = tmp_path / "record.csv"
    file.write_text("country,month\nIraq,2008-01\n", encoding="utf-8")
    with pytest.raises(AnalogueError, match="columns must be country, month"):
        read_record(AS_OF, file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AnalogueError, match="must be UTF-8 text"):
        read_record(AS_OF, file)
    with pytest.raises(AnalogueError, match="no such file"):
        read_record(AS_OF, tmp_path / "none.csv")


# twelve months against twelve


def test_the_month_between_counts_nowhere() -> None:
    """1 a month before, 1000 in the month, 3 a month after: a ratio of 3."""
    counts = np.array([1] * 12 + [1000] + [3] * 12)
    found = contrast(panel_of(Mali=counts), "Mali", np.datetime64("2009-01"))
    assert found == Contrast(12, 36)
    assert found.log_ratio == math.log(3.0)


@pytest.mark.parametrize("month", ["2008-12", "2009-02"])
def test_a_year_that_is_not_whole_is_refused(month: str) -> None:
    panel = panel_of(Mali=np.ones(25, dtype=np.int64))
    with pytest.raises(AnalogueError, match="needs 12 months on both sides"):
        contrast(panel, "Mali", np.datetime64(month))


@pytest.mark.parametrize(
    ("name", "ratio"),
    [("iraq_2011", 1.38), ("iraq_2020", 1.11), ("syria_2019", 0.64), ("mali_2022", 0.98)],
)
def test_the_ratios_behind_the_prior_are_found_again(name: str, ratio: float) -> None:
    """The design gives them with two digits, some cut off: within .01."""
    assert math.exp(contrast_of(record(), case_of(name)).log_ratio) == pytest.approx(
        ratio, abs=0.01
    )


def _with_a_step(factor: int) -> CountPanel:
    """Return 20 events a month in Iraq, times a factor from the exit of December 2011 on."""
    counts = np.full(96, 20)
    counts[48:] *= factor
    return panel_of(Iraq=counts)


def test_no_placebo_has_an_exit_in_its_two_years() -> None:
    """A step at the exit only: placebos see nothing of it, all windows together do.

    72 windows; those within a year of December 2011 (month 47) are 25.
    """
    without = placebos(_with_a_step(3), CASES)
    assert (without.log_ratios == 0.0).all()
    assert (len(without.log_ratios), without.n_excluded) == (72 - 25, 25)
    everything = placebos(_with_a_step(3), ())
    assert len(everything.log_ratios) == 72
    assert everything.log_ratios.max() == math.log(3.0)


def test_quiet_years_are_no_placebos() -> None:
    """11 events in the year before are too few, 12 are enough."""
    counts = np.ones(25, dtype=np.int64)
    assert len(placebos(panel_of(Mali=counts), CASES).log_ratios) == 1
    with pytest.raises(AnalogueError, match="no window"):
        placebos(panel_of(Mali=counts), CASES, least_before=13)


def _poisson_panel(seed: int) -> CountPanel:
    generator = np.random.default_rng(seed)
    return panel_of(**{name: generator.poisson(50.0, 192) for name in ("A", "B", "C", "D", "E")})


def test_resamples_tell_how_well_the_placebo_sd_is_known() -> None:
    """Poisson counts of mean 50: a log ratio has variance 2 / (12 x 50).

    Over 60 panels the sd of the estimate is compared with the sd of resamples of one panel:
    blocks get it within a factor of 1.6, resampling single windows (which forgets that 24 of 25
    neighbors share months) gives less than half.
    """
    panels = [placebos(_poisson_panel(SEED + i), ()) for i in range(60)]
    estimates = np.array([each.sd for each in panels])
    assert abs(estimates.mean() / math.sqrt(2.0 / 600.0) - 1.0) < 0.1
    blocks = np.mean([each.sd_resamples(200).std() for each in panels[:20]])
    assert 1.0 / 1.6 < blocks / estimates.std() < 1.6
    generator = np.random.default_rng(SEED)
    singles = [
        generator.choice(panels[0].log_ratios, len(panels[0].log_ratios)).std() for _ in range(200)
    ]
    assert np.std(singles) < 0.5 * estimates.std()


def test_resamples_are_repeatable_and_leave_out_what_is_not_there() -> None:
    ratios = {"A": np.full(SPAN, np.nan), "B": np.linspace(-1.0, 1.0, SPAN)}
    found = Placebos(ratios, 0, 0)
    resamples = found.sd_resamples(400, SEED)
    assert (resamples == found.sd_resamples(400, SEED)).all()
    assert 200 < len(resamples) < 400
    assert not np.isnan(resamples).any()


def test_where_a_case_stands_is_a_rank() -> None:
    """Among 1 .. 9: 5.5 has 5 below; the smaller tail with itself is 4 + 1 of 10."""
    among = np.arange(1.0, 10.0)
    found = standing(5.5, among)
    assert (found.n, found.share_below, found.p_value) == (9, 5.0 / 9.0, 1.0)
    assert standing(0.0, among).p_value == pytest.approx(0.2)
    assert standing(9.0, among).p_value == pytest.approx(0.4)


# what the prior becomes


def test_the_prior_is_the_theatres() -> None:
    given = simlib.load("theatre").parameters["withdrawal.log_effect"].distribution
    assert given == PRIOR
    for case in SCENARIOS:
        assert simlib.load(case.name).parameters["withdrawal.log_effect"].distribution == PRIOR


def test_a_case_that_says_nothing_changes_nothing() -> None:
    """A placebo sd of 1000: the posterior is the prior. One of .01 says more than one of 1."""
    before = belief_of(PRIOR)
    vague = updated(np.array([1.0]), np.array([1000.0]), PRIOR)
    assert abs(vague.mass - before.mass).max() < 1e-6
    assert abs(worth_in_years(before, vague, WITHDRAWALS.year_sd)) < 1e-3
    near, far = (updated(np.array([0.2]), np.array([sd]), PRIOR) for sd in (0.01, 1.0))
    assert information(before, near) > information(before, far) > 0.0


def test_the_grid_agrees_with_an_integral() -> None:
    """Two cases, one placebo sd: posterior mean and second moment by summing the joint density.

    Here 3,001 effects by 601 spreads to six scales; there steps of .01 and 40 midpoints of the
    spread, for which .003 is the tolerance.
    """
    ratios, sd = np.array([0.5, -0.1]), 0.4
    effects, widths = np.linspace(-6.0, 6.0, 3001)[:, None], np.linspace(0.0, 3.0, 601)
    joint = t.pdf(effects, 4, 0.05, 0.3) * halfnorm.pdf(widths, scale=SPREAD)
    for ratio in ratios:
        joint = joint * norm.pdf(ratio, effects, np.hypot(widths, sd))
    total, first, second = ((effects**power * joint).sum() for power in range(3))
    found = updated(ratios, np.array([sd]), PRIOR)
    assert found.mean == pytest.approx(first / total, abs=0.003)
    assert found.sd == pytest.approx(math.sqrt(second / total - (first / total) ** 2), abs=0.003)


def _experiment(
    seed: int, fit: Callable[[NDArray[np.float64]], Belief]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw an effect, a spread and a placebo sd; simulate three cases; fit."""
    generator = np.random.default_rng(seed)
    effect = 0.05 + 0.30 * generator.standard_t(4)
    spread = abs(generator.normal(0.0, SPREAD))
    width = math.hypot(spread, generator.choice(SDS))
    belief = fit(generator.normal(effect, width, 3))
    return np.array([effect]), belief.draws(39, seed)[None, :]


SDS = np.array([0.4, 0.5, 0.65, 0.8, 0.95])


def test_the_fitter_recovers_what_it_is_given() -> None:
    """Simulation-based calibration: ranks of 300 effects inside the 95 % simultaneous band.

    Negative controls, which must fall outside: a fitter that takes cases for exact (placebo sd
    of .05), and one that hears nothing new but moves to the cases' mean.
    """
    ranks = simulated_ranks(lambda s: _experiment(s, lambda y: updated(y, SDS, PRIOR)), 300, SEED)
    assert uniformity(ranks[0], 40).is_uniform

    def overconfident(ratios: NDArray[np.float64]) -> Belief:
        mass = norm.pdf(belief_of(PRIOR).grid, ratios.mean(), 0.05)
        return Belief(belief_of(PRIOR).grid, mass / mass.sum())

    wrong = simulated_ranks(lambda s: _experiment(s, overconfident), 300, SEED)
    assert not uniformity(wrong[0], 40).is_uniform
    shifted = simulated_ranks(
        lambda s: _experiment(s, lambda y: updated(y + 0.3, SDS, PRIOR)), 300, SEED
    )
    assert not uniformity(shifted[0], 40).is_uniform


def test_spreads_and_sds_are_thinned_without_bias() -> None:
    """Half-normal mean sqrt(2 / pi) SPREAD; midpoints miss .01 of it, far in the tail."""
    assert spreads().mean() == pytest.approx(math.sqrt(2.0 / math.pi) * SPREAD, abs=0.01)
    assert thinned(np.linspace(0.0, 1.0, 2001)).mean() == pytest.approx(0.5, abs=1e-6)


def test_a_year_is_worth_what_its_tempo_leaves() -> None:
    """The log-sd of a mean of twelve months of an AR(1), rho .7 and sd .4, by summing all pairs."""
    lags = np.abs(np.subtract.outer(np.arange(YEAR), np.arange(YEAR)))
    assert pytest.approx(WITHDRAWALS.year_sd, abs=0.005) == math.sqrt(0.16 * (0.7**lags).mean())


def test_a_student_t_is_matched_by_itself_and_two_humps_are_not() -> None:
    """A t of the grid comes back within the grid's step; two humps are off by more than .1."""
    found = matched(belief_of(PRIOR))
    assert found.error < 0.002
    arguments = found.distribution["student_t"]
    assert arguments["scale"] == pytest.approx(0.30, abs=0.005)
    assert arguments["df"] == pytest.approx(4.0, abs=0.3)
    grid = belief_of(PRIOR).grid
    humps = norm.pdf(grid, -1.0, 0.1) + norm.pdf(grid, 1.0, 0.1)
    assert matched(Belief(grid, humps / humps.sum())).error > 0.1


def test_what_is_fitted_is_a_distribution_a_scenario_knows() -> None:
    fitted = fitted_withdrawal_effect(AS_OF)
    ((kind, arguments),) = fitted.distribution.items()
    assert check(kind, arguments) == []
    assert study().match.distribution == fitted.distribution
    assert study().match.error < 0.01
    assert study().before.sd > study().after.sd
    parameter = Parameter(distribution=dict(fitted.distribution), unit=fitted.unit, judgement="x")
    assert parameter.distribution == fitted.distribution


def test_what_was_published_later_changes_nothing(tmp_path: Path) -> None:
    """Counts of 2021 on, ten times as many: nothing as of 2021 changes, as of 2022 it does."""
    lines = record_path().read_text(encoding="utf-8").splitlines()
    changed = [f"{line}0" if _year(line) >= 2021 else line for line in lines]
    file = tmp_path / "record.csv"
    file.write_text("\n".join(changed), encoding="utf-8")
    early, late = dt.date(2021, 12, 31), dt.date(2024, 12, 31)
    assert fitted_withdrawal_effect(early, file) == fitted_withdrawal_effect(early)
    assert fitted_withdrawal_effect(late, file) != fitted_withdrawal_effect(late)
    with pytest.raises(AnalogueError, match="no pooled case has a year after"):
        fitted_withdrawal_effect(dt.date(2013, 6, 30))


def _year(line: str) -> int:
    text = line.split(",")[1][:4]
    return int(text) if text.isdecimal() else 0


# the scenarios


@pytest.mark.parametrize("case", SCENARIOS, ids=lambda case: case.name)
def test_a_scenario_says_what_the_record_says(case: Case) -> None:
    """Dates, windows and levels are those of the cases and of the fit, to its last digit."""
    scenario = simlib.load(case.name)
    assert case.name in scenario_names()
    assert scenario.timeline["withdrawal"].date == case.exit_on
    assert scenario.start == case.month.astype(dt.date)
    window = scenario.outcomes["events_after"]
    first = (case.month + 1).astype(dt.date)
    last = (case.month + 1 + YEAR).astype(dt.date) - dt.timedelta(days=1)
    assert (window.start, window.end, scenario.end) == (first, last, last)
    level = level_before(record(), case)
    middle = scenario.parameters["events.middle"].distribution
    slope = scenario.parameters["trend.slope"].distribution
    assert middle is not None
    assert slope is not None
    assert middle["lognormal"] == {
        "median": float(f"{level.median:.4g}"),
        "sigma": round(level.sigma, 3),
    }
    assert slope["normal"] == {"mean": round(level.slope, 4), "sd": round(level.slope_sd, 4)}
    assert f"({contrast_of(record(), case).before} in the twelve before it)" in window.description
    assert load_text(resolve(scenario)) == scenario
    child = load_text(f"simlib: 1\nname: child\nextends: {case.name}.yaml\n")
    assert child.timeline == scenario.timeline


def test_a_level_is_what_made_the_counts() -> None:
    """Poisson counts of a log-linear mean: level and slope within 3.3 standard errors.

    Errors are widened for deviations that last, of which there are none here: divided out.
    """
    months = np.arange(24) - 11.5
    counts = np.random.default_rng(SEED).poisson(200.0 * np.exp(-0.04 * months))
    level = fit_level(counts)
    assert abs(level.slope + 0.04) < 3.3 * level.slope_sd / 2.38
    assert abs(math.log(level.median / 200.0)) < 3.3 * level.sigma / 2.38
    assert abs(level.dispersion - 1.0) < 1.0
    with pytest.raises(AnalogueError, match="three months and an event"):
        fit_level(np.zeros(24, dtype=np.int64))
    with pytest.raises(AnalogueError, match="no slope fits"):
        fit_level(np.array([0, 0, 0, 7]))


@pytest.mark.parametrize("effect", [0.7, 0.0])
def test_the_effect_is_the_log_ratio_of_two_options(effect: float) -> None:
    """Mean events with over without the withdrawal is exp(effect), within 4 standard errors.

    Under the same luck; with an effect of 0 both are the same to the last event. .01 is for what
    events before the exit excite after it.
    """
    scenario = simlib.load("iraq_2011")
    fixed = Parameter(value=effect, unit="log", judgement="test")
    parameters = {**scenario.parameters, "withdrawal.log_effect": fixed}
    scenario = scenario.model_copy(update={"parameters": parameters})
    ensemble = simlib.run(
        scenario, options=["no_withdrawal", "withdrawal"], replications=150, jobs=1
    )
    without, with_ = (
        ensemble.of(name).values("events_after") for name in ("no_withdrawal", "withdrawal")
    )
    if effect == 0.0:
        assert (without == with_).all()
        return
    ratio = with_.mean() / without.mean()
    error = float((with_ - ratio * without).std() / math.sqrt(150) / without.mean())
    assert abs(ratio - math.exp(effect)) < 4.0 * error + 0.01 * math.exp(effect)
    assert abs(ratio - 1.0) > 4.0 * error


def test_a_prediction_is_judged_by_its_rank() -> None:
    """Among 0, 10, 20, 30: 20 has half and a half of a tie below; ratios are to 10 before."""
    found = Prediction("withdrawal", np.array([0.0, 10.0, 20.0, 30.0]), Contrast(10, 20))
    assert found.pit == 0.5 + 0.125
    assert np.exp(found.log_ratios).tolist() == pytest.approx([0.05, 1.0, 2.0, 3.0])


def test_simulated_years_fall_about_the_observed_level() -> None:
    """Medians within a factor of 2 of what a damped slope gives, and the same every time."""
    case = case_of("mali_2022")
    observed = contrast_of(record(), case)
    found = predict(case, observed, replications=60, jobs=1)
    low, middle, high = found["no_withdrawal"].ratios()
    assert low < middle < high
    assert 0.8 < middle < 3.2
    again = predict(case, observed, replications=60, jobs=1)
    assert (again["withdrawal"].counts == found["withdrawal"].counts).all()


# told and drawn


def test_figures_are_labelled() -> None:
    for draw in (simlib.plot.analogue_placebos, simlib.plot.analogue_update):
        ax = Figure().subplots()
        assert draw(study(), ax) is ax
        assert ax.get_title(loc="left")
        assert "log unit" in ax.get_ylabel()
        assert ax.get_xlabel().endswith(("(ratio)", "(factor)"))


def test_the_page_says_what_the_command_says() -> None:
    """Every case's ratio, the placebo sd and the posterior stand in docs/analogues.md."""
    page = (Path(__file__).parents[1] / "docs" / "analogues.md").read_text(encoding="utf-8")
    for row in study().rows:
        ratio = row.observed.after / row.observed.before
        cells = f"{row.observed.before:,} | {row.observed.after:,} | {ratio:.2f} |"
        assert f"| `{row.case.name}` | {row.case.exit_on} | {cells}" in page
    for least in (1, 100):
        assert f"{placebos(record(), CASES, least_before=least).sd:.2f}".lstrip("0") in page
    low, high = study().sd_interval
    assert f"{study().placebos.sd:.2f} ({low:.2f} to {high:.2f})" in page
    for belief in (study().before, study().after, *(x.after for x in study().alternatives)):
        ends = belief.quantiles(np.array([0.05, 0.95]))
        assert f"{belief.mean:.2f} ± {belief.sd:.2f} | {ends[0]:.2f} to {ends[1]:.2f}" in page
    (arguments,) = study().match.distribution.values()
    assert f"student_t: {{df: {arguments['df']:g}, location: {arguments['location']:g}" in page


def test_the_command_writes_tables_and_a_figure(tmp_path: Path) -> None:
    line = ("--replications", "2", "--jobs", "1", "-o", tmp_path / "out")
    done = call("analogues", *line, COLUMNS="160")  # narrower ones fold
    assert done.returncode == 0, done.stderr
    assert "afghanistan_2021  2021-08-30  no" in done.stdout
    names = {path.name for path in (tmp_path / "out").glob("*.*")}
    tables = {"analogues.csv", "analogues.txt", "effects.csv", "predicted.csv"}
    assert names == {*tables, "analogues.png", ".simlib-written"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--as-of", "2010-01-01"), "no pooled case has a year after"),
        (("--as-of", "soon"), "date: must be YYYY-MM-DD (got 'soon')"),
        (
            ("--replications", "-1"),
            "replications: must be a whole number from 0 to",
        ),
        (("--record", "nowhere.csv"), "nowhere.csv: no such file"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: tuple[str, ...], words: str) -> None:
    done = call("analogues", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
