"""Scenarios in which it is known why two options differ, and the agents that live in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlib.agents.base import Agent
from worlds import PLACES, recurring, world

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
