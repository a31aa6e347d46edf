"""Laws of fits to the regimes of the record: tables, shipped fits, figures and commands."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simlib import plot
from simlib.chance.distributions import check, mean, quantile
from simlib.cli.app import app
from simlib.evidence.abc_smc import inverse_problems as problems
from simlib.evidence.excitation.excitation_regimes import Regime, RegimeFit, days_of, fit_regimes
from simlib.evidence.excitation.hawkes import (
    HawkesIntensity,
    jittered_times,
    rescaled_intervals,
    simulated_times,
)
from simlib.evidence.excitation.likelihood import ExcitationError
from simlib.evidence.excitation.shipped_fits import (
    COLUMNS,
    ExcitationFits,
    excitation_table,
    fitted_excitation,
)
from simlib.evidence.history.event_files import Events
from simlib.evidence.severity import (
    SeverityError,
    power_law_sizes,
    severity_table,
    severity_tails,
    sizes_of,
)
from simlib.plot.style import save
from simlib.scenario import load
from simlib.scenario.bundled import folder
from simlib.statistics.moments import beta_arguments
from simlib.statistics.ranks import uniformity
from simlib.theatre.record.fitters import POOLS, REGIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEED = 20241231
FIRST, LAST = dt.date(2018, 1, 1), dt.date(2018, 4, 30)
PLANTED = tuple(
    Regime(group, f"{group}_planted", "Iraq", (f"{group}_planted",), 0, FIRST, LAST)
    for group in ("isis", "clash", "turkish")
)


@functools.cache
def planted_events() -> Events:
    """Return four months of three series with a branching ratio of .4."""
    parts = []
    for number, regime in enumerate(PLANTED):
        times = simulated_times(np.full(120, 0.6), 0.4, 3.0, SEED + number)
        parts.append(
            pd.DataFrame(
                {
                    "country": "Iraq",
                    "series": regime.name,
                    "conflict": 0.0,
                    "date": np.datetime64(FIRST) + times.astype("timedelta64[D]"),
                    "date_precision": 1.0,
                    "vintage": "planted",
                    "deaths": power_law_sizes(2.5, 1, len(times), SEED + number),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table["date"] = table["date"].astype("datetime64[s]")
    return Events(table, pd.DataFrame())


@functools.cache
def planted_fits() -> list[RegimeFit]:
    return fit_regimes(planted_events(), PLANTED)


def test_regimes_do_not_overlap_and_end_before_2025() -> None:
    """Of one series; no day is fitted twice."""
    for name in {regime.name for regime in REGIMES}:
        spans = sorted((r.first, r.last) for r in REGIMES if r.name == name)
        assert all(first <= last for first, last in spans)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
        assert spans[-1][1] <= dt.date(2024, 12, 31)
    assert {regime.group for regime in REGIMES} == {"", "isis", "clash", "turkish"}


def test_days_of_a_regime_are_of_its_series_days_and_precision() -> None:
    events = planted_events()
    regime = PLANTED[0]
    days = days_of(events, regime)
    of_series = events.table["series"] == regime.name
    assert days.n_events == int(of_series.sum())
    assert len(days.counts) == 120
    coarse = Events(events.table.assign(date_precision=4.0), events.unmapped)
    with pytest.raises(ExcitationError, match=r"must be of one vintage \(got \[\]\)"):
        days_of(coarse, regime)
    with pytest.raises(SeverityError, match="must be of one vintage"):
        sizes_of(events, regime._replace(country="Syria"))


def test_the_table_has_every_regime_and_the_scenarios_parameters(tmp_path: Path) -> None:
    """Written and read again it gives distributions that a scenario takes."""
    table = excitation_table(planted_fits(), POOLS)
    assert tuple(table.columns) == COLUMNS
    assert set(table["series"].dropna()) == {regime.name for regime in PLANTED}
    path = tmp_path / "fits.csv"
    table.to_csv(path, index=False)
    fitted = fitted_excitation(path, pools=POOLS)
    assert [one.name for one in fitted] == sorted(POOLS)
    for one in fitted:
        ((kind, arguments),) = one.distribution.items()
        assert check(kind, dict(arguments)) == []
    row = table[table["parameter"] == "excite.drifting"].iloc[0]
    (drifting,) = (one for one in fitted if one.name == "excite.drifting")
    ((kind, arguments),) = drifting.distribution.items()
    assert mean(kind, dict(arguments)) == pytest.approx(row["mean"], abs=2e-3)


def test_fits_are_told_as_every_finding_is(tmp_path: Path) -> None:
    """Sentences name each parameter; the files are the table and its figure."""
    found = ExcitationFits(tuple(planted_fits()), POOLS)
    assert [said.partition(":")[0] for said in found.sentences()] == list(POOLS)
    assert all(table["low"].notna().all() for table in found.briefs().values())
    written = found.save(tmp_path)
    assert [path.name for path in written] == ["excitation.txt", "excitation.csv", "branching.png"]
    assert "<table" in found._repr_html_()


def test_severity_is_told_as_every_finding_is(tmp_path: Path) -> None:
    found = severity_tails(planted_events(), PLANTED[:1], n_bootstrap=5)
    (said,) = found.sentences()
    assert said.startswith(PLANTED[0].name)
    assert re.search(r"exponent \d\.\d\d \(90 % .*\); |a power law (fits|is ruled out)", said)
    assert [path.name for path in found.save(tmp_path)] == ["severity.txt", "severity.csv"]


def test_the_severity_table_has_a_row_a_regime() -> None:
    table = severity_table(planted_events(), PLANTED, n_bootstrap=5)
    assert table["series"].tolist() == [regime.name for regime in PLANTED]
    assert ((table["p"] >= 0) & (table["p"] <= 1)).all()
    assert (table["exponent_low"] < table["exponent_high"]).all()


def test_shipped_fits_are_distributions_of_the_theatres_parameters() -> None:
    """Units are the theatre's, and every branching ratio stays below .95."""
    parameters = load("theatre").parameters
    for one in fitted_excitation(pools=POOLS):
        ((kind, arguments),) = one.distribution.items()
        assert check(kind, dict(arguments)) == []
        assert parameters[one.name].unit == one.unit
        assert "CC BY" in one.data
        if one.name != "excite.decay":
            assert 0.0 < quantile(kind, dict(arguments), 0.999) < 0.95


def test_fits_to_later_days_are_refused_with_their_row() -> None:
    with pytest.raises(ExcitationError, match=r"excitation.csv:\d+: fitted to days up to 2018-12"):
        fitted_excitation(as_of=dt.date(2018, 6, 30), pools=POOLS)


def test_a_table_without_a_parameter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fits.csv"
    path.write_text("parameter,last\nratio,2018-12-31\n", encoding="utf-8")
    with pytest.raises(ExcitationError, match=r"has no row of excite.clash"):
        fitted_excitation(path, pools=POOLS)
    with pytest.raises(ExcitationError, match=r"none.csv: no such file$"):
        fitted_excitation(tmp_path / "none.csv", pools=POOLS)


@pytest.mark.parametrize("regime", [r for r in REGIMES if r.last.year == 2024][1:3])
def test_shipped_fits_come_from_the_event_files(regime: Regime) -> None:
    """Fitted anew, the rows of a regime are those shipped, to the digits kept."""
    directory = os.environ.get("SIMLIB_HISTORY")
    if not directory or not (Path(directory) / "events_2024.csv.gz").exists():
        pytest.skip("event files are not here: set SIMLIB_HISTORY to their directory")
    from simlib.evidence.excitation.excitation_regimes import rows_of
    from simlib.evidence.history.barrier import calibration_events

    events = calibration_events(Path(directory) / "events_2024.csv.gz", dt.date(2024, 12, 31))
    (fit,) = fit_regimes(events, [regime])
    shipped = pd.read_csv(folder("seeds") / "fits" / "excitation.csv")
    rows = shipped[(shipped["series"] == regime.name) & (shipped["regime"] == regime.label)]
    again = pd.DataFrame(list(rows_of(fit)))
    np.testing.assert_allclose(rows["estimate"], again["estimate"], rtol=1e-3)
    np.testing.assert_allclose(rows["n_events"], again["n_events"])


def test_no_beta_has_impossible_moments() -> None:
    with pytest.raises(ValueError, match="no beta on"):
        beta_arguments(0.5, 0.3, 0.0, 1.0)


def _saved(axes: Axes, path: Path) -> bool:
    save(axes, path)
    return path.stat().st_size > 5000


def test_figures_are_drawn(tmp_path: Path) -> None:
    fits = planted_fits()
    assert _saved(plot.branching(fits), tmp_path / "branching.png")
    days = fits[0].fits["drifting"].days
    times = jittered_times(days, SEED)
    intervals = rescaled_intervals(times, HawkesIntensity(np.full(120, 0.6), 0.4, 3.0), 1.0)
    axes = plot.rescaled(intervals.tolist())
    assert "intervals" in axes.texts[0].get_text()
    assert _saved(axes, tmp_path / "rescaled.png")
    result = uniformity(np.random.default_rng(SEED).integers(0, 20, 100), 20)
    assert _saved(plot.ranks(result), tmp_path / "ranks.png")


def test_invert_goes_on_and_says_what_is_left_of_the_prior(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One generation, then a second: the first is not redone; files are kept."""
    monkeypatch.setattr(problems, "_N_PILOTS", 40)
    command = ["invert", "theatre", "--parameter", "tempo.sd", "-o", str(tmp_path)]
    small = ["--population", "20", "--generations"]
    first = CliRunner().invoke(app, [*command, *small, "1"])
    assert first.exit_code == 0, first.output
    second = CliRunner().invoke(app, [*command, *small, "2"])
    assert second.exit_code == 0, second.output
    generation = next(line for line in first.output.splitlines() if "generation 1 of 1" in line)
    again = next(line for line in second.output.splitlines() if "generation 1 of 2" in line)
    assert generation.split(":")[1] == again.split(":")[1]
    assert "tempo.sd: {'beta'" in second.output
    names = {"posterior.csv", "draws.csv", "posterior-tempo.sd.png", "populations.db"}
    assert names <= {path.name for path in tmp_path.iterdir()}


def test_a_stopped_inversion_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C amid the runs from the prior: status 130, nothing kept, the command to repeat."""

    def seed_and_signal(*_names: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return 1

    monkeypatch.setattr(problems, "seed_of", seed_and_signal)
    before = signal.getsignal(signal.SIGINT)
    command = ["invert", "theatre", "--parameter", "tempo.sd", "-o", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 130, done.output
    assert "interrupted: no generation kept in" in done.output
    assert "to go on: simlib" in done.output
    assert signal.getsignal(signal.SIGINT) is before


def test_the_commands_show_examples() -> None:
    for command in ("invert", "excitation"):
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert f"simlib {command}" in shown.output
