"""Israel: the track with Iran, and how hard it strikes in Syria."""

from __future__ import annotations

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import QUARTER, TENTHS


class Israel(Agent):
    """Lives the posture towards Iran and eases strikes in Syria or not."""

    name = "israel"

    def live(self) -> Life:
        """Review each quarter."""
        self.start(self.live_posture("israel_iran.posture"))
        control = float(self.see_all("hts.control").mean())
        while True:
            yield self.wait(months=QUARTER)
            gained = float(self.see_all("hts.control").mean()) - control
            eases = self.decides(
                "eases_strikes",
                control=TENTHS * gained,
                war=float(self.posture("israel_iran.posture") == "war"),
            )
            step = self.parameter("israel.easing")
            pace = self.see("israel.tempo") * (1.0 - step if eases else 1.0 + step)
            least, most = (self.parameter(f"israel.tempo_{end}") for end in ("least", "most"))
            self.change("israel.tempo", to=max(least, min(most, pace)))
