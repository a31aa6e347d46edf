"""Turkish forces: the posture towards the SDF and campaigns in northern Iraq."""

from __future__ import annotations

from simlib.agents.base import Agent, Life
from simlib.journal import to_date
from simlib.theatre.agents.units import QUARTER, months


class TurkishForces(Agent):
    """Opens a ground campaign in spring or not, and surges before a settlement or not."""

    name = "turkiye"

    def live(self) -> Life:
        """Review each quarter and when the PKK's posture changes."""
        self.start(self.live_posture("turkiye_sdf.posture", tilt=self._tilt))
        self._is_campaigning = False
        self._talks_since = self.now
        while True:
            yield self.wait(months=QUARTER, posture="pkk.posture")
            posture = self.posture("pkk.posture")
            if self.woken == "posture" and posture == "talks":
                self._talks_since = self.now
            if self.woken == "review":
                self._open_or_close(posture)
            self._set_pace(posture)

    def _open_or_close(self, posture: str) -> None:
        month = to_date(self.now).month
        if month == self.parameter("turkiye.campaign_closes"):
            self._is_campaigning = False
        if month != self.parameter("turkiye.campaign_opens"):
            return
        self._is_campaigning = self.decides(
            "opens_campaign",
            talks=float(posture == "talks"),
            ceasefire=float(posture in {"ceasefire", "dissolving", "dissolved"}),
        )
        if self._is_campaigning:
            bases, troops = self.see_all("turkiye.bases"), self.see_all("turkiye.troops")
            growth = self.parameter("turkiye.new_bases") / max(1.0, float(bases.sum()))
            self.change_all("turkiye.bases", bases * (1.0 + growth))
            self.change_all("turkiye.troops", troops * (1.0 + growth))

    def _set_pace(self, posture: str) -> None:
        pace = self.parameter("turkiye.campaign_size") if self._is_campaigning else 1.0
        has_talked = self.now - self._talks_since >= months(self.parameter("turkiye.surge_after"))
        if self.parameter("structure.surge") > 0.0 and posture == "talks" and has_talked:
            pace *= self.parameter("turkiye.surge_size")
        self.change("turkiye.campaign", to=pace)

    def _tilt(self, state: str) -> dict[str, float]:
        """Shift what follows: no Coalition in Syria, a deal between SDF and Damascus."""
        if state not in {"offensive", "positional"}:
            return {}
        gone = 1.0 - self.see("coalition.mission_syria")
        has_deal = self.posture("sdf_damascus.posture") in {"framework", "integrated"}
        return {
            "incursion": self.parameter("turkiye.tilt_exit") * gone,
            "truce": self.parameter("turkiye.tilt_deal") * has_deal,
        }
