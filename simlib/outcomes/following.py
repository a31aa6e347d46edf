"""Windows that follow a milestone: so many months or days after it is completed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.outcomes.windows import after

if TYPE_CHECKING:
    from simlib.journal import Run
    from simlib.scenario.schema import Outcome


@dataclass(frozen=True, slots=True)
class Following:
    """A window that begins when a milestone is completed, at another time in each run."""

    milestone: str
    months: int
    days: int

    def window(self, run: Run) -> tuple[float, float] | None:
        """Its first instant and the first after it; None where it is not over by the horizon."""
        first = run.milestones[self.milestone].completed_at
        if math.isnan(first) or first > run.horizon:
            return None
        last = after(first, self.months, self.days)
        return (first, last) if last <= run.horizon else None


def following(outcome: Outcome) -> Following | None:
    """The window of an outcome, where it follows a milestone."""
    if not isinstance(outcome.start, str):
        return None
    return Following(outcome.start, outcome.months or 0, outcome.days or 0)
