"""The PKK: its posture towards Türkiye, its people and its answers."""

from __future__ import annotations

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER


class PKK(Agent):
    """Lives the posture of campaign, talks, ceasefire and dissolution."""

    name = "pkk"

    def live(self) -> Life:
        """Review each quarter; answer deadly strikes."""
        self.start(self.live_posture("pkk.posture", tilt=self._tilt))
        while True:
            yield self.wait(months=QUARTER, notice="turkish_strike")
            if self.woken == "notice":
                self._answer()
            else:
                self._review()

    def _tilt(self, _state: str) -> dict[str, float]:
        """Shift what follows: an offensive on the SDF, or a deal that holds there."""
        track = self.posture("turkiye_sdf.posture")
        has_deal = self.posture("sdf_damascus.posture") in {"framework", "integrated"}
        relents = self.parameter("pkk.tilt_deal") * (has_deal or track == "settled")
        return {
            "campaign": self.parameter("pkk.tilt_offensive")
            * (track in {"offensive", "incursion"}),
            "ceasefire": relents,
            "dissolving": relents,
            "dissolved": relents,
        }

    def _review(self) -> None:
        self.change("pkk.reprisal", to=1.0)
        fighters = self.see_all("pkk.fighters")
        if self.posture("pkk.posture") in {"dissolving", "dissolved"}:
            left = self.parameter("pkk.demobilized")
            self.change_all("pkk.fighters", fighters * (1.0 - left))
            return
        # It lives in what neither Baghdad nor Erbil holds: Sinjar, Makhmour, the line between them.
        room = self.see("krg.seam") / self.parameter("krg.seam_2024")
        recruits = QUARTER * self.parameter("pkk.recruits") * room
        total = max(1.0, float(fighters.sum()))
        self.change_all("pkk.fighters", fighters * (1.0 + recruits / total))

    def _answer(self) -> None:
        posture = self.posture("pkk.posture")
        if self.decides(
            "answers_strike",
            campaign=float(posture == "campaign"),
            ceasefire=float(posture in {"ceasefire", "dissolving", "dissolved"}),
        ):
            self.change("pkk.reprisal", to=self.parameter("pkk.reprisal_size"))
