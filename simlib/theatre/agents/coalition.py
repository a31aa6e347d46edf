"""The Coalition: executes the timeline and answers shocks at its bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.cover import KURDISTAN, covers
from simlib.theatre.agents.units import QUARTER_DAYS, YEAR_DAYS, left_after_a_month, months

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.world.world import World

FEDERAL = ("Ain al-Asad", "Victoria")
HARIR = "Harir"
SITES = ("Hasakah sites", "Tanf")
GROUPS: tuple[tuple[str, ...], ...] = (FEDERAL, (HARIR,), SITES)
IRAQ, SYRIA = "iraq_mission_end", "syria_mission_end"
ROLES = ("combat", "technicians", "trainers")
CONTINGENTS = ("australia", "france", "nato", "other", "uk")
PHASES = {
    "combat": "coalition.combat_phase",
    "technicians": "coalition.technician_phase",
    "trainers": "coalition.trainer_phase",
}


class Coalition(Agent):
    """Draws down by role and base as the milestones say, and cover follows troops.

    Federal bases follow the end of the mission in Iraq, Harir and the Syrian sites that of
    the mission in Syria. The last echelon stays until the day itself.
    """

    name = "coalition"

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._bases = self.places("coalition.troops")
        self._at_start = {role: self.see_all(f"coalition.{role}") for role in ROLES}
        self._is_federal = np.array([base in FEDERAL for base in self._bases])
        self._surge = np.zeros(len(self._bases))
        self._planned = dict.fromkeys(ROLES, (1.0, 1.0))
        self._hasten = 0.0
        self._paused_until = self.now
        self._has_nato = True
        self._still_here = list(CONTINGENTS)
        self._are_contractors_ended = False
        self._at = {bases: [self._bases.index(b) for b in bases] for bases in GROUPS}
        us = self._sum_of(ROLES)
        self._us_at_start = {bases: float(us[at].sum()) for bases, at in self._at.items()}
        self._cover_start = self.see_all("coalition.isr"), self.see_all("coalition.air_support")

    def live(self) -> Life:
        """Review each month; answer attacks, breaks, the war and the end of the mission."""
        self._leave_after = self._draw_contingents()
        self.start(self._live_syria())
        while True:
            yield self.wait(
                months=1,
                notice=("detention_break", "militia_attack"),
                milestone=IRAQ,
                posture="israel_iran.posture",
            )
            if self.woken == "notice":
                self._answer_shock()
            elif self.woken == "posture":
                self._mind_contractors()
            elif self.woken == "milestone":
                self._end_iraq()
            else:
                self._review()
            self._count_and_cover()

    def _live_syria(self) -> Life:
        ahead = months(self.parameter("coalition.syria_review"))
        yield self.wait(until=self.date_of(SYRIA) - ahead, milestone=SYRIA)
        if not self.is_forced(SYRIA) and self.woken == "date":
            self._consider_syria()
        while self.date_of(SYRIA) > self.now:
            yield self.wait(milestone=SYRIA)
        self._end_syria()
        self._count_and_cover()

    # drawing down

    def _draw_contingents(self) -> dict[str, float]:
        spread = self.parameter("coalition.contingent_spread")
        ends = {"low": -spread, "mode": 0.0, "high": spread}
        return {c: months(self.draws(f"{c}_leaves", "triangular", **ends)) for c in CONTINGENTS}

    def _review(self) -> None:
        fade = left_after_a_month(self.parameter("coalition.pressure_halving"))
        pressure = self.see("coalition.force_pressure")
        self.change("coalition.force_pressure", to=pressure * fade)
        self._surge *= self.parameter("coalition.surge_kept")
        if self.now >= self._paused_until:
            for role in ROLES:
                self._draw_down(role)
        for contingent in tuple(self._still_here):
            self._withdraw(contingent)

    def _planned_share(self, role: str, milestone: str) -> float:
        last = self.parameter("coalition.last_echelon")
        phase = months(self.parameter(PHASES[role]))
        ahead = (self.date_of(milestone) - self._hasten - self.now) / phase
        return last + (1.0 - last) * min(1.0, max(0.0, ahead))

    def _draw_down(self, role: str) -> None:
        shares = self._planned_share(role, IRAQ), self._planned_share(role, SYRIA)
        if shares == self._planned[role] and not self._surge.any():
            return
        self._planned[role] = shares
        present = self.see_all(f"coalition.{role}")
        planned = np.where(self._is_federal, *shares)
        surge = self._surge if role == "combat" else 0.0
        wanted = self._at_start[role] * planned + surge
        self.change_all(f"coalition.{role}", np.minimum(wanted, present))

    def _withdraw(self, contingent: str) -> None:
        due = self.date_of(IRAQ) + self._leave_after[contingent]
        stays = contingent == "nato" and self._has_nato
        if self.now < due or stays or self.class_of(IRAQ) == "relabelled":
            return
        self._still_here.remove(contingent)
        self.records(f"{contingent}_left")
        self.change_all(f"coalition.{contingent}", np.zeros(len(self._bases)))

    def _keep(self, bases: tuple[str, ...], number: float) -> None:
        """Keep at most so many US troops at some bases, in proportion."""
        chosen = np.array([base in bases for base in self._bases])
        present = sum(float(self.see_all(f"coalition.{r}")[chosen].sum()) for r in ROLES)
        share = min(1.0, number / present) if present > 0.0 else 0.0
        for role in ROLES:
            troops = self.see_all(f"coalition.{role}")
            self.change_all(f"coalition.{role}", np.where(chosen, troops * share, troops))

    def _end_iraq(self) -> None:
        if self.class_of(IRAQ) == "relabelled":
            self._keep(FEDERAL, self.see("committee.residual"))
            left = self.see_all("coalition.combat")[self._is_federal].sum()
            before = self._at_start["combat"][self._is_federal].sum()
            self.change("coalition.mission_iraq", to=float(left / before))
            return
        self._keep(FEDERAL, 0.0)
        self.change("coalition.mission_iraq", to=0.0)
        self._has_nato = self.agrees("nato_stays", self.parameter("coalition.nato_stays"))
        if not self.agrees("contractors_stay", self.parameter("coalition.contractors_stay")):
            self._are_contractors_ended = True
            self.change("coalition.contractors", "Balad", to=0.0)
        self.complete(IRAQ)

    # Syria

    def _consider_syria(self) -> None:
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        breaks = self.recent("detention_break", days=YEAR_DAYS)
        usual = self.parameter("committee.environment_reference")
        if self.decides(
            "keeps_syria",
            attacks=float(np.log((attacks + 1.0) / (usual + 1.0))),
            breaks=float(breaks > 0),
            wish_to_leave=self.see("committee.us_wish_to_leave"),
        ):
            delay = months(self.parameter("coalition.syria_delay"))
            self.move_milestone(SYRIA, self.date_of(SYRIA) + delay)
            self.settle(SYRIA, "slipped")

    def _end_syria(self) -> None:
        self._keep(SITES, 0.0)
        self._keep((HARIR,), self.see("committee.residual"))
        self.change("coalition.mission_syria", to=0.0)
        if self.class_of(SYRIA) is None:
            is_later = self.date_of(SYRIA) > self.agreed_date_of(SYRIA)
            self.settle(SYRIA, "formally_extended" if is_later else "met")
        self.complete(SYRIA)

    # shocks

    def _answer_shock(self) -> None:
        is_break = self.incident["type"] == "detention_break"
        reinforces = self.decides(
            "reinforces_bases",
            breaks=float(is_break),
            deadly=float(not is_break),
            war=float(self.posture("israel_iran.posture") == "war"),
        )
        base = "Hasakah sites" if is_break else str(self.incident["place"])
        if reinforces and self.see("coalition.troops", base) > 0.0:
            at = self._bases.index(base)
            size = self.parameter("coalition.surge_size") * float(self._at_start["combat"].sum())
            self._surge[at] += size
            self._paused_until = self.now + months(1)
            self.change("coalition.combat", base, by=size)
        elif not is_break:
            self._hasten += months(1)

    def _mind_contractors(self) -> None:
        if self.posture("israel_iran.posture") == "war":
            if self.agrees("contractors_flee", self.parameter("coalition.contractors_flee")):
                self.change("coalition.contractors", "Balad", to=0.0)
        elif not self._are_contractors_ended:
            self.change("coalition.contractors", "Balad", to=1.0)

    # what follows from troops

    def _count_and_cover(self) -> None:
        us = self._sum_of(ROLES)
        troops = us + self._sum_of(CONTINGENTS)
        if (troops == self.see_all("coalition.troops")).all():
            return
        self.change_all("coalition.troops", troops)
        federal, harir, sites = (self._share(us, bases) for bases in GROUPS)
        supplied = sites * (1.0 - self.parameter("coalition.harir_supply") * (1.0 - harir))
        north = self.parameter("coalition.harir_share")
        shares = federal, (1.0 - north) * federal + north * harir, supplied
        self.change("coalition.presence", to=federal)
        trainers = self.see_all("coalition.trainers")
        trained = [self._trained(trainers, bases) for bases in GROUPS[:-1]]
        in_region = np.array([p in KURDISTAN for p in self.places("coalition.training")])
        at_start = self.see_all("coalition.training") > 0.0
        self.change_all("coalition.training", np.where(in_region, *trained[::-1]) * at_start)
        isr, air = self._cover_start
        self.change_all("coalition.isr", isr * self._covers(shares, "isr"))
        self.change_all("coalition.air_support", air * self._covers(shares, "air"))

    def _sum_of(self, kinds: tuple[str, ...]) -> NDArray[np.float64]:
        """The people of some kinds, by base."""
        people = self.see_all(f"coalition.{kinds[0]}")
        for kind in kinds[1:]:
            people += self.see_all(f"coalition.{kind}")
        return people

    def _share(self, us: NDArray[np.float64], bases: tuple[str, ...]) -> float:
        before = self._us_at_start[bases]
        return min(1.0, float(us[self._at[bases]].sum()) / before) if before > 0.0 else 0.0

    def _trained(self, trainers: NDArray[np.float64], bases: tuple[str, ...]) -> float:
        at = self._at[bases]
        return float(trainers[at].sum() / max(1.0, self._at_start["trainers"][at].sum()))

    def _covers(self, shares: tuple[float, float, float], kind: str) -> NDArray[np.float64]:
        places = self.places("coalition.isr")
        return covers(places, shares, self.parameter(f"coalition.remainder_{kind}"))
