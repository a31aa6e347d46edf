"""The Kurdistan Region: how far the line between Peshmerga and federal forces is open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.cover import SEAM
from simlib.theatre.agents.units import QUARTER, QUARTER_DAYS

if TYPE_CHECKING:
    from simlib.world.world import World

HARIR = "Harir"


class KurdistanRegion(Agent):
    """Closes the seam with Baghdad, or lets it open; the Coalition mediates from Harir."""

    name = "krg"

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        places = self.places("krg.exposure")
        self._on_seam = np.array([place in SEAM for place in places])
        self._at_harir = self.see("coalition.troops", HARIR)

    def live(self) -> Life:
        """Review each quarter."""
        while True:
            yield self.wait(months=QUARTER)
            self._review()

    def _review(self) -> None:
        attacks = self.recent("isis_attack", "Iraq", days=QUARTER_DAYS)
        strikes = self.recent("turkish_strike", days=QUARTER_DAYS)
        joins = self.decides(
            "joins_seam",
            attacks=math.log((attacks + 1.0) / (self.parameter("krg.usual_attacks") + 1.0)),
            coalition=self.see("coalition.troops", HARIR) / max(1.0, self._at_harir) - 1.0,
            strikes=math.log((strikes + 1.0) / (self.parameter("krg.usual_strikes") + 1.0)),
            demand=math.log1p(self.see("iraq.sovereignty_pressure")),
        )
        seam, step = self.see("krg.seam"), self.parameter("krg.seam_step")
        seam = seam * (1.0 - step) if joins else seam + step * (1.0 - seam)
        self.change("krg.seam", to=seam)
        ratio = seam / self.parameter("krg.seam_2024")
        exposed = ratio ** self.parameter("krg.seam_attacks")
        self.change_all("krg.exposure", np.where(self._on_seam, exposed, 1.0))
