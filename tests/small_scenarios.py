"""A scenario small enough for a test, and the agent that lives in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simlib
from simlib.agents.base import Agent
from simlib.scenario import load_text

if TYPE_CHECKING:
    from simlib.agents.base import Life
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


class Watcher(Agent):
    """Reviews each month, and settles the milestone when it comes."""

    name = "watcher"

    def live(self) -> Life:
        """Live: wait, see, decide, change."""
        self.start(self.live_posture("talks.posture"))
        while True:
            yield self.wait(days=30, milestone="exit")
            if self.woken == "milestone":
                self.settle("exit", "met" if self.agrees("leave", 0.5) else "slipped")
                if self.class_of("exit") == "met":
                    self.complete("exit")
            elif self.decides("alarm", guards=self.see("guards", "North")):
                self.change("guards", "North", by=-1)


class Failing(Watcher):
    """Raises at its third review in replications that drew few raids."""

    def live(self) -> Life:
        """Live until the third review."""
        for _ in range(3):
            yield self.wait(days=30)
        if self.parameter("raids") < FEW:
            raise ZeroDivisionError("nothing to watch")
        yield self.wait(days=10_000)


FEW = 8.0


def small() -> Scenario:
    """Return a scenario of two types and three places in which nobody decides."""
    return load_text(TEXT)


def watched() -> Scenario:
    """Return the same with an agent, a posture and a milestone; give `Watcher` with it."""
    return load_text(TEXT.replace("outcomes:\n", f"{WATCHED}outcomes:\n") + WATCHED_OUTCOMES)


def ensemble_of(n: int = 12) -> simlib.Ensemble:
    """Return a small ensemble with an agent, simulated in this process."""
    return simlib.run(watched(), replications=n, root_seed=3, jobs=1, agents=[Watcher])
