"""A small world in which everything the engine can do happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.agents.base import Agent
from simlib.scenario import load_text

if TYPE_CHECKING:
    from simlib.agents.base import Life
    from simlib.scenario.schema import Scenario

TEXT = """\
simlib: 1
name: rich
context_of_use: Tests of the library.
start: 2000-01-15
end: 2000-08-20
history_days: 60
root_seed: 77
places:
  East: {country: Syria}
  North: {country: Iraq}
  South: {country: Iraq}
  West: {country: Iraq}
  Fort: {kind: base, within: North}
  Gap: {kind: segment, ends: [East, North]}
neighbors: [[East, North], [North, South], [North, West]]
state:
  rebels: {over: governorate, unit: persons, start: {North: 300, South: "size", East: 80, West: 9}}
  police: {over: governorate, unit: persons, start: 1000}
  cover: {over: governorate, unit: share, start: {North: 0.8, South: 0.3, East: 1.5, West: 0}}
  prisoners: {over: governorate, unit: persons, start: {North: 50, East: 4}}
  stores: {over: base, unit: tons, start: 40}
  weather: {unit: index, start: 0.9}
  cells: {unit: groups, start: 6}
  mood: {unit: index, start: -1, signed: true}
parameters:
  size: {distribution: {lognormal: {median: 120, p95: 300}}, unit: persons, judgement: test}
  slope: {distribution: {normal: {mean: 0.4, sd: 0.2}}, unit: "1", judgement: test}
  half: {expression: "slope / 2 + 0.1 * ends.good", unit: "1", judgement: test}
  ends: {distribution: {dirichlet: {good: 3, bad: 2}}, unit: "1", judgement: test}
incidents:
  raid:
    notable: {fatalities: 4, displaced: 200}
    excites:
      - {type: raid, ratio: 0.35, decay_days: 6, own_place: 0.7}
      - {type: clash, ratio: "0.2 * ends.good", decay_days: 2, own_place: 0.5}
    groups:
      police:
        target: police
        level: {North: 30, South: "size / 10", East: 12}
        factors:
          strength: {power: rebels, elasticity: "slope"}
          guards: {power: police, elasticity: -0.6, reference: {Iraq: 900, East: "8 * size"}}
          season: {table: calendar.month, values: {1: .8, 2: .9, 3: 1, 4: 1.1, 5: 1.2, 6: 1.2,
            7: 1.1, 8: 1, 9: 1, 10: 1, 11: .9, 12: .8}}
          talks: {table: talks.posture, values: {apart: 1, talking: "half", agreed: 0.2}}
          weather: {value: weather}
        marks:
          lethal: {probability: {North: 0.3, South: 0.5, East: "0.1 + half / 5"},
            factors: {cover: {shield: [cover, weather], efficacy: 0.5}}}
          fatalities: {law: {severity: {one: 0.4, mean: 3.5, exponent: 2.4}}, when: lethal}
          success: {probability: 0.6}
          killed: {law: {poisson: {mean: "1 + half"}}, when: not success}
          displaced: {law: {lognormal: {median: 40, p95: 400, least: 20}}, when: lethal}
        effects:
          - {change: rebels, by: -1, marks: [killed]}
          - {change: police, by: -1, marks: [fatalities], when: lethal}
          - {move: rebels, by: 0.02, of_stock: true, to: neighbor, when: not success}
          - {change: weather, by: 0.004}
          - {change: police, by: 3, at: neighbor, when: success}
        trend: {log_slope: "slope / 10", damping: 0.8}
        tempo: {series: pace, rho: 0.6, sd: 0.3}
      army:
        target: army
        level: {North: 4, West: 2}
        factors:
          shielded: {shield: [cover], efficacy: "0.5 + half / 10"}
        tempo: {series: pace, rho: 0.6, sd: 0.3}
  clash:
    excites: [{type: raid, ratio: 0.1, decay_days: 10}]
    groups:
      all:
        target: police
        level: {North: 6, South: 3, West: 1}
        gates:
          - {variable: rebels, above: "half + 4"}
          - {variable: talks.posture, states: [apart, talking]}
        marks:
          success: {probability: 0.5, factors: {c: {value: weather}}}
          detained: {law: {one_plus_geometric: {mean: 4}}, when: success}
          killed: {law: {geometric: {mean: 6}}}
        effects:
          - {change: prisoners, by: 1, marks: [detained], when: success}
          - {change: rebels, by: -1, marks: [detained], when: success}
          - {change: rebels, by: -5, marks: [killed]}
  crossing:
    notable: {crossed: 2}
    groups:
      all:
        target: border
        level: {Gap: 9}
        factors:
          there: {power: rebels, elasticity: 0.8, at: from}
          here: {power: police, elasticity: -0.3, at: to}
        marks:
          crossed: {law: {fixed: {value: 3}}}
          partnered: {share: [0.2, 0.7]}
        effects: [{move: rebels, by: 1, marks: [crossed, partnered], at: from, to: to}]
  theft:
    groups:
      all:
        target: stores
        level: {Fort: 5}
        factors: {left: {falling: stores}, cover: {power: cover, elasticity: 0.5, at: within}}
        gates: [{variable: stores}]
        effects: [{change: stores, by: -1.5}, {change: rebels, by: 2, at: within}]
  meeting:
    groups:
      all: {target: cells, per: day, level: {West: 0.03},
        factors: {pairs: {falling: cells, order: 2}},
        effects: [{change: cells, by: -1}]}
decisions:
  reinforce: {intercept: "-1 + half", weights: {rebels: 0.004, losses: 0.1}}
postures:
  talks.posture:
    owner: council
    start: apart
    age_months: 2
    states:
      apart: {shape: 1.4, median_months: 2, next: {talking: 1}}
      talking: {shape: 1, median_months: 1, next: {agreed: 0.4, apart: 0.6}}
      agreed: {median_months: 3, next: {apart: 1}}
agents: {council: {active: false}, guard: {active: false}, patron: {active: false}}
timeline:
  leave: {date: 2000-05-31}
  handover: {date: 2000-06-30, conditional_on: leave}
options:
  agreed: {}
  later: {timeline.leave: {shift: 2 months, forced: true, announced: 2000-04-01}}
"""


class Council(Agent):
    """Talks; thinks monthly about the leave, and leaves."""

    name = "council"

    def live(self) -> Life:
        """Live: wait, see, decide, change."""
        self.start(self.live_posture("talks.posture", self._tilt))
        while True:
            yield self.wait(months=1, milestone="leave", posture="talks.posture")
            if self.woken == "milestone":
                self.settle("leave", self.chooses("ends", {"met": 0.7, "slipped": 0.3}))
                self.complete("leave")
                self.change("police", "North", by=-400)
            elif self.woken == "posture":
                self.records("mood", taken=self.posture("talks.posture"))
                self.change("mood", by=-0.5 if self.posture("talks.posture") == "apart" else 1)
            elif not self.is_forced("leave") and self.agrees("wait", 0.2, value=30):
                self.move_milestone("leave", max(self.now, self.date_of("leave")) + 30.0)

    def _tilt(self, state: str) -> dict[str, float]:
        return {"agreed": self.see("mood")} if state == "talking" else {}


class Guard(Agent):
    """Answers raids of note and many rebels."""

    name = "guard"

    def live(self) -> Life:
        """Live: wait, see, decide, change."""
        while True:
            yield self.wait(days=11, notice=("raid", "crossing"), above=("rebels", "North", 305.0))
            if self.woken == "notice":
                place = str(self.incident["place"])
                self.change("police", "North", by=20.0)
                self.records("sees", place=place, value=float(self.incident["displaced"]))
            elif self.woken == "threshold":
                self.change(
                    "rebels", "North", by=-10 * self.draws("size", "uniform", low=0, high=2)
                )
            else:
                losses = float(self.recent("raid", "Iraq", days=20.0, having={"lethal": 1}))
                rebels = self.total("rebels", "Iraq")
                if self.decides("reinforce", rebels=rebels, losses=losses):
                    self.change_all("police", self.see_all("police") + 15.0)
                    self.change("stores", "Fort", to=30)


class Patron(Agent):
    """Waits for the handover or a date, then opens and closes what it may."""

    name = "patron"

    def live(self) -> Life:
        """Live: wait, see, decide, change."""
        while True:
            yield self.wait(milestone="handover", until=self.now + 17.3)
            self.change("rebels", "West", by=-9 if self.woken == "date" else 50)
            yield self.wait(until=self.now + 3.1)
            if self.agrees("opens", 0.5, place="West"):
                self.change("rebels", "West", by=12)
            self.change("cells", by=1)


AGENTS = (Council, Guard, Patron)


def rich() -> Scenario:
    """Return the scenario; give `AGENTS` with it."""
    return load_text(TEXT)
