"""Constants of the committee, measured again on the fitted scenario.

The committee's grounds are standardized at 30 June 2025. A posterior moves what they are
made of, so their means and spreads are simulated again, on the fitted scenario itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.analysis.standardizing import standardize
from simlib.evidence.calibrating.writing import scenario_text
from simlib.scenario import load_text

if TYPE_CHECKING:
    from simlib.evidence.calibrating.collecting import Calibration


def committee_constants(
    calibration: Calibration, replications: int
) -> dict[str, tuple[float, str]]:
    """Return each constant of the committee and how it was measured.

    Parameters
    ----------
    calibration
        What was fitted.
    replications
        Number of replications, 2 or more.
    """
    scenario = load_text(scenario_text(calibration), file="fitted")
    found = standardize(scenario, replications)
    return {
        name: (
            value,
            (
                f"{'Mean' if name.endswith('_mean') else 'Standard deviation'} at 30 June 2025 in "
                f"{replications} replications with the fitted parameters."
            ),
        )
        for name, value in found.items()
    }
