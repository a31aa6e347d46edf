"""Iraqi forces: readiness, aircraft, the border, what is bought, and families taken back."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.scenario.schema import LEAST_RATIO
from simlib.theatre.agents.cover import SEAM
from simlib.theatre.agents.units import QUARTER, QUARTER_DAYS, YEAR, months

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.world.world import World

FEDERAL_BASES = ("Ain al-Asad", "Victoria")
IRAQ = "iraq_mission_end"
FRONTIER = ("Anbar", "Nineveh")
PLANNED = (
    *("border.wall", "border.sensors", "isf.isr"),
    *("isf.radar_cover", "isf.drone_radar", "isf.air_defense"),
)
"""What is built and bought as planned, on top of what others may change."""


class ISF(Agent):
    """Follows those who train with a lag, loses and regains its aircraft, guards the border."""

    name = "isf"
    values: ClassVar = {"deploys": "persons sent"}

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._home = self._at_home()
        self._guards = self.see_all("border.guards")
        self._at_start = {variable: self.see_all(variable) for variable in PLANNED}
        self._planned = dict(self._at_start)
        self._done: dict[str, float] = {}
        self._trained = self.see_all("coalition.training")
        self._technicians = self._technicians_now()
        self._in_camps = self.parameter("isf.camp_share") * self.total("isis.camp_population")
        self._may_protest_at = self.now
        self._months = 0.0
        self._left_at: float | None = None

    def live(self) -> Life:
        """Review each month; answer overflights, breaks and deadly attacks."""
        self._judge_border()
        while True:
            yield self.wait(
                months=1, notice=("detention_break", "israeli_overflight", "isis_attack")
            )
            if self.woken == "notice":
                self._answer(self.incident)
            else:
                self._review()

    def _answer(self, incident: dict[str, float | str]) -> None:
        if incident["type"] == "israeli_overflight":
            if not incident["success"]:
                self._protest()
        elif incident["type"] == "detention_break":
            self._reinforce_border(breaks=1.0)
        elif incident["country"] == "Iraq":
            self._deploy(str(incident["place"]))

    def _review(self) -> None:
        self._months = (self.now - self._start) / months(1)
        self._follow_training()
        self._keep_aircraft()
        self._build()
        self._receive()
        self._return_forces()
        self._take_stock_of_exit()
        if round(self._months) % QUARTER == 0:
            self._take_families_back()
            self._reinforce_border(breaks=0.0)
            self._judge_border()

    # readiness and what rests on foreigners

    def _technicians_now(self) -> float:
        return sum(self.see("coalition.technicians", base) for base in FEDERAL_BASES)

    def _follow_training(self) -> None:
        now = self.see_all("coalition.training")
        # Over the month that has passed, the mean of its two ends.
        trained, self._trained = (now + self._trained) / len((now, self._trained)), now
        target = 1.0 - self.parameter("readiness.loss") * (1.0 - trained)
        pace = -math.expm1(-1.0 / self.parameter("readiness.lag"))
        readiness = self.see_all("isf.readiness")
        moved = readiness + pace * (target - readiness)
        self.change_all("isf.readiness", np.where(readiness > 0.0, moved, 0.0))

    def _keep_aircraft(self) -> None:
        """Contractors maintain the F-16, technicians operate it and what watches from the air."""
        capable, now = self.parameter("isf.f16_capable"), self.see("isf.f16_available")
        supported = self.see("coalition.contractors", "Balad")
        goal = capable * self._kept("f16") if supported else 0.0
        up = capable / self.parameter("isf.f16_recovery")
        down = capable / self.parameter("isf.f16_decay")
        self.change("isf.f16_available", to=max(0.0, now + max(-down, min(up, goal - now))))
        start = self._at_start["isf.isr"]
        own = start + self.parameter("isf.isr_growth") * self._months
        self._follow_plan("isf.isr", np.where(start > 0.0, own, 0.0) * self._kept("isr"))

    def _kept(self, what: str) -> float:
        """The share that is kept of what rests on foreign technicians."""
        lost = max(0.0, 1.0 - self._technicians_now() / max(1.0, self._technicians))
        spares = self.parameter("isf.partnership_spares") * self.see("coalition.partnership")
        return 1.0 - self.parameter(f"isf.{what}_technicians") * (1.0 - spares) * lost

    def _take_stock_of_exit(self) -> None:
        if self._left_at is None and self.is_complete(IRAQ):
            self._left_at = self.now
        if self._left_at is None or self.now < self._left_at + months(YEAR):
            return
        left = 1.0 - self.see("coalition.presence")
        effect = math.exp(self.parameter("withdrawal.year_two") * left)
        self.change("isf.second_year", to=effect)

    # the border and what is delivered

    def _follow_plan(self, variable: str, planned: NDArray[np.float64], most: float = 1.0) -> None:
        """Set what is planned by now; what others have changed meanwhile stays changed."""
        planned = np.minimum(most, planned)
        before = self._planned[variable]
        if planned.tolist() == before.tolist():
            return
        self._planned[variable], now = planned, self.see_all(variable)
        moved = np.where(now == before, planned, now + planned - before)
        self.change_all(variable, np.minimum(most, moved))

    def _build_up(self, variable: str, done: float) -> None:
        """Follow a plan by which a share of what is missing at the start is there by now."""
        if done != self._done.get(variable):
            self._done[variable], start = done, self._at_start[variable]
            self._follow_plan(variable, start + (1.0 - start) * done)

    def _build(self) -> None:
        done = min(1.0, self._months / self.parameter("border.completion"))
        for variable in ("border.wall", "border.sensors"):
            self._build_up(variable, done)

    def _receive(self) -> None:
        radars = float(self._months >= self.parameter("isf.radar_months"))
        start = self._at_start["isf.radar_cover"]
        self._follow_plan("isf.radar_cover", start + radars, math.inf)
        for bought in ("drone_radar", "air_defense"):
            since_first = self._months - self.parameter(f"isf.{bought}_months")
            share = since_first / self.parameter(f"isf.{bought}_delivery")
            self._build_up(f"isf.{bought}", max(0.0, min(1.0, share)))

    def _reinforce_border(self, *, breaks: float) -> None:
        crossings = self.recent("isis_infiltration", days=QUARTER_DAYS, having={"success": 1.0})
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        if not self.decides(
            "reinforces_border",
            breaks=breaks,
            crossings=math.log1p(crossings) - math.log1p(self.parameter("isf.usual_crossings")),
            attacks=math.log(
                (attacks + 1.0) / (self.parameter("committee.environment_reference") + 1.0)
            ),
            fighting=self._fighting_in_syria(),
        ):
            return
        guards = self.see_all("border.guards")
        sent = self._guards * (1.0 + self.parameter("isf.reinforcement")) - guards
        self.change_all("border.guards", guards + np.maximum(0.0, sent))
        for place in FRONTIER:
            self.change(
                "isf.strength", place, by=-float(np.maximum(0.0, sent).sum()) / len(FRONTIER)
            )

    def _fighting_in_syria(self) -> float:
        """How many of the two tracks of the SDF are at war: what Iraq monitors there."""
        turkish = self.posture("turkiye_sdf.posture") in {"offensive", "incursion"}
        return float(turkish) + (self.posture("sdf_damascus.posture") in {"fighting", "collapse"})

    def _at_home(self) -> NDArray[np.float64]:
        return self.see_all("isf.army") + self.see_all("isf.pmf")

    def _return_forces(self) -> None:
        """Forces that were moved go back; who is gone at home is gone where he was sent."""
        home, before = self._at_home(), self._home
        self._home = home
        share = np.where(before > 0.0, home / np.maximum(1.0, before), 1.0)
        there = self.see_all("isf.strength") * share
        guards = self.see_all("border.guards")
        back = self.parameter("isf.forces_return")
        self.change_all("border.guards", guards + back * (self._guards - guards))
        self.change_all("isf.strength", there + back * (home - there))

    def _judge_border(self) -> None:
        """The share of those who come that the layers of the border stop."""
        passing = self.parameter("infiltration.success")
        for layer in ("wall", "sensors"):
            built = float(self.see_all(f"border.{layer}").mean())
            passing *= 1.0 - self.parameter(f"infiltration.{layer}") * built
        guards = self.parameter("border.syrian_share") * self.parameter("border.guards_2024")
        manned = self.total("border.guards") / guards
        passing *= max(LEAST_RATIO, manned) ** -self.parameter("infiltration.guards")
        forces = self.parameter("isf.army_2024") + self.parameter("isf.pmf_2024")
        behind = self.total("isf.strength") / forces
        passing *= max(LEAST_RATIO, behind) ** -self.parameter("infiltration.forces")
        seen = self.parameter("infiltration.air_picture")
        for picture in ("coalition.isr", "isf.isr"):
            passing *= 1.0 - seen * fmean(self.see(picture, place) for place in FRONTIER)
        passing *= 1.0 - self.parameter("infiltration.drone_radar") * self.see("isf.drone_radar")
        self.change("isf.border_hold", to=max(0.0, 1.0 - passing))

    def _take_families_back(self) -> None:
        """Iraqis leave al-Hol for Iraq in convoys, while any are there."""
        camps = self.see_all("isis.camp_population")
        inside = max(1.0, float(camps.sum()))
        wanted = QUARTER * self.parameter("isf.camp_returns")
        back = min(wanted, self._in_camps, float(camps.sum()))
        self._in_camps -= back
        self.change_all("isis.camp_population", camps * (1.0 - back / inside))

    # answers

    def _deploy(self, place: str) -> None:
        """Send a part of the army to where a deadly attack was."""
        strength = self.see_all("isf.strength")
        sent = self.parameter("isf.deployment") * self._reach(place) * strength
        at = self.places("isf.strength").index(place)
        sent[at] = 0.0
        strength -= sent
        strength[at] += float(sent.sum())
        self.records("deploys", place=place, value=float(sent.sum()))
        self.change_all("isf.strength", strength)

    def _reach(self, place: str) -> float:
        """How far forces move up: without a common line with the Peshmerga, not to that line."""
        if place not in SEAM:
            return 1.0
        closed = 1.0 - self.see("krg.seam")
        return min(1.0, closed / (1.0 - self.parameter("krg.seam_2024")))

    def _protest(self) -> None:
        if self.now < self._may_protest_at:
            return
        self._may_protest_at = self.now + months(self.parameter("isf.protest_pause"))
        if self.decides("protests_overflight", radars=self.see("isf.radar_cover")):
            self.change("iraq.sovereignty_pressure", by=self.parameter("isf.protest"))
