"""The scenarios of the analogues beside what was observed after the exit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.ensemble import run

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Listener
    from simlib.evidence.analogues.cases import Case
    from simlib.evidence.analogues.placebo import Contrast

OPTIONS = ("no_withdrawal", "withdrawal")
OUTCOME = "events_after"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Simulated events of the year after an exit, beside the observed ones.

    Attributes
    ----------
    option
        ``withdrawal`` or ``no_withdrawal``.
    counts
        Events of each replication, shape (n,).
    observed
        What was counted, before and after.
    """

    option: str
    counts: NDArray[np.float64]
    observed: Contrast

    @property
    def pit(self) -> float:
        """Share of replications with fewer events than observed, ties half."""
        below = (self.counts < self.observed.after).mean()
        return float(below + (self.counts == self.observed.after).mean() / 2.0)

    @property
    def log_ratios(self) -> NDArray[np.float64]:
        """Log of simulated events after to observed events before; of half an event where none."""
        return np.asarray(np.log(np.maximum(self.counts, 0.5) / self.observed.before))

    def ratios(self) -> tuple[float, float, float]:
        """Return the 5 %, 50 % and 95 % quantiles of events after to events before."""
        low, middle, high = np.exp(np.quantile(self.log_ratios, [0.05, 0.5, 0.95]))
        return float(low), float(middle), float(high)


def predict(
    case: Case,
    observed: Contrast,
    *,
    replications: int,
    jobs: int | None = None,
    directory: Path | None = None,
    progress: Listener | None = None,
) -> dict[str, Prediction]:
    """Simulate a case's scenario with and without the withdrawal, under the same luck.

    Parameters
    ----------
    case
        One that has a scenario.
    observed
        The years around its exit.
    replications
        How many of each option.
    jobs
        Worker processes; it changes no number.
    directory
        Where results are kept, and gone on from.
    progress
        Told how far it is.

    Returns
    -------
    dict
        A prediction for each option.
    """
    ensemble = run(
        case.name,
        options=OPTIONS,
        replications=replications,
        jobs=jobs,
        directory=None if directory is None else directory / case.name,
        progress=progress,
    )
    return {
        option: Prediction(option, ensemble.of(option).values(OUTCOME), observed)
        for option in OPTIONS
    }
