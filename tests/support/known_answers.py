"""Scenarios of which the answer is known: why options differ, what drives, what warns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlib.agents.base import Agent
from simlib.scenario import load_text
from support.worlds import PLACES, recurring, world

if TYPE_CHECKING:
    from simlib.agents.base import Life
    from simlib.scenario.schema import Scenario

LEVEL = 2.0
"""Attacks a day in each place, before anybody does anything."""
DAYS = 8.0
"""From the milestone to the end."""
FACTORS = {"planter": 2.0, "second": 3.0}


class Planter(Agent):
    """Raises the pressure in North when the milestone comes, if it comes."""

    name = "planter"

    def live(self) -> Life:
        """Live: wait, decide, change."""
        yield self.wait(milestone="exit")
        if self.agrees("presses", 1.0, place="North"):
            self.change("pressure", "North", to=FACTORS["planter"])


class Second(Agent):
    """Does the same with another variable, everywhere."""

    name = "second"

    def live(self) -> Life:
        """Live: wait, change."""
        yield self.wait(milestone="exit")
        self.change("support", to=FACTORS["second"])


class Bystander(Agent):
    """Changes what no attack reads, everywhere, when the milestone comes."""

    name = "bystander"

    def live(self) -> Life:
        """Live: wait, change."""
        yield self.wait(milestone="exit")
        self.records("talks")
        self.change_all("weather", self.see_all("weather") + 1.0)


class Waverer(Agent):
    """Moves the pressure in East up or down when the milestone comes, as luck has it."""

    name = "waverer"

    def live(self) -> Life:
        """Live: wait, decide, change."""
        yield self.wait(milestone="exit")
        self.change("pressure", "East", by=0.3 if self.agrees("ups", 0.5) else -0.3)


class Routine(Agent):
    """Does each day the same, whatever the option."""

    name = "routine"

    def live(self) -> Life:
        """Live: wait, change."""
        while True:
            yield self.wait(days=1)
            self.change("pressure", "South", by=0.01)


class Echo(Agent):
    """Answers attacks in North with support, at the instant they happen."""

    name = "echo"

    def live(self) -> Life:
        """Live: wait, answer."""
        while True:
            yield self.wait(notice="attack")
            if self.incident["place"] == "North":
                self.records("echoes", value=float(self.see("support")))
                self.change("support", by=0.02)


PLANTED = (Planter, Bystander, Routine)


def planted(**more: Any) -> Scenario:
    """Return ten days of attacks and drills; under `early` the milestone comes on day 2."""
    over = {"over": "governorate", "start": 1, "unit": "1"}
    level: dict[str, Any] = dict.fromkeys(PLACES, "rate")
    attack = recurring(
        level,
        factors={"pressure": {"value": "pressure"}, "support": {"value": "support"}},
        marks={"lethal": {"probability": 0.4}, "fatalities": {"law": {"geometric": {"mean": 2}}}},
        excites=more.pop("excites", []),
    )
    drill = recurring({"North": 3.0, "South": 3.0}, factors={"weather": {"value": "weather"}})
    rate = {"value": LEVEL, "unit": "attacks per day", "judgement": "test"}
    return world(
        **{
            "state": {
                "pressure": over,
                "weather": over,
                "support": {"start": 1, "unit": "1"},
            },
            "parameters": {"rate": rate},
            "incidents": {"attack": attack, "drill": drill},
            "decisions": {"presses": {"intercept": 9, "judgement": "test"}},
            "timeline": {"exit": {"date": "2000-01-03"}},
            "options": {
                "never": {"timeline": {"exit": {"cancel": True, "forced": True}}},
                "early": {},
                "same": {"timeline": {"exit": {"cancel": True, "forced": True}}},
                "busier": {
                    "timeline": {"exit": {"cancel": True, "forced": True}},
                    "parameters": {"rate": {**rate, "value": 2 * LEVEL}},
                },
            },
            "outcomes": {
                "attacks": {"count": "attack", "unit": "attacks"},
                "attacks_syria": {"count": "attack", "in": "Syria", "unit": "attacks"},
                "deaths": {"total": "fatalities", "of": "attack", "having": {"lethal": 1}},
                "pressure_end": {"state": "pressure", "reduce": "sum"},
                "presses": {"decision": "presses"},
                "exit_class": {"milestone": "exit", "classes": ["met", "slipped"]},
                "exit_months": {"milestone": "exit", "measure": "months_from_start"},
            },
            "root_seed": 5,
            **more,
        }
    )


NOISE = tuple(f"noise_{i}" for i in range(5))
_NOISE = "".join(
    f"  {name}: {{distribution: {{uniform: {{low: 0, high: 1}}}}, unit: '1', judgement: test}}\n"
    for name in NOISE
)
DRAWN = f"""\
simlib: 1
name: drawn
context_of_use: Tests of the library.
start: 2000-01-01
end: 2000-06-30
root_seed: 5
places:
  North: {{kind: governorate, country: Iraq}}
parameters:
  raids:
    distribution: {{uniform: {{low: 5, high: 15}}}}
    unit: incidents per month
    judgement: test
  parts: {{distribution: {{dirichlet: {{one: 2, two: 3}}}}, unit: share, judgement: test}}
  scale: {{value: 1, unit: '1', judgement: test}}
  idle: {{expression: "2 * noise_0", unit: '1', judgement: test}}
{_NOISE}incidents:
  raid:
    groups:
      main: {{target: posts, level: {{North: raids * scale}}}}
  patrol:
    groups:
      main: {{target: roads, level: {{North: 10}}}}
timeline:
  exit: {{date: 2000-04-30}}
options:
  as_planned: {{}}
  more: {{parameters: {{scale: {{value: 2, unit: '1', judgement: test}}}}}}
outcomes:
  raids: {{count: raid, unit: incidents}}
  patrols: {{count: patrol, unit: incidents}}
  exit_class: {{milestone: exit, classes: [met, slipped]}}
  exit_months: {{milestone: exit, measure: months_late}}
"""
OMENS = """\
simlib: 1
name: omens
context_of_use: Tests of the library.
start: 2000-01-01
end: 2001-12-31
root_seed: 11
places:
  North: {kind: governorate, country: Iraq}
incidents:
  omen:
    excites: [{type: blow, ratio: 0.95, decay_days: 40, own_place: 1}]
    groups:
      main: {target: posts, level: {North: 0.05}}
  blow:
    groups:
      main: {target: posts, level: {North: 0.0475}}
  patrol:
    groups:
      main: {target: roads, level: {North: 5}}
series:
  omens: {lag_days: 10, rows: [{incident: omen}]}
  patrols: {lag_days: 10, rows: [{incident: patrol}]}
outcomes:
  blows: {count: blow}
"""


def drawn() -> Scenario:
    """Return a scenario in which `raids` alone drives an outcome, among noise."""
    return load_text(DRAWN)


def omens(lag_days: int = 10) -> Scenario:
    """Return a scenario in which blows come of omens, 40 days later on average.

    The level of blows is all due to omens: none comes by itself.
    """
    return load_text(OMENS.replace("lag_days: 10", f"lag_days: {lag_days}"))
