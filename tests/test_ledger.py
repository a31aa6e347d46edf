"""A ledger says what its run says, and shows every later change."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import simlib
from simlib.cli.app import app
from simlib.ensemble import open_results
from simlib.errors import ScenarioError
from simlib.evidence.ledger.base_rates import LEVELS, BaseRate, added
from simlib.evidence.ledger.forecast_questions import load_questions
from simlib.evidence.ledger.freezing import freeze
from simlib.evidence.ledger.sealing import (
    LedgerError,
    digest_of,
    question_hash,
    read_ledger,
    text_of,
    write_ledger,
)
from simlib.scenario import bundled, load
from support.data import questions, scenario_file, small_ledger

FROZEN_SCENARIO = "2e9aece807677de6efa31c03ab4f211b172ccd2a6c0ece181799b0185fb7cb0c"
FROZEN_RESULTS = "c1c2ea4db7faab22ab2765e57b1d5b8462321e43116d171e02843111b5bce88d"
FROZEN_BRANCH = "0abbcb385964538e0287dd23f28ec057c116901244e3a39e17605b86439b2550"
"""Digests of the reference scenario and its results when the committed ledger was frozen."""
LEDGERS = bundled.folder("seeds") / "ledgers"
COMMITTED = LEDGERS / "as_agreed_v2_2024-12-31.json"
FIRST = {
    "as_agreed_2024-12-31.json": (
        "24c8af8042ce9202fc14740934dacd42d8429339185077de8fed5490fa62b0ac"
    ),
    "as_agreed_2024-12-31_ucdp.sha256": (
        "27848a471af55eae05d3b13bdc19c1d99620df24ef20ca673a6ad3563816edfb"
    ),
}
"""SHA-256 of the files of version 1, which nobody may change."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return a ledger of the small scenario."""
    return small_ledger(tmp_path_factory.mktemp("small"))


def by_id(ledger: dict[str, Any]) -> dict[str, Any]:
    return {question["id"]: question for question in ledger["questions"]}


def test_ledger_says_what_the_run_says(ledger: dict[str, Any], tmp_path: Path) -> None:
    """Probabilities are shares, quantiles order statistics, of the replications of the run."""
    run = simlib.run(scenario_file(tmp_path), replications=40, jobs=1)
    raids = np.sort(run.values("raids"))
    held = by_id(ledger)
    assert held["many_raids"]["forecast"]["probability"] == (raids >= 90).mean()
    # The level .005 of 40 values is the least, .995 the largest, .505 the 21st.
    quantiles = held["raids"]["forecast"]["quantiles"]
    assert (quantiles[0], quantiles[50], quantiles[-1]) == (raids[0], raids[20], raids[-1])
    assert held["raids"]["forecast"]["mean"] == pytest.approx(raids.mean(), rel=1e-5)
    # Nobody settles the milestone of this scenario.
    classes = held["exit"]["forecast"]["classes"]
    assert {name: entry["probability"] for name, entry in classes.items() if name == "open"} == {
        "open": 1.0
    }
    assert sum(entry["probability"] for entry in classes.values()) == 1.0


def test_same_run_gives_the_same_bytes(ledger: dict[str, Any], tmp_path: Path) -> None:
    """The day of writing changes no hash; another run does."""
    scenario = scenario_file(tmp_path)
    again = freeze(scenario, questions(), replications=40, jobs=1)
    assert text_of(again) == text_of(ledger)
    dated = freeze(scenario, questions(), replications=40, jobs=1, dated=dt.date(2000, 1, 1))
    assert dated["digest"] == ledger["digest"]
    other = freeze(scenario, questions(), replications=41, jobs=1)
    assert other["digest"] != ledger["digest"]


def under_later() -> dict[str, Any]:
    """Return the questions with one that is asked under an option too."""
    asked = questions(many_raids={"under": ["later"]}, exit={"under": ["later"]})
    return asked | {"conditions": {"later": "The exit is put off by a month."}}


def test_a_question_is_frozen_under_an_option_too(tmp_path: Path) -> None:
    """What a branch says stands beside what is observed, with the option's own numbers."""
    scenario, kept = scenario_file(tmp_path), tmp_path / "kept"
    found = freeze(scenario, under_later(), replications=40, jobs=1, directory=kept)
    held = by_id(found)
    assert {name: entry["under"] for name, entry in held.items()} == {
        "raids": "observed",
        "many_raids": "observed",
        "many_raids.later": "later",
        "patrols_january": "observed",
        "exit": "observed",
        "exit.later": "later",
    }
    run = simlib.run(scenario, option="later", replications=40, jobs=1)
    branch = held["many_raids.later"]
    assert branch["forecast"]["probability"] == (run.values("raids") >= 90).mean()
    assert branch["text"].startswith("The exit is put off by a month. If so: Whether there are")
    assert open_results(f"{kept}.later").digest == found["branches"]["later"]
    file = tmp_path / "ledger.json"
    write_ledger(found, file)
    assert read_ledger(file)["digest"] == found["digest"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"under": ["latre"]}, "undefined option (got 'latre')"),
        ({"under": ["as_planned"]}, "conditions must say how one tells that 'as_planned'"),
    ],
)
def test_a_question_under_no_option_is_refused(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """An option must be there, and how one tells that it came about."""
    asked = under_later()
    asked["questions"]["raids"] |= given
    with pytest.raises(ScenarioError, match=re.escape(message)):
        freeze(scenario_file(tmp_path), asked, replications=2, jobs=1)


def test_results_that_are_there_are_frozen(ledger: dict[str, Any], tmp_path: Path) -> None:
    """A run kept in a directory gives the same questions, and is not simulated again."""
    scenario = scenario_file(tmp_path)
    for _ in range(2):
        kept = freeze(scenario, questions(), replications=40, directory=tmp_path / "out", jobs=1)
        assert kept == ledger
    own = {"questions": {"many_raids": questions()["questions"]["many_raids"]}}
    simlib.run(scenario, replications=10, jobs=1, directory=tmp_path / "plain")
    plain = freeze(scenario, own, directory=tmp_path / "plain")
    assert plain["replications"] == 10
    with pytest.warns(DeprecationWarning, match="results= is directory="):
        assert freeze(scenario, own, results=tmp_path / "plain") == plain
    assert plain["result_digest"] == simlib.open(tmp_path / "plain").digest


def test_file_is_read_back_and_not_written_over(ledger: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    write_ledger(ledger, file)
    assert read_ledger(file) == json.loads(text_of(ledger))
    with pytest.raises(LedgerError, match="not written over"):
        write_ledger(ledger, file)
    write_ledger(ledger, file, overwrite=True)
    assert not list(tmp_path.glob("*.tmp"))


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a probability": (
        lambda held: held["questions"][1]["forecast"].update(probability=0.123),
        "question many_raids was changed",
    ),
    "a word": (
        lambda held: held["questions"][0].update(text="Raids, or nearly."),
        "question raids was changed",
    ),
    "a base rate": (
        lambda held: held["questions"][2]["base"]["quantiles"].__setitem__(0, 99.0),
        "question patrols_january was changed",
    ),
    "a question less": (lambda held: held["questions"].pop(), "the head, or which questions"),
    "another order": (lambda held: held["questions"].reverse(), "the head, or which questions"),
    "the head": (lambda held: held.update(root_seed=8), "the head, or which questions"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_change_is_found(what: str, ledger: dict[str, Any], tmp_path: Path) -> None:
    """Whatever is changed after freezing, the ledger is refused, by the question's name."""
    change, message = CHANGES[what]
    held = copy.deepcopy(ledger)
    change(held)
    file = tmp_path / "ledger.json"
    write_ledger(held, file)
    with pytest.raises(LedgerError, match=message):
        read_ledger(file)


def test_renewed_hashes_have_another_digest(ledger: dict[str, Any], tmp_path: Path) -> None:
    """What hashes cannot refuse, the published digest tells: the limit, stated."""
    held = copy.deepcopy(ledger)
    held["questions"][1]["forecast"]["probability"] = 0.123
    held["questions"][1]["sha256"] = question_hash(held["questions"][1])
    held["digest"] = digest_of(held)
    write_ledger(held, tmp_path / "ledger.json")
    assert read_ledger(tmp_path / "ledger.json")["digest"] != ledger["digest"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "{", '{"simlib_ledger": 1}', '{"simlib_ledger": 9}']
)
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    file.write_text(text)
    with pytest.raises(LedgerError, match="ledger"):
        read_ledger(file)


SEALED_WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no forecast": (
        lambda held: by_id(held)["raids"].pop("forecast"),
        "question raids: forecast: must be given",
    ),
    "text for a probability": (
        lambda held: by_id(held)["many_raids"]["forecast"].update(probability="half"),
        "question many_raids: forecast.probability: must be a number (got 'half')",
    ),
    "a probability above 1": (
        lambda held: by_id(held)["many_raids"]["base"].update(probability=1.5),
        "question many_raids: base.probability: must be between 0 and 1 (got 1.5)",
    ),
    "a forecast of another kind": (
        lambda held: by_id(held)["many_raids"].update(kind="classes"),
        (
            "question many_raids: forecast: must have classes where the kind is classes "
            "(got probability)"
        ),
    ),
    "too few quantiles": (
        lambda held: by_id(held)["raids"]["base"]["quantiles"].pop(),
        "question raids: base.quantiles: must be 100, one for each level (got 99)",
    ),
    "quantiles that fall": (
        lambda held: by_id(held)["raids"]["forecast"]["quantiles"].reverse(),
        "question raids: forecast.quantiles: must not fall from one level to the next",
    ),
    "a number past all bounds": (
        lambda held: by_id(held)["raids"]["forecast"]["quantiles"].__setitem__(99, 1e308),
        "question raids: forecast.quantiles: must be from -1e+100 to 1e+100 (got 1e+308)",
    ),
    "a count of -2": (
        lambda held: by_id(held)["raids"]["forecast"].update(n=-2),
        "question raids: forecast.n: must be >= 1 (got -2)",
    ),
    "classes that do not sum to 1": (
        lambda held: by_id(held)["exit"]["base"]["classes"].update(met=0.9),
        "question exit: base.classes: must sum to 1 (got 1.4)",
    ),
    "a class in one alone": (
        lambda held: by_id(held)["exit"]["base"]["classes"].pop("cancelled"),
        "question exit: base.classes: must be those of the forecast (got 'cancelled' in one)",
    ),
    "a year that is none": (
        lambda held: held.update(as_of="9999-12-31"),
        "as_of: must be a date from 1900 to 2200 (got '9999-12-31')",
    ),
    "a date that is none": (
        lambda held: by_id(held)["raids"].update(earliest="soon"),
        "question raids: earliest: must be a date, YYYY-MM-DD (got 'soon')",
    ),
    "a question twice": (
        lambda held: held["questions"].append(held["questions"][0]),
        "question raids: id: stands twice",
    ),
    "a question that is none": (
        lambda held: held["questions"].append({"sha256": ""}),
        "question 5: id: must be given",
    ),
    "no question": (
        lambda held: held["questions"].clear(),
        "questions: must be a list of at least one",
    ),
    "other levels": (
        lambda held: held["levels"].pop(),
        "levels: must be the 100 levels of simlib (got 99)",
    ),
}


@pytest.mark.parametrize("what", SEALED_WRONG)
def test_what_was_sealed_wrong_is_told(what: str, ledger: dict[str, Any], tmp_path: Path) -> None:
    """Hashes that are right make no forecast of what is none."""
    change, message = SEALED_WRONG[what]
    held = copy.deepcopy(ledger)
    change(held)
    for question in held["questions"]:
        question["sha256"] = question_hash(question)
    held["digest"] = digest_of(held)
    write_ledger(held, tmp_path / "ledger.json")
    with pytest.raises(LedgerError) as caught:
        read_ledger(tmp_path / "ledger.json")
    assert f"{tmp_path / 'ledger.json'}: {message}" in str(caught.value)


def test_a_pipe_is_no_ledger(tmp_path: Path) -> None:
    """Opening one would wait for a writer for ever."""
    os.mkfifo(tmp_path / "ledger.json")
    with pytest.raises(LedgerError, match=r"must be a regular file \(got a pipe\)"):
        read_ledger(tmp_path / "ledger.json")


BROKEN: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "resolved before it is asked": (
        {"raids": {"resolves_on": "2000-01-01"}},
        "questions.raids.resolves_on: must be after what is known, 2000-01-01",
    ),
    "certain after it resolves": (
        {"many_raids": {"earliest": "2000-08-01"}},
        "questions.many_raids.earliest: must be after 2000-01-01 and not after resolves_on",
    ),
    "no such outcome": (
        {"raids": {"outcome": "raid"}},
        "questions.raids.outcome: undefined outcome (got 'raid'); did you mean 'raids'?",
    ),
    "two outcomes": (
        {"raids": {"reads": {"count": "raid"}}},
        "questions.raids.outcome: must have exactly one of outcome and reads",
    ),
    "an own outcome of nothing": (
        {"patrols_january": {"reads": {"count": "patrols"}}},
        "questions.patrols_january.reads.count: undefined incident type (got 'patrols')",
    ),
    "a number as a yes/no": (
        {"raids": {"kind": "binary", "base": {"probability": 0.5, "source": "x"}}},
        "questions.raids.kind: must be number: so is the outcome (got binary); give at_least",
    ),
    "a deadline's months without a cap": (
        {
            "patrols_january": {
                "reads": {"milestone": "exit", "measure": "months_late"},
                "kind": "number",
            }
        },
        "questions.patrols_january.cap: must be given",
    ),
    "too few words": (
        {"raids": {"text": "Raids."}},
        "questions.raids.text: must say what counts (got 'Raids.')",
    ),
    "a base of another kind": (
        {"raids": {"base": {"probability": 0.5, "source": "x"}}},
        "questions.raids.base: must have values or distribution where the kind is number",
    ),
    "values with too many sums": (
        {"raids": {"base": {"values": [1.01**k for k in range(60)], "times": 36, "source": "x"}}},
        "questions.raids.base.values: must have at most 20000 different sums of 36",
    ),
    "a value past all bounds": (
        {"raids": {"base": {"values": [1e308, 1], "times": 2, "source": "x"}}},
        "questions.raids.base.values: must be from -1e+100 to 1e+100 (got 1e+308)",
    ),
    "a cap past all bounds": (
        {"raids": {"cap": 1e308}},
        "questions.raids.cap: must be at most 1e+100 (got 1e+308)",
    ),
    "a distribution past all bounds": (
        {"raids": {"base": {"distribution": {"fixed": {"value": 1e308}}, "source": "x"}}},
        "questions.raids.base.distribution.fixed: must be from -1e+100 to 1e+100 at both ends",
    ),
    "classes that do not sum to 1": (
        {"exit": {"base": {"classes": {"met": 0.5}, "source": "x"}}},
        "questions.exit.base.classes: must sum to 1 (got 0.5)",
    ),
    "an unknown key": (
        {"raids": {"probability": 0.5}},
        "questions.raids: unknown key (got 'probability'); allowed: at_least, base, cap",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_question_is_refused(what: str, tmp_path: Path) -> None:
    """One line each, with the path of the key."""
    changed, message = BROKEN[what]
    with pytest.raises(ScenarioError) as caught:
        load_questions(load(scenario_file(tmp_path)), questions(**changed))
    assert message in str(caught.value)


def test_problems_of_a_file_have_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "asked.yaml"
    file.write_text(
        "questions:\n  raids:\n    text: Raids everywhere in the year 2000.\n    kind: number\n"
        "    outcome: raids\n    resolves_on: 1999-12-31\n    source: nobody\n"
        "    base: {values: [1], source: x}\n"
    )
    with pytest.raises(ScenarioError, match=r"asked\.yaml:6:\d+: questions\.raids\.resolves_on"):
        load_questions(load(scenario_file(tmp_path)), file)


def test_commands_freeze_and_score(tmp_path: Path) -> None:
    """From the command line, beside a file of questions; a ledger there is not written over."""
    asked, file = tmp_path / "asked.json", tmp_path / "ledger.json"
    asked.write_text(json.dumps(questions()))
    given = [str(scenario_file(tmp_path)), "--questions", str(asked), "-o", str(file)]
    command = ["forecast", *given, "--replications", "12", "--jobs", "1"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert f"digest: {read_ledger(file)['digest']}" in done.stdout
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, LedgerError)
    answers = tmp_path / "outcomes.csv"
    answers.write_text("id,outcome\nraids,90\nmany_raids,yes\n")
    scored = CliRunner().invoke(app, ["score", str(file), str(answers), "-o", str(tmp_path / "s")])
    assert scored.exit_code == 0
    assert "2 of 4 questions resolved, 2 not" in scored.stdout
    names = {path.name for path in (tmp_path / "s").iterdir()}
    pictures = {"reliability.png", "pit.png"}
    assert names == {"scores.csv", "scores.txt", "means.csv", *pictures, ".simlib-written"}
    wrong = CliRunner().invoke(app, [*command, "--months", "2"])
    assert "--months: means nothing with a ledger" in str(wrong.exception)


def test_sums_of_past_values_are_exact() -> None:
    """Twelve yes/no with p = .25: the binomial law; and quantiles invert it."""
    sums, weights = added([0, 0, 0, 1], 12)
    binomial = [
        np.prod(np.arange(12 - k + 1, 13)) / np.prod(np.arange(1, k + 1)) for k in range(13)
    ]
    expected = [c * 0.25**k * 0.75 ** (12 - k) for k, c in enumerate(binomial)]
    assert np.allclose(sums, np.arange(13))
    assert np.allclose(weights, expected, atol=1e-15)
    held = BaseRate(source="x", values=(0, 0, 0, 1), times=12).quantiles()
    below = np.cumsum(expected)
    for level, value in zip(LEVELS, held, strict=True):
        assert below[int(value)] >= level - 1e-9
        assert value == 0 or below[int(value) - 1] < level


@pytest.mark.parametrize("name", FIRST)
def test_version_1_stays_byte_for_byte(name: str) -> None:
    """What others will score is as it was frozen, and still verifies."""
    assert hashlib.sha256((LEDGERS / name).read_bytes()).hexdigest() == FIRST[name]
    if name.endswith(".json"):
        assert len(read_ledger(LEDGERS / name)["questions"]) == 44


def test_committed_ledger_is_what_was_frozen() -> None:
    """Its hashes verify, it asks what is asked today, and asks enough.

    It stays as it was frozen: the reference scenario has named more of its numbers since, so
    the digests of scenario and results are those of then. Its forecasts come out again.
    """
    ledger = read_ledger(COMMITTED)
    assert ledger["scenario_digest"] == FROZEN_SCENARIO
    assert ledger["result_digest"] == FROZEN_RESULTS
    assert ledger["branches"] == {"extend_12m": FROZEN_BRANCH}
    assert ledger["as_of"] == "2024-12-31"
    assert ledger["replications"] >= 2000
    assert len(ledger["questions"]) >= 20
    asked = load_questions(load("as_agreed"))
    observed = [q for q in ledger["questions"] if q["under"] == "observed"]
    assert [q["id"] for q in observed] == list(asked.questions)
    assert all(q["text"] == asked.questions[q["id"]].text for q in observed)
    under = {f"{name}.{o}" for name, q in asked.questions.items() for o in q.under}
    assert {q["id"] for q in ledger["questions"]} - {q["id"] for q in observed} == under
    assert all(question["earliest"] > ledger["as_of"] for question in ledger["questions"])


def test_committed_ledger_is_frozen_again_in_small() -> None:
    """A few replications of it agree with it within what so few can tell.

    Of 30 replications a share lies within five standard errors of the committed one, and
    the mean of a number within five of its own (plus what a rare large value may add).
    """
    held = by_id(read_ledger(COMMITTED))
    n = 30
    small = freeze("as_agreed", replications=n, jobs=1)
    assert [q["id"] for q in small["questions"]] == list(held)
    for question in small["questions"]:
        frozen = held[question["id"]]["forecast"]
        if question["kind"] == "binary":
            p = frozen["probability"]
            error = np.sqrt((p * (1.0 - p) + 0.25 / n) / n)
            assert abs(question["forecast"]["probability"] - p) < 5.0 * error, question["id"]
        if question["kind"] == "number":
            inside = frozen["quantiles"][0] <= question["forecast"]["quantiles"][50]
            assert inside, question["id"]
            assert question["forecast"]["quantiles"][50] <= frozen["quantiles"][-1]


@pytest.mark.slow
def test_committed_ledger_comes_out_again() -> None:
    """Frozen anew with as many replications: every question, hash by hash, and the head."""
    held = read_ledger(COMMITTED)
    again = freeze("as_agreed", replications=held["replications"])
    assert [q["sha256"] for q in again["questions"]] == [q["sha256"] for q in held["questions"]]
    of_then = {
        "scenario_digest": FROZEN_SCENARIO,
        "result_digest": FROZEN_RESULTS,
        "branches": {"extend_12m": FROZEN_BRANCH},
    }
    assert digest_of(again | of_then) == held["digest"]
