"""A foreign force that leaves on its date: all that the bundled withdrawals elsewhere are about."""

from __future__ import annotations

import math

from simlib.agents.base import Agent, Life


class WithdrawingForce(Agent):
    """Leaves when its milestone comes; what recurs is multiplied from then on."""

    name = "withdrawing_force"

    def live(self) -> Life:
        """Wait for the milestone, leave, and be done."""
        yield self.wait(milestone="withdrawal")
        effect = self.parameter("withdrawal.log_effect")
        self.change("withdrawal.multiplier", to=math.exp(effect))
        self.settle("withdrawal", "met")
        self.complete("withdrawal")
