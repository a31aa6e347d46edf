"""Add an agent of one's own: tribal leaders in Anbar who may raise local forces."""

import simlib
from simlib.agents.base import Life
from simlib.scenario import load_text

SCENARIO = """
simlib: 1
name: as_agreed_with_tribes
extends: as_agreed.yaml
decisions:
  mobilize:
    intercept: -4
    weights: {fighters: 0.01}
    judgement: an illustration, no estimate
agents:
  tribes:
    description: tribal leaders in Anbar
    decisions: [mobilize]
    writes: [isf.strength]
"""


class Tribes(simlib.Agent):
    """Tribal leaders who may raise local forces."""

    name = "tribes"

    def live(self) -> Life:
        """Look every month, and after a break out of detention."""
        while True:
            yield self.wait(months=1, notice="detention_break")
            if self.decides("mobilize", fighters=self.see("isis.fighters", "Anbar")):
                self.change("isf.strength", "Anbar", by=200)


scenario = load_text(SCENARIO)
ensemble = simlib.run(scenario, replications=8, agents=[Tribes])

decisions = ensemble.decisions.query("name == 'mobilize'")
for replication, rows in decisions.groupby("replication"):
    n_yes = (rows["taken"] == "yes").sum()
    print(f"replication {replication}: asked {len(rows)} times, mobilized {n_yes}")
