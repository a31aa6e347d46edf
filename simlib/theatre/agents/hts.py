"""The government in Damascus, led by HTS: consolidation and a new army."""

from __future__ import annotations

import math

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER


class HTS(Agent):
    """Closes the gap in control that the SDF does not hold, and raises forces."""

    name = "hts"

    def live(self) -> Life:
        """Review each quarter."""
        while True:
            yield self.wait(months=QUARTER)
            self._consolidate()
            fighting = self.posture("sdf_damascus.posture") == "fighting"
            if self.decides("raises_forces", fighting=float(fighting)):
                growth = 1.0 + QUARTER * self.parameter("hts.recruits")
                self.change_all("hts.strength", self.see_all("hts.strength") * growth)

    def _consolidate(self) -> None:
        control = self.see_all("hts.control")
        gap = np.maximum(0.0, 1.0 - self.see_all("sdf.control") - control)
        # Control is only where it has begun; elsewhere nothing reads it.
        gap = np.where(control > 0.0, gap, 0.0)
        # The gap closes exponentially; what is given is when a third of it has closed.
        mean = self.parameter("hts.closing_time") * self.parameter("hts.consolidation")
        closed = -math.expm1(-QUARTER / mean)
        self.change_all("hts.control", control + closed * gap)
