"""A scenario small enough for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simlib
from simlib.scenario import load_text
from support.agents import Watcher

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

TEXT = """\
simlib: 1
name: small
context_of_use: Tests of the library.
start: 2000-01-01
end: 2000-06-30
places:
  North: {kind: governorate, country: Iraq}
  South: {kind: governorate, country: Iraq}
  East: {kind: governorate, country: Syria}
state:
  guards: {over: governorate, unit: persons, start: 100}
parameters:
  raids: {distribution: {uniform: {low: 5, high: 15}}, unit: incidents per month, judgement: test}
incidents:
  raid:
    groups:
      main:
        target: posts
        level: {North: raids, South: 4, East: 2}
        marks:
          lethal: {probability: 0.3}
          fatalities: {law: {geometric: {mean: 2}}, when: lethal}
  patrol:
    groups:
      main:
        target: roads
        level: {North: 3, East: 1}
timeline:
  exit: {date: 2000-04-30}
options:
  as_planned: {}
  later: {timeline.exit: {shift: 1 months, forced: true}}
outcomes:
  raids: {count: raid, unit: incidents}
  raids_iraq_spring: {count: raid, in: Iraq, from: 2000-04-01, to: 2000-05-31}
  fatalities: {total: fatalities, of: raid}
  guards_end: {state: guards, in: North}
"""

WATCHED = """\
decisions:
  alarm: {intercept: -0.5, weights: {guards: 0.01}}
postures:
  talks.posture:
    owner: watcher
    start: apart
    states:
      apart: {shape: 1, median_months: 3, next: {together: 1}}
      together: {}
agents:
  watcher: {decisions: [alarm], writes: [guards]}
"""

WATCHED_OUTCOMES = """\
  exit_class: {milestone: exit, classes: [met, slipped]}
  months_late: {milestone: exit, measure: months_late}
  together: {posture: talks.posture, states: [together]}
  alarms: {decision: alarm}
"""


def small() -> Scenario:
    """Return a scenario of two types and three places in which nobody decides."""
    return load_text(TEXT)


def watched() -> Scenario:
    """Return the same with an agent, a posture and a milestone; give `Watcher` with it."""
    return load_text(TEXT.replace("outcomes:\n", f"{WATCHED}outcomes:\n") + WATCHED_OUTCOMES)


def ensemble_of(n: int = 12) -> simlib.Ensemble:
    """Return a small ensemble with an agent, simulated in this process."""
    return simlib.run(watched(), replications=n, root_seed=3, jobs=1, agents=[Watcher])
