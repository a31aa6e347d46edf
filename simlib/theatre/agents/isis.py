"""ISIS: recruits, moves, waits or tests, and turns to prisons and the border."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.cover import SYRIAN
from simlib.theatre.agents.units import CAMP_UNIT, QUARTER, TENTHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.world.world import World

IRAQ = "iraq_mission_end"
SYRIA = "Syria"
SITES = ("Deir ez-Zor", "Hasakah", "Raqqa")


class ISIS(Agent):
    """Decides monthly on people and pace, quarterly on where it turns."""

    name = "isis"
    values: ClassVar = {"sets_pace": "times its usual activity"}

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        places = self.places("isis.fighters")
        self._in_syria = np.array([place in SYRIAN for place in places])
        self._shares = self._shares_of(self.see_all("isis.fighters"))
        self._cover = self.see_all("coalition.isr")
        self._guards_before = self._guards()
        bases = self.places("coalition.troops")
        self._sites = np.array([self.country_of(base) == SYRIA for base in bases])
        self._in_sites = self._troops_in_syria()
        self._gone = 0.0, 0.0
        self._control = float(self.see_all("hts.control").mean())
        self._reviews = 0

    def live(self) -> Life:
        """Review each month."""
        while True:
            yield self.wait(months=1)
            self._recruit_and_move()
            self._mind_presence()
            self._pace()
            self._reviews += 1
            if self._reviews % QUARTER == 0:
                self._turn()

    def _shares_of(self, fighters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares of the fighters of the own country, by governorate."""
        syria = np.where(self._in_syria, fighters, 0.0).sum()
        iraq = fighters.sum() - syria
        return np.asarray(fighters / np.maximum(1.0, np.where(self._in_syria, syria, iraq)))

    def _recruit_and_move(self) -> None:
        fighters = self.see_all("isis.fighters")
        camps = self.total("isis.camp_population") / CAMP_UNIT
        recruits = self.parameter("isis.recruits") + self.parameter("isis.camp_recruits") * camps
        fighters += recruits * fighters / max(1.0, float(fighters.sum()))
        # Less cover than at the start draws people there, and a seam that opens, in each country.
        cover = np.maximum(self.parameter("isis.least_cover"), self.see_all("coalition.isr"))
        wanted = self._shares * self.see_all("krg.exposure") * self._cover / cover
        syria = float(fighters[self._in_syria].sum())
        country = np.where(self._in_syria, syria, float(fighters.sum()) - syria)
        goal = self._shares_of(wanted * country) * country
        mobility = self.parameter("isis.mobility")
        self.change_all("isis.fighters", fighters + mobility * (goal - fighters))

    def _troops_in_syria(self) -> float:
        return float(self.see_all("coalition.troops")[self._sites].sum())

    def _mind_presence(self) -> None:
        """Troops deter or provoke, whatever they see and hit: one free sign for each country."""
        gone = 1.0 - self.see("coalition.presence")
        gone_in_syria = max(0.0, 1.0 - self._troops_in_syria() / max(1.0, self._in_sites))
        if (gone, gone_in_syria) == self._gone:
            return
        self._gone = gone, gone_in_syria
        iraq = math.exp(self.parameter("withdrawal.presence") * gone)
        syria = math.exp(self.parameter("attack.presence_syria") * gone_in_syria)
        self.change_all("isis.presence_effect", np.where(self._in_syria, syria, iraq))

    def _is_near(self) -> bool:
        """Whether the end is announced for soon, or has come."""
        ahead = self.date_of(IRAQ) - self.now
        return self.is_complete(IRAQ) or ahead <= self.parameter("isis.days_before")

    def _pace(self) -> None:
        """Lie low before an announced end, or test around it."""
        ahead = self.date_of(IRAQ) - self.now
        tests = self.parameter("structure.test") > 0.0
        size = self.parameter("isis.anticipation")
        is_soon = 0.0 <= ahead <= self.parameter("isis.days_before")
        near = is_soon or (tests and -self.parameter("isis.days_after") <= ahead < 0.0)
        wanted = 1.0 if not near else 1.0 + size if tests else 1.0 - size
        if wanted != self.see("isis.activity"):
            self.records("sets_pace", value=wanted)
            self.change("isis.activity", to=wanted)

    def _guards(self) -> float:
        return sum(self.see("sdf.guard_share", place) for place in SITES)

    def _turn(self) -> None:
        offensive = self.posture("turkiye_sdf.posture") in {"offensive", "incursion"}
        unguarded = max(0.0, 1.0 - self._guards() / self._guards_before)
        seeks = self.decides("seeks_prisoners", unguarded=unguarded, offensive=float(offensive))
        self.change("isis.prison_focus", to=self.parameter("isis.focus") if seeks else 1.0)
        gained = float(self.see_all("hts.control").mean()) - self._control
        turns = self.decides("turns_to_iraq", pressure=TENTHS * gained, exit=float(self._is_near()))
        self.change("isis.border_focus", to=self.parameter("isis.border_shift") if turns else 1.0)
