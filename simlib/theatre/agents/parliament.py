"""Politics in Baghdad: what foreign forces cost in sovereignty, the vote, a demand to leave."""

from __future__ import annotations

import math

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import left_after_a_month, months

VOTE = "iraq_vote"
BASES = ("Ain al-Asad", "Harir", "Victoria")


class Parliament(Agent):
    """Feels sovereignty slighted, campaigns before a vote, and may demand the exit."""

    name = "parliament"

    def live(self) -> Life:
        """Review each month."""
        while True:
            yield self.wait(months=1)
            self._feel()
            self.change("iraq.vote_nearness", to=self._nearness())
            fade = left_after_a_month(self.parameter("parliament.demand_halving"))
            self.change("iraq.exit_demand", to=fade * self.see("iraq.exit_demand"))
            if self.decides(
                "parliament_demands_exit",
                sovereignty=math.log1p(self.see("iraq.sovereignty_pressure")),
                strikes=math.log1p(self.see("militia.struck")),
                vote=self.see("iraq.vote_nearness"),
            ):
                self.change("iraq.exit_demand", to=1.0)

    def _feel(self) -> None:
        """Episodes fade; foreign combat troops and Turkish sites add to them while they stay."""
        fade = left_after_a_month(self.parameter("parliament.sovereignty_halving"))
        combat = sum(self.see("coalition.combat", base) for base in BASES)
        relief = self.parameter("parliament.partnership_relief") * self.see("coalition.partnership")
        slight = self.parameter("parliament.combat_slight") * (1.0 - relief)
        added = slight * combat / self.parameter("parliament.combat_usual")
        turkish = (
            self.total("turkiye.troops") / self.parameter("turkiye.troops_2024"),
            self.total("turkiye.bases") / self.parameter("turkiye.sites_2024"),
        )
        added += self.parameter("parliament.turkish_slight") * sum(turkish) / len(turkish)
        pressure = self.see("iraq.sovereignty_pressure")
        self.change("iraq.sovereignty_pressure", to=fade * pressure + added)

    def _nearness(self) -> float:
        """0 far from a vote, 1 on its day; falls while a government is formed after it."""
        ahead = self.date_of(VOTE) - self.now
        span = "parliament.campaign_months" if ahead > 0.0 else "parliament.formation_months"
        return max(0.0, 1.0 - abs(ahead) / months(self.parameter(span)))
