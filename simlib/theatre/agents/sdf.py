"""The SDF: its track with Damascus, and guards, counter-ISIS teams and fronts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER, left_after_a_month

if TYPE_CHECKING:
    from simlib.world.world import World

SITES = ("Deir ez-Zor", "Hasakah", "Raqqa")
TRACK = "sdf_damascus.posture"


class SDF(Agent):
    """Splits its people between three tasks; the fronts come first."""

    name = "sdf"

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._guard = self.see_all("sdf.guard_share")
        self._counter = self.see_all("sdf.counter_share")
        self._front = self.see_all("sdf.front_share")
        self._alarm = 0.0
        self._needs: tuple[float, bool] | None = None
        self._reviews = 0
        self._has_collapsed = False

    def live(self) -> Life:
        """Review each month; answer breaks and turns of the track."""
        self.start(self.live_posture(TRACK, tilt=self._tilt))
        while True:
            yield self.wait(months=1, notice="detention_break", posture=TRACK)
            if self.woken == "notice":
                self._meet_break()
            elif self.woken == "posture":
                self._meet_collapse()
            else:
                self._review()
            self._split()

    def _tilt(self, state: str) -> dict[str, float]:
        """Shift what follows: a Turkish offensive, no Coalition in Syria, an offer of Damascus."""
        if state in {"integrated", "collapse"}:
            return {}
        presses = self.posture("turkiye_sdf.posture") in {"offensive", "incursion"}
        gone = 1.0 - self.see("coalition.mission_syria")
        offer = self.parameter("sdf.tilt_bargain") * self.see("hts.bargains")
        return {
            "fighting": self.parameter("sdf.tilt_offensive") * presses,
            "framework": self.parameter("sdf.tilt_exit") * gone + offer,
            "integrated": offer,
            "collapse": self.parameter("sdf.tilt_exit") * gone,
        }

    def _review(self) -> None:
        self._alarm *= self.parameter("sdf.alarm_kept")
        kept = left_after_a_month(self.parameter("sdf.lockdown_halving"))
        self.change("sdf.lockdown", to=1.0 - kept * (1.0 - self.see("sdf.lockdown")))
        self._reviews += 1
        camps = self.see_all("isis.camp_population")
        self.change_all("isis.camp_population", camps * (1.0 - self.parameter("sdf.camp_returns")))
        self._hand_over_detainees()
        if self._reviews % QUARTER == 0:
            self._call_up()

    def _meet_break(self) -> None:
        """Harden the sites and send more guards."""
        self._alarm += self.parameter("sdf.break_alarm")
        hardened = self.see("sdf.lockdown") * self.parameter("sdf.lockdown_size")
        self.change("sdf.lockdown", to=hardened)

    def _pressed(self) -> tuple[bool, bool]:
        return (
            self.posture("turkiye_sdf.posture") in {"offensive", "incursion"},
            self.posture(TRACK) == "fighting",
        )

    def _call_up(self) -> None:
        offensive, fighting = self._pressed()
        if self.decides("calls_up", offensive=float(offensive), fighting=float(fighting)):
            strength = self.see_all("sdf.strength")
            self.change_all("sdf.strength", strength * (1.0 + self.parameter("sdf.call_up")))

    def _split(self) -> None:
        """Share people out; the starting shares are those of an offensive."""
        needs = self._alarm, any(self._pressed())
        if needs == self._needs:
            return
        self._needs = needs
        pull = self.parameter("sdf.front_pull")
        relief = 1.0 if any(self._pressed()) else 1.0 / (1.0 - pull)
        alarmed = np.where(self._guard > 0, self._alarm, 0.0)
        guard = np.minimum(self.parameter("sdf.guard_most"), self._guard * relief + alarmed)
        counter = np.minimum(self.parameter("sdf.counter_most"), self._counter * relief)
        self.change_all("sdf.guard_share", guard)
        self.change_all("sdf.counter_share", counter)
        freed = guard + counter - self._guard - self._counter
        least = self.parameter("sdf.front_least") * self._front
        self.change_all("sdf.front_share", np.maximum(least, self._front - freed))

    def _hand_over_detainees(self) -> None:
        if self.parameter("structure.custody_transfer") == 0.0:
            return
        if self.posture(TRACK) not in {"framework", "integrated", "collapse"}:
            return
        rate = self.parameter("sdf.transfer_rate")
        for place in SITES:
            moved = rate * self.see("isis.detainees", place)
            self.change("isis.detainees", place, by=-moved)
            self.change("isis.detainees", "Damascus", by=moved)

    def _meet_collapse(self) -> None:
        if self.posture(TRACK) != "collapse" or self._has_collapsed:
            return
        self._has_collapsed = True
        keeps = self.parameter("sdf.collapse_keeps")
        self.change_all("sdf.control", self.see_all("sdf.control") * keeps)
        self.change_all("sdf.strength", self.see_all("sdf.strength") * keeps)
