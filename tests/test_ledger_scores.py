"""LedgerScores: closed forms, a perfect forecaster, the base rate itself, and outcomes swapped."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simlib.evidence.ledger.base_rates import LEVELS
from simlib.evidence.ledger.ledger_scores import LedgerScores, score
from simlib.evidence.ledger.resolutions import Resolution, read_resolutions
from simlib.evidence.ledger.sealing import LedgerError, sealed
from simlib.plot import ledger_pit, ledger_reliability
from simlib.plot.style import save
from simlib.statistics.scores import (
    clipped_log_score,
    pit_counts,
    place_in,
    quantile_crps,
    reliability,
    share_band,
)
from support.data import small_ledger

N = 1000


def test_crps_of_a_normal_and_a_poisson_are_the_closed_forms() -> None:
    """N(0, 1) at 0: (sqrt 2 - 1) / sqrt pi = .23369; Poisson(5) at 3: 1.09816 (exact sums).

    The frozen law's F is within half a level, .005, of the true one. So the integral of
    (F - 1{x >= y})^2 errs by at most .01 E|X - y| and a term of second order: .008 and .022.
    """
    normal = stats.norm.ppf(LEVELS)
    assert quantile_crps(normal, LEVELS, 0.0) == pytest.approx(
        (math.sqrt(2) - 1) / math.sqrt(math.pi), abs=0.008
    )
    poisson = stats.poisson.ppf(LEVELS, 5)
    assert quantile_crps(poisson, LEVELS, 3.0) == pytest.approx(1.0981552042139384, abs=0.022)


def test_crps_is_that_of_the_ensemble_of_quantiles() -> None:
    """E|X - y| - E|X - X'| / 2 of the law with equal weights: an identity, to rounding."""
    quantiles = stats.gamma.ppf(LEVELS, 2.0)
    for y in (-1.0, 0.3, 2.0, 30.0):
        spread = np.abs(quantiles[:, None] - quantiles[None, :]).mean() / 2.0
        assert quantile_crps(quantiles, LEVELS, y) == pytest.approx(
            np.abs(quantiles - y).mean() - spread
        )


@pytest.mark.slow
def test_crps_is_that_of_scoringrules() -> None:
    """Slow because the library compiles itself when it is imported."""
    from scoringrules import crps_quantile

    quantiles = stats.gamma.ppf(LEVELS, 2.0)
    for y in (-1.0, 0.3, 2.0, 30.0):
        theirs = crps_quantile(y, quantiles, LEVELS, backend="numpy")
        assert quantile_crps(quantiles, LEVELS, y) == pytest.approx(float(theirs), rel=1e-12)


def test_log_score_is_clipped_as_replications_allow() -> None:
    """Never seen in n: 1 / (n + 2); a half costs log 2."""
    assert clipped_log_score(0.5, N) == pytest.approx(math.log(2))
    assert clipped_log_score(0.0, N) == pytest.approx(math.log(N + 2))
    assert clipped_log_score(1.0, N) == pytest.approx(-math.log1p(-1 / (N + 2)))


def test_place_in_a_forecast_is_uniform_where_it_is_calibrated() -> None:
    """Of draws at evenly spaced levels; ties count half."""
    quantiles = stats.norm.ppf(LEVELS)
    places = [place_in(quantiles, y) for y in stats.norm.ppf((np.arange(1000) + 0.5) / 1000)]
    counts, (low, high) = pit_counts(np.array(places))
    assert counts.sum() == 1000
    assert ((counts >= low) & (counts <= high)).all()
    assert place_in([3.0] * 100, 3.0) == 0.5
    # Negative control: a forecast half as wide piles its numbers up at both ends.
    narrow = [place_in(quantiles / 2, y) for y in stats.norm.ppf((np.arange(1000) + 0.5) / 1000)]
    counts, (_, high) = pit_counts(np.array(narrow))
    assert counts[0] > high
    assert counts[-1] > high


def question(
    name: str, kind: str, forecast: dict[str, Any], base: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": name,
        "text": "x",
        "kind": kind,
        "resolves_on": "2026-01-31",
        "earliest": "2025-01-02",
        "source": "x",
        "forecast": {"n": N, "cap": None, **forecast},
        "base": {"source": "x", **base},
    }


def made_up(p: float, base: float, n: int) -> dict[str, Any]:
    """Return a ledger of yes/no with one probability."""
    head = {"scenario": "made_up", "as_of": "2024-12-31"}
    asked = [
        question(f"q{i}", "binary", {"probability": p}, {"probability": base}) for i in range(n)
    ]
    return sealed(head, asked)


def answers(ledger: dict[str, Any], outcomes: list[Any]) -> dict[str, Resolution]:
    names = [q["id"] for q in ledger["questions"]]
    return {
        name: Resolution(name, outcome, None, "")
        for name, outcome in zip(names, outcomes, strict=False)
    }


def mean_of(scores: LedgerScores, measure: str) -> Any:
    table = scores.means()
    return table[table["score"] == measure].iloc[0]


def test_brier_and_log_of_a_few_yes_and_no() -> None:
    """P = .8, 3 yes of 4: (3 x .04 + .64) / 4 = .19; base .5: .25; skill 1 - .19 / .25 = .24."""
    ledger = made_up(0.8, 0.5, 5)
    scores = score(ledger, answers(ledger, [1.0, 1.0, 1.0, 0.0]))
    row = mean_of(scores, "Brier")
    assert (row["mean"], row["base mean"]) == (pytest.approx(0.19), pytest.approx(0.25))
    assert row["skill"] == pytest.approx(0.24)
    assert row["questions"] == 4
    assert scores.unresolved == ("q4",)
    log = mean_of(scores, "log")
    assert log["mean"] == pytest.approx(-(3 * math.log(0.8) + math.log(0.2)) / 4)
    assert log["base mean"] == pytest.approx(math.log(2))


def test_classes_sum_over_classes() -> None:
    """(.5, .3, .2), the second came: .25 + .49 + .04 = .78; a third each: 2/3."""
    law = {"a": 0.5, "b": 0.3, "c": 0.2}
    forecast = {"classes": {name: {"probability": p} for name, p in law.items()}}
    base = {"classes": dict.fromkeys(law, 1 / 3)}
    ledger = sealed(
        {"scenario": "x", "as_of": "2024-12-31"}, [question("q", "classes", forecast, base)]
    )
    scores = score(ledger, answers(ledger, ["b"]))
    row = mean_of(scores, "Brier, classes")
    assert (row["mean"], row["base mean"]) == (pytest.approx(0.78), pytest.approx(2 / 3))
    assert (row["better"], row["worse"]) == (0, 1)
    assert "the base rate was better on 1: q" in scores.sentences()
    assert len(scores.probabilities) == 3


def of_numbers(centers: list[float], width: float) -> dict[str, Any]:
    """Return a ledger of numbers: normal forecasts, and a base rate that knows only the mean."""
    wide = stats.norm.ppf(LEVELS, np.mean(centers), np.std(centers) + width)
    asked = [
        question(
            f"q{i}",
            "number",
            {"quantiles": stats.norm.ppf(LEVELS, center, width).tolist()},
            {"quantiles": wide.tolist()},
        )
        for i, center in enumerate(centers)
    ]
    return sealed({"scenario": "x", "as_of": "2024-12-31"}, asked)


CENTERS = [float(c) for c in np.linspace(0.0, 90.0, 20)]


def test_perfect_forecaster_scores_nothing() -> None:
    """All weight on what came: Brier, log and CRPS are 0 but for the clip."""
    ledger = made_up(1.0, 0.5, 10)
    scores = score(ledger, answers(ledger, [1.0] * 10))
    assert mean_of(scores, "Brier")["mean"] == 0.0
    assert mean_of(scores, "Brier")["skill"] == 1.0
    assert mean_of(scores, "log")["mean"] < 1.5 / N
    numbers = of_numbers(CENTERS, 1e-9)
    row = mean_of(score(numbers, answers(numbers, CENTERS)), "CRPS, scaled")
    assert row["mean"] < 1e-9
    assert row["skill"] == pytest.approx(1.0)


def test_base_rate_has_no_skill_against_itself() -> None:
    """The forecaster that is the base rate: every difference is exactly 0."""
    ledger = made_up(0.3, 0.3, 10)
    numbers = of_numbers(CENTERS, 3.0)
    for asked in numbers["questions"]:
        asked["forecast"]["quantiles"] = asked["base"]["quantiles"]
    for held, came in ((ledger, [1.0, 0.0] * 5), (numbers, CENTERS)):
        scores = score(held, answers(held, list(came)))
        assert (scores.means()["difference"] == 0.0).all()
        assert (scores.means()["skill"] == 0.0).all()
        assert scores.table()["better"].eq("neither").all()


def test_swapped_outcomes_score_worse() -> None:
    """Negative control: the same forecasts with other questions' outcomes lose to the base."""
    numbers = of_numbers(CENTERS, 3.0)
    right = mean_of(score(numbers, answers(numbers, CENTERS)), "CRPS, scaled")
    swapped = mean_of(score(numbers, answers(numbers, CENTERS[::-1])), "CRPS, scaled")
    assert right["skill"] > 0.5
    assert swapped["skill"] < 0.0
    ledger = made_up(0.8, 0.5, 10)
    good = mean_of(score(ledger, answers(ledger, [1.0] * 8 + [0.0] * 2)), "Brier")
    bad = mean_of(score(ledger, answers(ledger, [0.0] * 8 + [1.0] * 2)), "Brier")
    assert good["skill"] > 0.0 > bad["skill"]


def test_what_is_above_the_cap_counts_as_the_cap() -> None:
    asked = question("q", "number", {"quantiles": [27.0] * 100}, {"quantiles": [0.0] * 100})
    asked["forecast"]["cap"] = 27.0
    ledger = sealed({"scenario": "x", "as_of": "2024-12-31"}, [asked])
    scores = score(ledger, answers(ledger, [40.0]))
    assert scores.lines[0].score == 0.0
    assert scores.lines[0].base_score == pytest.approx(27.0)


def test_reliability_of_a_true_forecaster_is_inside_its_bands() -> None:
    """Of 200 sets of 50 statements drawn from their own probabilities, by inversion.

    Each band holds with 90 % or more (a count is discrete), so of about 900 bins that hold
    statements at most 10 % plus three standard errors lie outside.
    """
    levels = (np.arange(50) + 0.5) / 50
    generator = np.random.Generator(np.random.Philox(key=5))
    n_bins = n_outside = n_wrong = 0
    for _ in range(200):
        came = generator.random(50) < levels
        found = reliability(np.column_stack([levels, came]))
        n_bins += len(found.count)
        n_outside += found.n_outside
        # Negative control: it says the opposite.
        n_wrong += reliability(np.column_stack([1.0 - levels, came])).n_outside
    assert n_bins == 1000
    assert n_outside < 0.1 * n_bins + 3 * math.sqrt(0.09 * n_bins)
    assert n_wrong > 0.6 * n_bins


def test_band_is_the_binomial_law() -> None:
    low, high = share_band([0.3] * 20)
    assert low == stats.binom.ppf(0.05, 20, 0.3) / 20
    assert high == stats.binom.ppf(0.95, 20, 0.3) / 20


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return small_ledger(tmp_path_factory.mktemp("small"))


HEAD = "id,outcome,resolved_on,source\n"
REFUSED = {
    HEAD + "raid,3,,\n": ":2: id: no such question (got 'raid'); did you mean 'raids'?",
    HEAD + "raids,3,,\nraids,4,,\n": ":3: id: answered twice (got 'raids')",
    HEAD + "raids,many,,\n": ":2: outcome: must be a number (got 'many')",
    HEAD + "raids,inf,,\n": ":2: outcome: must be a number (got 'inf')",
    HEAD + "raids,1e308,,\n": ":2: outcome: must be from -1e+100 to 1e+100 (got '1e308')",
    HEAD + "many_raids,2,,\n": ":2: outcome: must be yes or no (got '2')",
    HEAD + "exit,gone,,\n": ":2: outcome: must be one of met, slipped",
    HEAD + "raids,3,2000-07-30,\n": "must not be before it could be certain, 2000-07-31",
    HEAD + "many_raids,no,2000-01-01,\n": "must not be before the day after what was known",
    HEAD + "raids,3,31.7.2000,\n": ":2: resolved_on: must be a date such as",
    HEAD + "raids,3\n": ":2: must have 4 fields (got 2)",
    "id,result\nraids,3\n": ":1: the heading must be id,outcome[,resolved_on,source]",
    "": ":1: the heading must be",
}


@pytest.mark.parametrize("text", REFUSED)
def test_wrong_outcomes_are_refused(text: str, ledger: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(text)
    with pytest.raises(LedgerError) as caught:
        read_resolutions(file, ledger)
    assert REFUSED[text] in str(caught.value)


def test_every_wrong_line_is_told(ledger: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(HEAD + "raids,a,,\nmany_raids,b,,\nexit,met,2000-07-31,x\n")
    with pytest.raises(LedgerError) as caught:
        read_resolutions(file, ledger)
    assert len(str(caught.value).splitlines()) == 2


def test_outcomes_are_read_and_drawn(ledger: dict[str, Any], tmp_path: Path) -> None:
    """A yes before the day of resolution, where it may come early; a class; a number."""
    file = tmp_path / "outcomes.csv"
    file.write_text("id,outcome,resolved_on\nmany_raids,yes,2000-06-01\nexit,open,\nraids,90,\n")
    found = read_resolutions(file, ledger)
    assert [r.outcome for r in found.values()] == [1.0, "open", 90.0]
    scores = score(copy.deepcopy(ledger), found)
    assert scores.unresolved == ("patrols_january",)
    for draw in (ledger_reliability, ledger_pit):
        path = tmp_path / f"{draw.__name__}.png"
        save(draw(scores), path)
        assert path.stat().st_size > 5000
