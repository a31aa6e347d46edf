"""Results on a screen: the answer first, a short table by topic, and nothing cut off."""

from __future__ import annotations

import io
import json
import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import simlib
from simlib.answers.short_table import ShortLine, lines_of, shown_outcomes
from simlib.cli.result_display import form_of, show_results, table_lines
from simlib.ensemble.store.chunk_reading import with_dates
from simlib.errors import ScenarioError, StoreError
from simlib.scenario import load_text
from simlib.statistics.summaries import of_number
from support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    from simlib.agents.base import Life

LABEL = "A label that is long enough to be folded in a narrow terminal, 2025 to 2027"
TEXT = f"""\
simlib: 1
name: small
context_of_use: Test.
start: 2025-01-01
end: 2025-12-31
places: {{East: {{country: Land}}}}
state: {{mood: {{unit: level, start: 1}}}}
incidents: {{raid: {{groups: {{all: {{target: anyone, level: {{East: 3}}}}}}}}}}
postures:
  talks:
    owner: nobody
    start: quiet
    states: {{quiet: {{median_months: 6, next: {{loud: 1}}}}, loud: {{}}}}
    judgement: A test.
agents: {{nobody: {{}}}}
options: {{one: {{}}, two: {{}}}}
outcomes:
  raids: {{count: raid, label: "{LABEL}", topic: Violence, unit: raids}}
  talking: {{posture: talks, states: [loud], label: "<b>Loud</b> talks", topic: Talks}}
question:
  asks: Do the talks get loud?
  outcome: talking
  claims: [{{says: the talks get loud}}]
  follows: [raids]
"""
N = 30


class Nobody(simlib.Agent):
    """Lives the talks."""

    name = "nobody"

    def live(self) -> Life:
        """Let the talks go on."""
        self.start(self.live_posture("talks"))
        yield self.wait(months=1)


@pytest.fixture(scope="module")
def ensemble() -> simlib.Ensemble:
    return simlib.run(
        load_text(TEXT), options=["one", "two"], replications=N, agents=[Nobody], jobs=1
    )


def printed(
    found: simlib.Ensemble, capsys: pytest.CaptureFixture[str], form: str = "short"
) -> list[str]:
    show_results(found, form)  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
def test_lines_fit_and_nothing_is_cut_off(
    ensemble: simlib.Ensemble,
    columns: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = printed(ensemble, capsys)
    assert max(map(len, lines)) <= min(max(int(columns), 60), 100)
    text = " ".join(" ".join(lines).split())
    assert LABEL in text
    assert "…" not in text
    assert not [line for line in lines if re.search(r"(\bn|n =)$", line)]


def test_the_question_is_the_first_line_and_topics_head_the_table(
    ensemble: simlib.Ensemble, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(ensemble.of("one"), capsys)
    assert lines[0] == "Do the talks get loud?"
    table = lines[lines.index("small, one: 30 of 30 replications, root seed 0") :]
    assert table.index("Violence") < table.index("Talks")


def test_a_long_table_shows_what_is_asked_and_the_first_of_each_topic() -> None:
    text = TEXT.partition("question:")[0]
    text += "".join(f"  more_{i}: {{count: raid, topic: Many}}\n" for i in range(30))
    many = simlib.run(load_text(text), replications=2, agents=[Nobody], jobs=1)
    assert shown_outcomes(many) == ("raids", "talking", "more_0", "more_1")
    every = {line.outcome for line in lines_of(many, tuple(many.labels))}
    assert len(every) == 32


def test_all_shows_every_row_with_the_names_that_commands_take(
    ensemble: simlib.Ensemble, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(" ".join(printed(ensemble, capsys, "all")).split())
    assert f"{LABEL} [raids]" in text
    assert "[talking]" in text


def test_csv_and_json_are_the_table_and_nothing_else(
    ensemble: simlib.Ensemble, capsys: pytest.CaptureFixture[str]
) -> None:
    show_results(ensemble, "csv")
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["outcome"]) == ["raids", "talking"] * 2
    assert set(table["topic"]) == {"Violence", "Talks"}
    show_results(ensemble, "json")
    content = json.loads(capsys.readouterr().out)
    assert content["question"] == "Do the talks get loud?"
    assert content["answer"][0]["outcomes"] == ["talking"]
    assert len(content["outcomes"]) == len(table)
    assert content["digest"] == ensemble.digest


def test_a_mean_of_those_that_happen_to_be_settled_is_not_shown() -> None:
    values = np.array([1.0, 2.0, 3.0, *[math.nan] * 2])
    row = of_number("x", "months", values, 5)
    assert row.shown.startswith("median 3.0; open: 40 % (")
    assert of_number("x", "months", np.array([1.0, math.nan]), 2).shown.startswith("median 1")
    most = of_number("x", "months", np.array([1.0, math.nan, math.nan]), 3)
    assert most.shown.startswith("half or more open: 67 %")


def test_a_row_is_folded_beside_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    line = ShortLine("T", "x", "Label", "", "1,700 (1,400 to 2,000) persons", "0 to 3,500")
    lines = list(table_lines([line]))
    assert max(map(len, lines)) <= 60
    assert lines[1] == "T"
    assert lines[2].split()[0] == "Label"


def test_html_of_an_ensemble_is_short_escaped_and_begins_with_the_answer(
    ensemble: simlib.Ensemble,
) -> None:
    html = ensemble._repr_html_()
    assert html.index("Do the talks get loud?") < html.index("<table>")
    assert "&lt;b&gt;Loud" in html
    assert "<b>Loud" not in html
    assert len(html) < 12_000


def test_commands_write_for_scripts_and_refuse_two_forms(tmp_path: Path) -> None:
    scenario = tmp_path / "small.yaml"
    text = TEXT.replace("agents: {nobody: {}}\n", "").partition("postures:")
    scenario.write_text(text[0] + "outcomes:\n  raids: {count: raid}\n")
    out = tmp_path / "out"
    run = ("run", scenario, "--replications", "3", "--jobs", "1", "--no-figures", "-o", out)
    done = call(*run, "--json")
    assert json.loads(done.stdout)["replications"] == 3
    assert f"results: {out}" in done.stderr
    assert call("show", out, "--csv").stdout.startswith("topic,label,outcome")
    assert "raids" in call("show", out).stdout.lower()
    twice = call("show", out, "--csv", "--json")
    assert twice.returncode != 0
    assert "give one of --all, --json and --csv" in twice.stderr
    with pytest.raises(ScenarioError, match="--all"):
        form_of(every=True, as_json=True, as_csv=False)


def test_times_stand_beside_their_dates(ensemble: simlib.Ensemble) -> None:
    frame = pd.DataFrame({"time": [9132.75, math.inf, math.nan]})
    dates = with_dates(frame, {"time": "date"})["date"]
    assert dates.isna().tolist() == [False, True, True]
    assert str(dates[0].date()) == "2025-01-01"
    assert "moved_to" in ensemble.milestones
    assert "date" in ensemble.decisions


def test_incidents_that_were_not_kept_are_not_an_empty_table(ensemble: simlib.Ensemble) -> None:
    with pytest.raises(StoreError, match="journals were not kept, so single incidents are not"):
        _ = ensemble.incidents


def test_html_of_a_scenario_is_one_page_and_escaped() -> None:
    page = simlib.load("as_agreed")._repr_html_()
    assert len(page) < 20_000
    assert "stay in Iraq extended" in page
    assert "The deadline" in page
    hostile = TEXT.replace("Do the talks get loud?", "<script>alert(1)</script>?")
    assert "<script>" not in load_text(hostile)._repr_html_()


def test_html_of_a_comparison_is_short(ensemble: simlib.Ensemble) -> None:
    found = simlib.compare(ensemble, ["one", "two"])
    html = found._repr_html_()
    assert len(html) < 10_000
    assert "two against one" in html
