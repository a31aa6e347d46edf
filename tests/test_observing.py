"""The observation model: what is printed is a law of what happened."""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from simlib.cli.app import app
from simlib.ensemble.execution import Execution
from simlib.errors import ScenarioError
from simlib.evidence.observation_model import Publications, publications
from simlib.outcomes.incident_counts import plan_published, plan_series
from simlib.scenario import bundled, load, load_text
from simlib.simulation import assemble, simulate
from simlib.theatre.record.monthly import ucdp_2024, usual
from support.scenarios import TEXT

if TYPE_CHECKING:
    from pathlib import Path

SERIES = """\
series:
  all_raids:
    publisher: monitors
    counted_by: First
    rows: [{incident: raid}]
  deadly:
    publisher: monitors
    counted_by: Second
    published_as: aaa
    vintages:
      more: {fixed: {value: 1.5}}
      fewer: {fixed: {value: 0.6}}
      twice: {fixed: {value: 2.25}}
    rows:
      - {incident: raid, having: {lethal: 1}, probability: share}
      - {incident: raid, below: {lethal: 1}, probability: 0.1}
"""
DECLARED = TEXT.replace(
    "parameters:\n",
    "parameters:\n  share:\n    distribution: {uniform: {low: 0.4, high: 0.8}}\n"
    "    unit: share\n    judgement: test\n",
)
ONE = Execution(jobs=1)


def with_series(series: str = SERIES) -> str:
    return DECLARED.replace("outcomes:\n", f"{series}outcomes:\n")


def drawn(publisher: str = "monitors", n: int = 200, vintage: str = "first") -> Publications:
    return publications(load_text(with_series()), publisher, replications=n, vintage=vintage, **ONE)


def test_counts_are_incidents_thinned_by_their_row() -> None:
    """Raids: 10 + 4 + 2 a month; deadly .3 x .6 + .7 x .1 = .25 of them are printed.

    The mean of 200 x 6 months lies within five standard errors, which are those of the
    means over replications.
    """
    found = drawn()
    assert found.series == ("aaa", "all_raids")
    assert found.counts.shape == (200, 6, 2)
    by_run = found.counts.mean(axis=1)
    error = by_run.std(axis=0, ddof=1) / np.sqrt(200)
    # A month of simlib is 365.25 / 12 days, and January to June of 2000 have 182.
    per_month = 16.0 * 182 / 6 / (365.25 / 12)
    expected = np.array([0.25, 1.0]) * per_month
    assert (np.abs(by_run.mean(axis=0) - expected) < 5.0 * error).all()
    # Negative control: a reporting factor a fifth larger is found.
    assert abs(by_run.mean(axis=0)[0] - 1.2 * expected[0]) > 5.0 * error[0]


def test_uncertain_reporting_makes_months_vary_together() -> None:
    """Sums over six months vary more than six times a month: they share the drawn factor.

    Negative control: months taken from different replications do not.
    """
    counts = drawn(n=400).counts[:, :, 1]
    ratio = counts.sum(axis=1).var() / (6.0 * counts.var(axis=0).mean())
    mixed = np.column_stack([np.roll(counts[:, i], 37 * i) for i in range(6)])
    assert ratio > 1.5
    assert 0.6 < mixed.sum(axis=1).var() / (6.0 * counts.var(axis=0).mean()) < 1.4


@pytest.mark.parametrize(("vintage", "factor"), [("more", 1.5), ("fewer", 0.6), ("twice", 2.25)])
def test_later_release_scales_the_first(vintage: str, factor: float) -> None:
    """Its mean is the first one's times the factor; month by month they are ordered.

    The difference of the two is a sum of independent yes/no over incidents, so the ratio's
    error is below that of a Poisson count of so many events.
    """
    scenario = load_text(with_series())
    plan_of = plan_published(scenario, assemble(scenario).channels.channels, ["deadly"])
    blueprint = assemble(scenario)
    first, later = [], []
    for replication in range(150):
        run = simulate(blueprint, replication)
        first.append(plan_of.monthly(run))
        later.append(plan_of.monthly(run, [factor]))
    one, other = np.array(first), np.array(later)
    assert ((other >= one) if factor > 1 else (other <= one)).all()
    assert other.sum() / one.sum() == pytest.approx(factor, abs=5.0 * factor / np.sqrt(one.sum()))
    if factor == 2.25:
        assert (other >= 2 * one).all()


def test_release_that_some_series_has_not_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no release 'more' of all_raids"):
        drawn(vintage="more")
    with pytest.raises(ScenarioError, match=r"as: no series of that publisher \(got 'press'\)"):
        drawn("press")


@pytest.mark.parametrize("months", [0, 7])
def test_months_are_those_of_the_scenario(months: int) -> None:
    with pytest.raises(ScenarioError, match="must be a whole number from 1 to 6"):
        publications(load_text(with_series()), "monitors", months=months, **ONE)


OVERLAPS = {
    "rows of one series": (
        "    rows: [{incident: raid}]\n",
        "    rows: [{incident: raid}, {incident: raid, in: Syria}]\n",
    ),
    "series of one body": ("    counted_by: Second\n", "    counted_by: First\n"),
}


@pytest.mark.parametrize("what", OVERLAPS)
def test_an_incident_counted_twice_is_refused(what: str) -> None:
    """By one body; different bodies may well count the same."""
    before, after = OVERLAPS[what]
    text = with_series()
    assert before in text
    load_text(text)
    with pytest.raises(ScenarioError, match=r"series\.\w+\.rows\[\d\]: counts incidents that"):
        load_text(text.replace(before, after))


def test_a_name_published_twice_is_refused() -> None:
    with pytest.raises(ScenarioError, match="published under too"):
        load_text(with_series().replace("published_as: aaa", "published_as: all_raids"))


def test_a_vintage_needs_a_distribution() -> None:
    with pytest.raises(ScenarioError, match=r"vintages\.more: unknown distribution"):
        load_text(with_series().replace("{fixed: {value: 1.5}}", "{fixd: {value: 1.5}}"))


def test_ucdp_counts_every_incident_at_most_once() -> None:
    """Over runs of the reference scenario: its six conflicts share no incident.

    Negative control: the two monitors of Syria do.
    """
    scenario = load("as_agreed")
    blueprint = assemble(scenario)
    channels = blueprint.channels.channels
    keys = [key for key, series in scenario.series.items() if series.publisher == "ucdp"]
    names = [scenario.series[key].published_as for key in keys]
    assert len(set(names)) == len(keys) == 6
    run = simulate(blueprint, 1)

    def most(chosen: list[str]) -> int:
        plans = [plan_series(scenario, channels, key) for key in chosen]
        reported = [plan.reported(run.incidents, run.parameters) for plan in plans]
        return int(np.sum(reported, axis=0).max())

    assert most(keys) == 1
    assert most(["sohr_isis_syria", "ric_isis_northeast"]) == 2
    by_body: dict[str, list[str]] = {}
    for key, series in scenario.series.items():
        by_body.setdefault(str(series.counted_by), []).append(key)
    assert "None" not in by_body
    assert all(most(those) <= 1 for those in by_body.values())


def test_counts_do_not_depend_on_a_stop(tmp_path: Path) -> None:
    """What is kept is read again, what was lost is done again; the first of more are the same."""
    scenario, kept = load_text(with_series()), Execution(jobs=1, directory=tmp_path)
    whole = publications(scenario, "monitors", replications=45, **kept)
    first, *_ = sorted(tmp_path.rglob("*.npz"))
    first.unlink()
    again = publications(scenario, "monitors", replications=45, **kept)
    fewer = publications(scenario, "monitors", replications=30, months=2, **ONE)
    assert np.array_equal(whole.counts, again.counts)
    assert np.array_equal(whole.counts[:30, :2], fewer.counts)


def test_command_writes_every_count_once(tmp_path: Path) -> None:
    """Exactly four columns, months as 2000-01, and nothing left beside the file."""
    file, scenario = tmp_path / "counts.csv", tmp_path / "small.yaml"
    scenario.write_text(with_series())
    options = ["--months", "2", "--replications", "5", "--jobs", "1", "-o", str(file)]
    done = CliRunner().invoke(app, ["forecast", str(scenario), "--as", "monitors", *options])
    assert done.exit_code == 0
    assert re.search(r"^all_raids +2000-02 ", done.stdout, re.MULTILINE)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["series", "month", "replication", "count"]
    keys = [(row["series"], row["month"], row["replication"]) for row in rows]
    cells = itertools.product(("aaa", "all_raids"), ("2000-01", "2000-02"), map(str, range(5)))
    assert keys == list(cells)
    found = publications(load_text(with_series()), "monitors", months=2, replications=5, **ONE)
    assert [int(row["count"]) for row in rows] == [count for *_, count in found.rows()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counts.csv", "small.yaml"]


@pytest.fixture(scope="module")
def ucdp() -> Publications:
    """Return what UCDP will print of a few replications of the reference scenario."""
    return publications("as_agreed", "ucdp", months=11, replications=60, **ONE)


def test_offensive_under_way_is_in_the_forecast(ucdp: Publications) -> None:
    """January 2025 between the SNA and the SDF is above the usual, and falls from there.

    A law, not a number: the median of 60 is above the largest month of 2024 but December.
    """
    column = ucdp.series.index("sna_sdf_syria")
    january, autumn = ucdp.counts[:, 0, column], ucdp.counts[:, 9, column]
    assert np.median(january) > usual(ucdp)["sna_sdf_syria"]
    assert january.mean() > autumn.mean()


def test_forecast_is_more_dispersed_than_poisson(ucdp: Publications) -> None:
    """Every series, on the average of its months, as counts with unknown rates are."""
    table = ucdp.table(usual(ucdp))
    assert (table.groupby("series")["variance_over_mean"].mean() > 1.0).all()
    assert table["mean_2024"].notna().all()


def test_a_forecast_of_publications_is_told_as_every_finding_is(ucdp: Publications) -> None:
    (said,) = ucdp.sentences()
    assert "6 series as ucdp will print them (first release, 2025-01 to 2025-11)" in said
    assert "60 replications of as_agreed" in said
    assert len(ucdp.brief()) == len(ucdp.table()) == 6 * 11


def test_statistics_of_2024_are_those_of_the_file(ucdp: Publications) -> None:
    """Iraq in 2024: 53 events in 11 months, one month without any, 13 in the largest."""
    table = ucdp.beside(ucdp_2024(), "2024").set_index(["series", "statistic"])["2024"]
    assert ucdp_2024()["ucdp_259"].sum() == 53
    assert table["isf_isis_iraq", "mean"] == pytest.approx(53 / 11)
    assert table["isf_isis_iraq", "share of zeros"] == pytest.approx(1 / 11)
    assert table["isf_isis_iraq", "largest"] == 13
    assert len(table) == 6 * 4


def test_figures_of_2024_are_those_of_the_register() -> None:
    """Each count that names register rows is their sum."""
    seeds = bundled.folder("seeds")
    with (seeds / "parameters.csv").open(encoding="utf-8", newline="") as lines:
        central = {row["id"]: row["central"] for row in csv.DictReader(lines)}
    with (seeds / "history" / "series_2024.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    checked = 0
    for row in rows:
        ids = row["source"].split()
        if all(name in central for name in ids):
            assert sum(float(central[name]) for name in ids) == float(row["events"]), row
            checked += 1
    assert checked >= 6
