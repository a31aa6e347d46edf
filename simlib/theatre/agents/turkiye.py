"""Turkish forces: the posture towards the SDF, and troops, sites and campaigns in northern Iraq."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.agents.base import Agent, Life
from simlib.journal import to_date
from simlib.theatre.agents.units import QUARTER, months

if TYPE_CHECKING:
    from simlib.world.world import World

CALM = {"ceasefire", "dissolving", "dissolved"}
"""States of the PKK's posture in which it has stopped."""


class TurkishForces(Agent):
    """Opens a ground campaign in spring or not, surges before a settlement, draws down after."""

    name = "turkiye"

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        bases = self.see_all("turkiye.bases")
        self._shares = bases / max(1.0, float(bases.sum()))
        self._is_campaigning = False
        self._talks_since = self.now

    def live(self) -> Life:
        """Review each quarter and when the PKK's posture changes."""
        self.start(self.live_posture("turkiye_sdf.posture", tilt=self._tilt))
        while True:
            yield self.wait(months=QUARTER, posture="pkk.posture")
            posture = self.posture("pkk.posture")
            if self.woken == "posture" and posture == "talks":
                self._talks_since = self.now
            if self.woken == "review":
                self._open_or_close(posture)
                self._draw_down(posture)
            self._set_pace(posture)

    def _can_campaign(self) -> bool:
        return self.total("turkiye.troops") >= self.parameter("turkiye.least_force")

    def _open_or_close(self, posture: str) -> None:
        month = to_date(self.now).month
        if month == self.parameter("turkiye.campaign_closes") or not self._can_campaign():
            self._is_campaigning = False
        if month != self.parameter("turkiye.campaign_opens") or not self._can_campaign():
            return
        self._is_campaigning = self.decides(
            "opens_campaign",
            talks=float(posture == "talks"),
            ceasefire=float(posture in CALM),
        )
        if self._is_campaigning:
            sites = self.parameter("turkiye.new_bases") * self._shares
            troops = self.parameter("turkiye.troops_per_site") * sites
            self.change_all("turkiye.bases", self.see_all("turkiye.bases") + sites)
            self.change_all("turkiye.troops", self.see_all("turkiye.troops") + troops)

    def _draw_down(self, posture: str) -> None:
        """Give up a part after a settlement; few who are left leave."""
        if posture not in {"dissolving", "dissolved"} or not self.total("turkiye.troops"):
            return
        if not self.decides(
            "draws_down",
            dissolved=float(posture == "dissolved"),
            settled=float(self.posture("turkiye_sdf.posture") == "settled"),
            sovereignty=math.log1p(self.see("iraq.sovereignty_pressure")),
        ):
            return
        left = 1.0 - self.parameter("turkiye.drawdown")
        if left * self.total("turkiye.troops") < self.parameter("turkiye.least_force"):
            left = 0.0
        for what in ("turkiye.bases", "turkiye.troops"):
            self.change_all(what, self.see_all(what) * left)

    def _set_pace(self, posture: str) -> None:
        pace = self.parameter("turkiye.campaign_size") if self._is_campaigning else 1.0
        has_talked = self.now - self._talks_since >= months(self.parameter("turkiye.surge_after"))
        if self.parameter("structure.surge") > 0.0 and posture == "talks" and has_talked:
            pace *= self.parameter("turkiye.surge_size")
        self.change("turkiye.campaign", to=pace)

    def _tilt(self, _state: str) -> dict[str, float]:
        """Shift what follows: the PKK, no Coalition in Syria, a deal of SDF and Damascus."""
        gone = 1.0 - self.see("coalition.mission_syria")
        has_deal = self.posture("sdf_damascus.posture") in {"framework", "integrated"}
        pkk = self.posture("pkk.posture")
        presses = self.parameter("turkiye.tilt_campaign") * (pkk == "campaign")
        relents = self.parameter("turkiye.tilt_peace") * (pkk in CALM)
        relents += self.parameter("turkiye.tilt_deal") * has_deal
        return {
            "offensive": presses,
            "incursion": presses + self.parameter("turkiye.tilt_exit") * gone,
            "truce": relents,
            "settled": relents,
        }
