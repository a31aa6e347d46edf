"""Nothing is ornament: removing or freezing an actor, or moving a parameter, shows."""

from __future__ import annotations

import functools
import math

import pytest

from simlib.agents.registry import agent_names
from simlib.chance.distributions import quantile
from simlib.ensemble.replications import Job, Prepared, prepare
from simlib.scenario import load
from simlib.scenario.schema import Parameter, Scenario
from simlib.simulation import simulate
from simlib.theatre.questions.removals import FEWEST, outcomes_outside, removals, with_removals

REPLICATIONS = 60
"""A parameter that matters only after a rare turn is given so many replications to show."""
INERT = {
    # A probability of 0 to .01 of an interception that needs batteries delivered years
    # later: the model's point is that it changes nothing (A26).
    "air.intercept",
    "air.relief",
    "israel.deterred",
    # Moved to before the start, the first meeting is held at the start: with .15 of the decision
    # it extends in about two of a hundred replications, wherever it is.
    "committee.lead_first",
    # Six months are the likeliest extension, so that in sixty replications two years instead of one
    # are chosen once or never.
    "committee.extension_24",
    # What is left of cover without troops is a tenth or more: it bounds what others may assume.
    "isis.least_cover",
    # Three times the usual needs years without a quarter in which strikes ease.
    "israel.tempo_most",
    # A cap of .6 on a share that is .47 at its highest in sixty replications.
    "sdf.guard_most",
}


@functools.cache
def _scenario() -> Scenario:
    return load("as_agreed")


@functools.cache
def _whole() -> Prepared:
    return prepare(Job(_scenario()), "as_agreed")


def _outcomes(
    prepared: Prepared, replication: int, given: dict[str, float] | None = None
) -> dict[str, float | str]:
    run = simulate(prepared.blueprint, replication, parameters=given)
    outcomes = prepared.plan.evaluate(run)
    return {k: "nan" if isinstance(v, float) and math.isnan(v) else v for k, v in outcomes.items()}


@functools.cache
def _usual(replication: int) -> dict[str, float | str]:
    return _outcomes(_whole(), replication)


@functools.cache
def _drawn(replication: int) -> dict[str, float]:
    drawn: dict[str, float] = _whole().blueprint.parameters.draw(replication, {})
    return drawn


def _moved(name: str, parameter: Parameter, replication: int) -> dict[str, float]:
    """Return the parameter at the end of its range that is farther from what is drawn."""
    drawn = _drawn(replication)
    if parameter.value is not None:
        return {name: parameter.value * 2.0 + (0.5 if abs(parameter.value) < 0.05 else 0.0)}
    assert parameter.distribution is not None
    ((kind, arguments),) = parameter.distribution.items()
    if kind == "dirichlet":
        parts = sorted(arguments)
        least = min(parts, key=lambda part: drawn[f"{name}.{part}"])
        share = 0.1 / (len(parts) - 1)
        return {f"{name}.{part}": 0.9 if part == least else share for part in parts}
    ends = [quantile(kind, arguments, u) for u in (0.05, 0.95)]
    return {name: max(ends, key=lambda end: abs(end - drawn[name]))}


def _shown(names: list[str], replication: int) -> set[str]:
    """Return which of these show there: moved all at once, and by halves where that shows."""
    parameters = _scenario().parameters
    moved = {k: v for n in names for k, v in _moved(n, parameters[n], replication).items()}
    if _outcomes(_whole(), replication, moved) == _usual(replication):
        return set()
    half = len(names) // 2
    if not half:
        return set(names)
    return _shown(names[:half], replication) | _shown(names[half:], replication)


def _idle(names: list[str]) -> list[str]:
    """Return those that never show when they are moved alone.

    Nearly all show in the first replications, where they are moved one by one. Of those left few
    show in one more, and groups of up to eight save most of their replications. Members that
    cancel each other may hide in a group, never show in one: what shows has shown alone.
    """
    for replication in range(REPLICATIONS):
        size = 2 ** min(replication, 3)
        groups = [names[i : i + size] for i in range(0, len(names), size)]
        shown = set[str]().union(*(_shown(group, replication) for group in groups))
        names = [name for name in names if name not in shown]
    return names


ACTORS = sorted(agent_names() - {"withdrawing_force"})
PAIRS = 6
"""In so few pairs some outcome of another differs where anything reaches it at all."""


@pytest.mark.parametrize("name", ACTORS)
def test_freezing_an_actor_changes_an_outcome(name: str) -> None:
    frozen = prepare(Job(_scenario(), without=(name,)), "as_agreed")
    assert any(_outcomes(frozen, r) != _usual(r) for r in range(3))


@pytest.mark.parametrize("name", ACTORS)
def test_removing_an_actor_moves_five_outcomes_of_others(name: str) -> None:
    """Neither its own nor what goes with it: they differ in some pair under the same luck."""
    without = prepare(Job(with_removals(_scenario(), {"without": name})), "without")
    outside = outcomes_outside(_scenario(), name)
    differs = {
        outcome
        for r in range(PAIRS)
        for outcome, value in _outcomes(without, r).items()
        if outcome in outside and value != _usual(r)[outcome]
    }
    assert len(differs) >= FEWEST


@pytest.mark.exam
def test_removing_any_actor_clearly_moves_five_outcomes_of_others() -> None:
    """400 pairs, and beyond 3.5 standard errors."""
    assert removals(jobs=2).idle() == []


def test_what_is_an_actors_own_is_set_aside() -> None:
    """Negative control: by name, by what goes with it, and by who decides."""
    outside = outcomes_outside(_scenario(), "militias")
    assert not outside & {"militia_attacks", "militia_campaign", "deaths_militia_attacks"}
    assert not outcomes_outside(_scenario(), "coalition") & {"coalition_strikes", "militia_attacks"}
    assert "isis_attacks_iraq_2025" in outside


def test_moving_a_parameter_changes_an_outcome() -> None:
    """Every drawn or fixed parameter shows in some outcome of some paired replication.

    Derived parameters are left out: what they are derived from is moved.
    """
    moved = {n for n, p in _scenario().parameters.items() if p.expression is None}
    assert moved >= INERT
    assert _idle(sorted(moved - INERT)) == []


def test_an_idle_parameter_is_found() -> None:
    """Negative control: a parameter that nothing reads never shows."""
    idle = Parameter(value=1.0, unit="x", judgement="none")
    assert not any(_outcomes(_whole(), r, {"idle": 2.0}) != _usual(r) for r in range(2))
    assert _moved("idle", idle, 0) == {"idle": 2.0}
