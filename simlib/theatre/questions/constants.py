"""Constants of the committee, measured again on the fitted scenario.

The committee's grounds are standardized at 30 June 2025. A posterior moves what they are
made of, so their means and spreads are simulated again, on the fitted scenario itself, and
replaced where they differ by more than chance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.scenario import load_text
from simlib.theatre.agents.committee import GROUNDS
from simlib.theatre.questions.standardizing import standardize

if TYPE_CHECKING:
    from simlib.evidence.calibration.collecting import Calibration

MOST_ERRORS = 3.0
"""Standard errors beyond which a constant is taken to have moved."""


def committee_constants(
    calibration: Calibration, replications: int
) -> dict[str, tuple[float, str]]:
    """Return the constants of each ground that moved, and how they were measured.

    Parameters
    ----------
    calibration
        What was fitted.
    replications
        Number of replications, 2 or more.
    """
    base = calibration.record.base.parameters
    scenario = load_text(calibration.scenario_text(), file="fitted")
    found = standardize(scenario, replications)
    constants = {}
    for ground in GROUNDS:
        names = [f"committee.{ground}_{ending}" for ending in ("mean", "sd")]
        sd = found[names[1]]
        errors = (sd / math.sqrt(replications), sd / math.sqrt(2.0 * replications))
        moves = [
            abs(found[name] - (base[name].value or 0.0)) / error
            for name, error in zip(names, errors, strict=True)
        ]
        if max(moves) > MOST_ERRORS:
            for name, what in zip(names, ("Mean", "Standard deviation"), strict=True):
                text = f"{what} at 30 June 2025 in {replications} replications as fitted."
                constants[name] = (found[name], text)
    return constants
