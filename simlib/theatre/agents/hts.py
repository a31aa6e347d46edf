"""The government in Damascus, led by HTS: consolidation, an army, ISIS, the SDF."""

from __future__ import annotations

import math

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER, QUARTER_DAYS


class HTS(Agent):
    """Closes the gap in control that nobody else holds, raises forces, and turns to ISIS or SDF."""

    name = "hts"

    def live(self) -> Life:
        """Review each quarter."""
        while True:
            yield self.wait(months=QUARTER)
            fighting = float(self.posture("sdf_damascus.posture") == "fighting")
            self._consolidate(fighting)
            if self.decides("raises_forces", fighting=fighting):
                growth = 1.0 + QUARTER * self.parameter("hts.recruits")
                self.change_all("hts.strength", self.see_all("hts.strength") * growth)
            self._turn_to_isis(fighting)
            self._bargain()

    def _consolidate(self, fighting: float) -> None:
        control = self.see_all("hts.control")
        taken = self.see_all("sdf.control") + self.see_all("israel.positions")
        gap = np.maximum(0.0, 1.0 - taken - control)
        # Control is only where it has begun; elsewhere nothing reads it.
        gap = np.where(control > 0.0, gap, 0.0)
        # The gap closes exponentially; what is given is when a third of it has closed.
        mean = self.parameter("hts.closing_time") * self.parameter("hts.consolidation")
        closed = -math.expm1(-QUARTER * (1.0 - self.parameter("hts.tied") * fighting) / mean)
        self.change_all("hts.control", control + closed * gap)

    def _turn_to_isis(self, fighting: float) -> None:
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        usual = self.parameter("committee.environment_reference")
        fights = self.decides(
            "fights_isis", attacks=math.log((attacks + 1.0) / (usual + 1.0)), fighting=fighting
        )
        self.change("hts.effort", to=self.parameter("hts.effort_size") if fights else 1.0)

    def _bargain(self) -> None:
        bargains = self.decides(
            "bargains_with_sdf",
            exit=1.0 - self.see("coalition.mission_syria"),
            offensive=float(self.posture("turkiye_sdf.posture") in {"offensive", "incursion"}),
            israel=math.log(max(self.parameter("israel.tempo_least"), self.see("israel.tempo"))),
        )
        self.change("hts.bargains", to=float(bargains))
