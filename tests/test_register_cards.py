"""Cards of numbers: what they say, where numbers are used, and the page of all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from built_pages import COMMAND, REGISTER, committed, digest
from simlib.errors import ScenarioError
from simlib.evidence.register.cards import Card, cards, find
from simlib.evidence.register.correlations import Correlation, Correlations
from simlib.evidence.register.register_page import RegisterPage, anchor, page_of
from simlib.evidence.register.usage import uses_of_parameters
from simlib.scenario import load, load_text
from simlib.scenario.register_rows import register_rows
from support.scenarios import TEXT

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

MOST_BYTES = 400_000
HOSTILE = "<script>alert(1)</script> | *bold* `code` [a](b) \"'&"
USED = """\
simlib: 1
name: used
context_of_use: Tests of the library.
start: 2000-01-01
end: 2000-06-30
places:
  North: {kind: governorate, country: Iraq}
  South: {kind: governorate, country: Iraq}
neighbors: [[North, South]]
state:
  guards: {over: governorate, unit: persons, start: {North: a, South: 2 * a}}
parameters:
  a: {value: 3, unit: x, judgement: test}
  b: {value: 3, unit: x, judgement: test}
  c: {distribution: {dirichlet: {one: 2, two: 1}}, unit: share, judgement: test}
  d: {value: 0.1, unit: x, judgement: test}
  e: {value: 0.2, unit: x, judgement: test}
  f: {expression: d + e, unit: x, judgement: test}
  g: {expression: 2 * f, unit: x, judgement: test}
  idle: {value: 1, unit: x, judgement: test}
incidents:
  raid:
    excites: [{type: raid, ratio: d, decay_days: 7}]
    groups:
      main:
        target: posts
        level: {North: b, South: 2 * b}
        factors:
          guards: {power: guards, elasticity: -e}
        marks:
          lethal: {probability: c.one}
          fatalities: {law: {geometric: {mean: b}}, when: lethal}
        effects:
          - {change: guards, by: -e, marks: [fatalities]}
        tempo: {series: s, rho: g, sd: 0.1}
decisions:
  alarm: {intercept: a, weights: {guards: e}, judgement: test}
postures:
  talks.posture:
    owner: watcher
    start: on
    judgement: test
    states:
      on: {median_months: b, next: {off: 1}}
      off: {}
agents: {watcher: {parameters: [c], writes: [talks.posture], decisions: [alarm]}}
options:
  more: {parameters: {b: {value: 5, unit: x, judgement: test}}}
series:
  press: {rows: [{incident: raid, probability: c.two}]}
outcomes:
  reported: {series: press, unit: raids}
"""


@pytest.fixture(scope="module")
def as_agreed() -> Scenario:
    return load("as_agreed")


@pytest.fixture(scope="module")
def page(as_agreed: Scenario) -> RegisterPage:
    return page_of(as_agreed)


@pytest.fixture(scope="module")
def told(as_agreed: Scenario) -> RegisterPage:
    """Return the page with what an ensemble says."""
    return page_of(as_agreed, _told(as_agreed))


def _known(outcome: str = "raids") -> Correlations:
    """Return correlations of a scenario with a number that matters."""
    clear = Correlation("raids", outcome, 0.8, 0.7, 0.9, 0.3)
    return Correlations({"raids": (clear,)}, (outcome,), frozenset({"raids"}), 100, "100 runs")


def _told(scenario: Scenario) -> Correlations:
    """Return correlations of every drawn number with two outcomes, of every size."""
    drawn = [name for name, each in scenario.parameters.items() if each.distribution is not None]
    found = {
        name: tuple(
            Correlation(name, outcome, sign * i / len(drawn), -0.9, 0.9, 0.3)
            for outcome, sign in (("raids", 1), ("losses", -1))
        )
        for i, name in enumerate(drawn)
    }
    return Correlations(found, ("raids", "losses"), frozenset(drawn), 100, "100 runs")


def test_every_kind_of_use_is_found() -> None:
    """Levels, factors, marks, effects, tempo, excitation, state, decisions, postures and so on."""
    uses = uses_of_parameters(load_text(USED))
    assert uses == {
        "a": ("state guards: start (2 times)", "decision alarm: intercept"),
        "b": (
            "incident raid: group main: level (2 times)",
            "incident raid: group main: mark fatalities: law",
            "posture talks.posture: state on: median_months",
            "option more replaces it",
        ),
        "c": (
            "incident raid: group main: mark lethal: probability",
            "series press: row raid: probability",
            "agent watcher",
            "outcome reported",
        ),
        "d": (
            "parameter f",
            "incident raid: excites raid: ratio",
            "f -> parameter g",
            "g -> incident raid: group main: tempo: rho",
        ),
        "e": (
            "parameter f",
            "incident raid: group main: factor guards: elasticity",
            "incident raid: group main: effect guards: by",
            "decision alarm: weights",
            "f -> parameter g",
            "g -> incident raid: group main: tempo: rho",
        ),
        "f": ("parameter g", "g -> incident raid: group main: tempo: rho"),
        "g": ("incident raid: group main: tempo: rho",),
        "idle": (),
    }


def test_every_parameter_of_the_reference_scenario_is_used(page: RegisterPage) -> None:
    unused = [c.name for c in page.cards.values() if c.is_parameter and not c.uses]
    assert unused == []


def test_rows_are_used_by_what_names_them(page: RegisterPage) -> None:
    assert "parameter isis.stock" in page.cards["A27"].uses
    assert "derives turkiye.strike_level.mode" in page.cards["B4-2024-07"].uses
    assert "article.yaml: partners" in page.cards["A8"].uses
    assert any(u.startswith("initial_intensities.csv") for u in page.cards["B5-RATE-MONTH"].uses)
    # A name inside a longer one is no mention: B1 is no row, B1b is not B1b-2023.
    assert "row B1b" in page.cards["B1b-2023"].uses
    assert page.cards["D19"].uses == ()


def test_a_card_of_a_parameter(page: RegisterPage) -> None:
    """Points of a triangular: low + sqrt(u (high - low) (mode - low)) below the mode."""
    card = page.cards["isis.stock"]
    low = 1500 + (0.05 * 3500 * 1000) ** 0.5
    assert card.points.startswith(f"{low:,.0f} / ")
    assert (card.grade, card.row_id, card.unit) == ("source", "A27", "persons")
    assert card.row is not None
    assert card.row.url.startswith("https://")


def test_grades(page: RegisterPage) -> None:
    assert page.cards["withdrawal.direct"].grade == "derived"
    assert page.cards["attack.fighters"].grade == "judgement"
    assert {c.grade for c in page.cards.values() if not c.is_parameter} == {
        *("source", "weak source", "derived", "general knowledge", "judgement")
    }


def test_a_replaced_parameter_says_so_and_by_what() -> None:
    """A later file's distribution stands with its note; the old arithmetic no longer does."""
    text = (
        "simlib: 1\nname: mine\nextends: theatre.yaml\nparameters:\n  turkiye.strike_level:\n"
        "    distribution: {gamma: {shape: 50, mean: 90}}\n    unit: strikes per month\n"
        "    fitted: Monthly counts of 2024, maximum likelihood, as of 2024-12-31.\n"
    )
    card = cards(load_text(text))["turkiye.strike_level"]
    assert card.value == "gamma(shape 50, mean 90)"
    assert card.grade == "fitted"
    assert card.derivations == ()
    assert "Replaces triangular(low 80, mode 98, high 150) of theatre." in card.notes
    assert any(note.startswith("Monthly counts") for note in card.notes)
    assert cards(load("theatre"))["turkiye.strike_level"].derivations


def test_find_guesses(page: RegisterPage) -> None:
    assert find(page.cards, "A27") is page.cards["A27"]
    with pytest.raises(ScenarioError, match=r"did you mean 'isis\.stock'"):
        find(page.cards, "isis.stok")
    with pytest.raises(ScenarioError, match="did you mean 'as_agreed'"):
        find(page.cards, "as_agred", ["as_agreed"])


def test_a_scenario_of_its_own_has_no_foreign_arithmetic() -> None:
    found = page_of(load_text(TEXT), _known())
    assert (found.others, found.apart) == ({}, [])
    assert found.index().to_numpy().tolist() == [[1, "raids", "judgement", "0.80"]]
    assert "the largest are raids" in found.sentences()[1]


def test_every_row_has_a_card(page: RegisterPage) -> None:
    assert {c.name for c in page.cards.values() if not c.is_parameter} == set(register_rows())


def _hostile() -> Scenario:
    small = load_text(TEXT)
    raids = small.parameters["raids"].model_copy(update={"note": HOSTILE, "unit": HOSTILE})
    return small.model_copy(update={"parameters": {"raids": raids}})


def test_markdown_escapes_everything() -> None:
    """No tag, link or cell of a table comes from a text outside code."""
    text = page_of(_hostile(), _known(HOSTILE)).markdown("simlib register")
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert "<script>" not in outside
    assert "[a](b)" not in outside
    assert r"\<script\>" in text


def test_an_unescaped_text_is_found() -> None:
    """Negative control: the same text, unescaped, has a script and a link."""
    outside = re.sub(r"`[^`\n]*`", "", HOSTILE)
    assert "<script>" in outside
    assert "[a](b)" in outside


def test_the_page_is_the_one_whose_digest_is_committed(page: RegisterPage) -> None:
    """All but what its ensemble says; `python tests/built_pages.py` renews the digest."""
    assert digest(page.markdown(COMMAND)) == committed()[REGISTER]


def test_a_stale_digest_is_found(page: RegisterPage) -> None:
    """Negative control: one figure changed on the page."""
    text = page.markdown(COMMAND)
    stale = text.replace("mode 2500", "mode 2400", 1)
    assert stale != text
    assert digest(stale) != committed()[REGISTER]


def test_what_an_ensemble_says_is_not_in_the_digest(told: RegisterPage) -> None:
    text = told.markdown(COMMAND)
    assert "the largest are" in text
    assert digest(text) == committed()[REGISTER]


def test_the_index_has_the_largest_first_with_their_grades(told: RegisterPage) -> None:
    line = r"^\| (\d+) \| \[`([^`]+)`\]\(#[^)]+\) \| ([a-z ]+) \| (.*) \|$"
    lines = re.findall(line, told.markdown(COMMAND), re.MULTILINE)
    assert len(lines) > 10
    sizes = [max(abs(float(x)) for x in re.findall(r"-?\d\.\d+", rest)) for *_, rest in lines]
    assert sizes == sorted(sizes, reverse=True)
    for rank, (number, name, grade, _) in enumerate(lines, 1):
        assert int(number) == rank
        assert told.cards[name].grade == grade


def test_the_page_is_of_manageable_size_and_whole(told: RegisterPage) -> None:
    text = told.markdown(COMMAND)
    assert len(text.encode()) < MOST_BYTES
    headings = {anchor(name) for name in re.findall(r"^#### `([^`]+)`$", text, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert len(linked) > 10
    assert linked <= headings


def test_no_two_cards_share_ananchor(page: RegisterPage) -> None:
    anchors = [anchor(card.name) for card in page.cards.values()]
    shared = {a for a in anchors if anchors.count(a) > 1}
    assert shared == set()


def test_cards_are_small(page: RegisterPage) -> None:
    """A card is read at a glance: nothing on it runs on for pages."""
    longest: Card = max(page.cards.values(), key=lambda card: len("; ".join(card.uses)))
    assert len("; ".join(longest.uses)) < 2000, longest.name
