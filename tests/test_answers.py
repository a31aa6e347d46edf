"""The answer in sentences: words beside their numbers, terms, and nothing where n is small."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import simlib
from simlib.answers import Answer, answer
from simlib.answers.statements import Histories
from simlib.errors import ScenarioError
from simlib.scenario import digest, load_text
from simlib.statistics.formatting import estimate, share, supported
from simlib.statistics.intervals import median_between
from simlib.statistics.likelihood_words import opening_of, spanned, word_of

if TYPE_CHECKING:
    from simlib.agents.base import Life

TEXT = """\
simlib: 1
name: small
context_of_use: Test.
start: 2025-01-01
end: 2026-12-31
places: {East: {country: Land}}
parameters:
  luck: {distribution: {uniform: {low: 0, high: 1}}, unit: share, judgement: A test.}
  level: {distribution: {uniform: {low: 2, high: 4}}, unit: raids per month, judgement: A test.}
incidents: {raid: {groups: {all: {target: anyone, level: {East: level}}}}}
agents:
  court: {parameters: [luck], decisions: [rules], writes: []}
timeline: {stay: {date: 2025-06-30}}
options:
  decided: {}
  shorter: {timeline.stay: {shift: -3 months, forced: true}}
outcomes:
  ending: {milestone: stay, classes: [met, formally_extended], topic: The stay, label: How it ends}
  months: {milestone: stay, measure: months_from_start, label: Time until it is over}
  raids: {count: raid, label: "Raids, both years", unit: raids}
question:
  asks: Is the stay extended?
  outcome: ending
  claims: [{says: the stay is extended, classes: [formally_extended]}]
  terms:
    met: {label: Met, means: they leave on the date}
    formally_extended: {label: Extended, means: they stay for good.}
  gone: {says: they have left, outcome: months}
  decision: {says: the court next rules, names: [rules]}
  follows: [raids]
"""
N = 200


class Court(simlib.Agent):
    """Extends for good where luck is high."""

    name = "court"

    def live(self) -> Life:
        """Rule once, in March; leave on the date otherwise."""
        yield self.wait(days=60)
        if self.is_forced("stay"):
            self.settle("stay", "met")
            yield self.wait(until=self.date_of("stay"))
            self.complete("stay")
        elif self.agrees("rules", self.parameter("luck") ** 2):
            self.settle("stay", "formally_extended")
        else:
            self.settle("stay", "met")
            yield self.wait(until=self.date_of("stay"))
            self.complete("stay")


@pytest.fixture(scope="module")
def ensemble() -> simlib.Ensemble:
    return simlib.run(
        load_text(TEXT), options="all", replications=N, agents=[Court], jobs=1, root_seed=3
    )


@pytest.fixture(scope="module")
def alone(ensemble: simlib.Ensemble) -> Answer:
    return answer(ensemble.of("decided"))


def text_of(found: Answer, topic: str) -> str:
    return " ".join(each.text for each in found.by_topic()[topic])


def test_the_answer_comes_first_with_its_word_number_interval_and_n(
    alone: Answer, ensemble: simlib.Ensemble
) -> None:
    question, first, *_ = alone.sentences()
    assert question == "Is the stay extended?"
    values = ensemble.of("decided").values("ending")
    mean = float(np.mean(values == "formally_extended"))
    assert first.startswith(f"It is {word_of(mean)} that the stay is extended: ")
    assert f"{100 * mean:.0f} %" in first
    assert re.search(r"\(\d+ to \d+ %, n = 200\)", first)


def test_every_statement_names_the_outcomes_it_rests_on(
    alone: Answer, ensemble: simlib.Ensemble
) -> None:
    known = set(ensemble.manifest["outcomes"])
    assert all(set(each.outcomes) <= known for each in alone.statements)
    assert [each for each in alone.statements if each.outcomes]
    assert list(alone.table()["statement"]) == alone.sentences()[1:]


def test_terms_are_defined_where_they_are_used(alone: Answer) -> None:
    ends = text_of(alone, "How it ends")
    assert "Met: " in ends
    assert "They leave on the date." in ends
    assert "They stay for good." in ends


def test_what_is_open_gives_a_median_and_a_share_and_never_a_mean(alone: Answer) -> None:
    ends = text_of(alone, "How it ends")
    assert re.search(r"They have left: in the median by June 2025 \(", ends)
    assert re.search(r"not by 31 December 2026: \w+( \w+)?, \d+ %", ends)
    assert "extended not by the end (n = " in ends


def test_half_or_more_open_is_said_and_no_date() -> None:
    long = load_text(TEXT.replace("low: 0, high: 1}", "low: 0.8, high: 1}"))
    stays = simlib.run(long, options=["decided"], replications=40, agents=[Court], jobs=1)
    ends = text_of(answer(stays), "How it ends")
    assert "They have left: in half or more of 40 histories not by the end" in ends


def test_what_is_given_by_an_option_is_not_called_likely(ensemble: simlib.Ensemble) -> None:
    said = text_of(answer(ensemble), "The answer")
    assert "decided: it is unlikely that the stay is extended: " in said
    assert "shorter: how it ends is set by the option: met in 200 of 200 histories." in said
    changes = text_of(answer(ensemble), "What options change against decided")
    assert "no change beyond chance" in changes
    assert "n = 200 pairs" in changes


EVENT = "events: {move: {on: 2025-02-01, move: {stay: 90 days}, forced: true}}\n"


@pytest.mark.parametrize(
    ("text", "option", "by"),
    [
        ("", "decided", ""),
        ("", "", ""),
        ("", "shorter", "the option"),
        ("", "on_from_shorter", "the option"),
        (EVENT, "decided", "the scenario"),
        (EVENT.replace("on: 2025-02-01", "when: raid >= 30 a month"), "decided", ""),
    ],
)
def test_an_ending_is_set_by_what_gives_it_for_sure(
    ensemble: simlib.Ensemble, text: str, option: str, by: str
) -> None:
    more = TEXT.replace("outcomes:\n", f"  on_from_shorter: {{of: shorter}}\n{text}outcomes:\n")
    scenario = load_text(more)
    assert scenario.question is not None
    assert Histories(ensemble, scenario.question, scenario, option).set_by == by


def test_drivers_come_with_interval_floor_and_grade(alone: Answer) -> None:
    said = text_of(alone, "What would change it")
    assert re.search(r"luck \(judgement\) \+0\.\d\d \(\+0\.\d\d to \+0\.\d\d\)", said)
    assert "level (judgement)" not in said
    assert "Of luck its file says: A test." in said
    assert "chance alone" in said
    low, high = map(int, re.findall(r"(\d+) % \([\d to]+ %, n = \d+\) in the third", said))
    assert low + 20 < high


def test_the_next_decision_has_its_date(alone: Answer) -> None:
    said = text_of(alone, "What would change it")
    assert "The court next rules on 2 March 2025 in the median" in said


def test_how_much_is_judgement_is_counted(alone: Answer) -> None:
    assert "Of the 2 numbers" in text_of(alone, "How sure this is")
    assert "2 (100 %) are judgement" in text_of(alone, "How sure this is")


def test_nothing_is_told_of_few_histories() -> None:
    few = simlib.run(load_text(TEXT), options=["decided"], replications=15, agents=[Court], jobs=1)
    found = answer(few)
    assert "Too few histories to tell of an ending" in text_of(found, "What follows")
    assert all("by ending" not in each.text.lower() for each in found.statements)
    topics = [each.topic for each in found.statements]
    assert "Numbers that go most" not in " ".join(found.sentences())
    assert topics[0] == "The answer"


def test_four_histories_have_no_interval_of_their_median() -> None:
    few = simlib.run(load_text(TEXT), options=["shorter"], replications=4, agents=[Court], jobs=1)
    assert "(too few for an interval; n = 4)" in text_of(answer(few), "How it ends")


def test_endings_that_do_not_differ_are_told_as_one(alone: Answer) -> None:
    said = text_of(alone, "What follows")
    assert re.search(r"Raids, both years: \d+ \(\d+ to \d+\) raids, n = 200, no difference", said)


def test_a_scenario_without_a_question_is_told_so(ensemble: simlib.Ensemble) -> None:
    quiet = load_text(TEXT.partition("question:")[0])
    found = answer(simlib.run(quiet, options=["decided"], replications=2, agents=[Court], jobs=1))
    assert found.sentences() == ["The scenario asks no question: give it a section question."]
    assert "asks no question" in found._repr_html_()
    assert digest(quiet) == digest(load_text(TEXT))


def test_what_is_told_is_escaped(alone: Answer) -> None:
    hostile = dataclasses.replace(alone, asks="<script>alert(1)</script>?")
    assert "<script>" not in hostile._repr_html_()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("outcome: ending\n", "outcome: raids\n", "question.outcome: must be a class or a yes/no"),
        ("classes: [formally_extended]}]", "classes: [slipped]}]", "undefined class"),
        ("outcome: months}", "outcome: raids}", "months_from_start"),
        ("follows: [raids]", "follows: [ending]", "must be a number or a yes/no"),
        ("follows: [raids]", "follows: [raid]", "undefined outcome"),
        ("names: [rules]", "names: [rule]", "undefined decision"),
        (", classes: [formally_extended]}]", "}]", "the classes in which it is so"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_at_its_line(
    before: str, after: str, message: str
) -> None:
    assert before in TEXT
    with pytest.raises(ScenarioError, match=re.escape(message)):
        load_text(TEXT.replace(before, after))


def test_words_follow_the_directive() -> None:
    words = [word_of(p) for p in (0.04, 0.05, 0.2, 0.45, 0.55, 0.8, 0.95)]
    assert words == [
        *("almost no chance", "very unlikely", "unlikely", "a roughly even chance"),
        *("likely", "very likely", "almost certain"),
    ]
    assert opening_of(0.5) == "there is a roughly even chance"
    assert spanned(0.1, 0.5) == "very unlikely to a roughly even chance"
    assert spanned(0.21, 0.44) == ""


def test_no_number_has_more_digits_than_its_interval_supports() -> None:
    assert estimate(1893.7, 1520.2, 2267.1) == "1,900 (1,500 to 2,300)"
    assert estimate(-0.004, -0.2, 0.19, is_signed=True) == "0.00 (\N{MINUS SIGN}0.20 to +0.19)"
    assert share(0.137, 0.117, 0.159) == "14 % (12 to 16 %)"
    assert supported(0.0, 0.0, 12.345) == ["12.3"]


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    draws = np.random.Generator(np.random.PCG64(5)).exponential(size=(2000, 60))
    held = [low <= np.log(2.0) <= high for low, high in map(median_between, draws)]
    assert 0.94 < np.mean(held) < 0.985
