"""Israel: the track with Iran, strikes and positions in Syria, flights through Iraq."""

from __future__ import annotations

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER, TENTHS

TRACK = "israel_iran.posture"
SOUTH = ("Daraa", "Quneitra")


class Israel(Agent):
    """Lives the track with Iran; eases strikes or not; takes ground; answers interceptions."""

    name = "israel"

    def live(self) -> Life:
        """Review each quarter; answer an interception."""
        self.start(self.live_posture(TRACK, tilt=self._tilt))
        self._control = float(self.see_all("hts.control").mean())
        while True:
            yield self.wait(months=QUARTER, notice="israeli_overflight")
            if self.woken == "review":
                self._review()
            elif self.incident["success"]:
                self._answer_interception()

    def _tilt(self, _state: str) -> dict[str, float]:
        """Shift what follows: attacks by Iran's partners in Iraq."""
        drawn = self.parameter("israel.tilt_militias") * (
            self.posture("militia.posture") != "truce"
        )
        return {"exchange": drawn, "war": drawn}

    def _review(self) -> None:
        gained = float(self.see_all("hts.control").mean()) - self._control
        war = float(self.posture(TRACK) == "war")
        eases = self.decides("eases_strikes", control=TENTHS * gained, war=war)
        step = self.parameter("israel.easing")
        pace = self.see("israel.tempo") * (1.0 - step if eases else 1.0 + step)
        least, most = (self.parameter(f"israel.tempo_{end}") for end in ("least", "most"))
        self.change("israel.tempo", to=max(least, min(most, pace)))
        takes = self.decides("takes_positions", control=TENTHS * gained, war=war)
        if takes or eases:
            self._hold(self.parameter("israel.position_step") * (1.0 if takes else -1.0))

    def _hold(self, step: float) -> None:
        """Take ground in the south, which Damascus loses, or give it back."""
        for place in SOUTH:
            share = self.parameter("israel.position_daraa") if place == "Daraa" else 1.0
            held = self.see("israel.positions", place)
            most = share * self.parameter("israel.positions_most")
            taken = max(0.0, min(most, held + share * step)) - held
            self.change("israel.positions", place, by=taken)
            self.change("hts.control", place, by=-taken)

    def _answer_interception(self) -> None:
        """Fly less, and answer or not."""
        left = 1.0 - self.parameter("israel.deterred")
        self.change("israel.overflight_tempo", to=self.see("israel.overflight_tempo") * left)
        if self.posture(TRACK) in {"quiet", "tension"} and self.decides("answers_interception"):
            self.enter(TRACK, "exchange")
