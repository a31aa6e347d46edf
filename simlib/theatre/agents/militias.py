"""Iran-aligned groups in Iraq, inside and outside of the PMF: truce, harassment, campaign."""

from __future__ import annotations

import math

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import left_after_a_month

POSTURE, WAR = "militia.posture", "israel_iran.posture"
IRAQ = "iraq_mission_end"
ROLES = ("combat", "technicians", "trainers")


class Militias(Agent):
    """Attacks bases while supplies last; breaks a truce for a war, an extension or strikes."""

    name = "militias"

    def live(self) -> Life:
        """Review each month and when the posture between Israel and Iran changes."""
        self._deadline = self.date_of(IRAQ)
        self._heard_of_strikes = 0.0
        self.start(self.live_posture(POSTURE, tilt=self._tilt))
        while True:
            yield self.wait(months=1, posture=WAR)
            if self.woken == "review":
                self._resupply()
                self._rise(extended=self._hears_of_extension())
            elif self.posture(WAR) in {"exchange", "war"}:
                self._rise(extended=0.0)

    def _resupply(self) -> None:
        most, sent = self.parameter("militia.stocks_most"), self.parameter("militia.resupply")
        self.change("militia.stocks", to=min(most, self.see("militia.stocks") + sent))
        fade = left_after_a_month(self.parameter("militia.memory"))
        self.change("militia.struck", to=fade * self.see("militia.struck"))

    def _hears_of_extension(self) -> float:
        """1 where the end of the mission has been put off since the last review."""
        before, self._deadline = self._deadline, self.date_of(IRAQ)
        return float(self._deadline > before)

    def _rise(self, *, extended: float) -> None:
        """Break the truce or not; where no US troops are left, there is nothing to break it for."""
        if not self._has_targets():
            if self.posture(POSTURE) != "truce":
                self.enter(POSTURE, "truce")
            return
        if self.posture(POSTURE) == "campaign":
            return
        track = self.posture(WAR)
        if self.decides(
            "militias_rise",
            exchange=float(track == "exchange"),
            extended=extended,
            struck=self.see("militia.struck"),
            war=float(track == "war"),
        ):
            self.enter(POSTURE, "campaign" if track == "war" else "harassment")

    def _has_targets(self) -> bool:
        return any(self.total(f"coalition.{role}") > 0.0 for role in ROLES)

    def _tilt(self, state: str) -> dict[str, float]:
        """Shift what follows: strikes on them, an end in sight."""
        if state == "truce":
            return {}
        leaving = self.class_of(IRAQ) == "met" or self.see("coalition.leaving") > 0.0
        return {
            "campaign": self.parameter("militia.tilt_struck")
            * math.log1p(self.see("militia.struck")),
            "truce": self.parameter("militia.tilt_leaving") * leaving,
        }
