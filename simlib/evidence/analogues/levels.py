"""Level and slope of the months before an exit, as the scenarios of the analogues start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.evidence.analogues.analogue_record import ALL, AnalogueError
from simlib.evidence.panels import Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.analogues.analogue_record import Case
    from simlib.evidence.panels import CountPanel

N_MONTHS = 24
"""As many as the record the theatre's trend continues (register B1b)."""
LASTING = math.sqrt((1.0 + 0.7) / (1.0 - 0.7))
"""What deviations that last widen a standard error by: AR(1) with the theatre's rho of .7."""
_STEPS, _DONE = 100, 1e-12


class LogLinearLevel(NamedTuple):
    """A log-linear level: events a month in the middle of the months, and the slope of their log.

    `sigma` and `slope_sd` are standard errors of the log and of its slope per month; `dispersion`
    is Pearson's, variance over mean of what is left: 1 if counts were Poisson.
    """

    median: float
    sigma: float
    slope: float
    slope_sd: float
    dispersion: float


def level_before(panel: CountPanel, case: Case) -> LogLinearLevel:
    """Fit level and slope of the `N_MONTHS` before a case's exit, which the panel must reach."""
    position = int((case.month - panel.months[0]).astype(int))
    if position < N_MONTHS or position > len(panel.months):
        raise AnalogueError(f"{case.name}: needs {N_MONTHS} months before {case.month}")
    counts = panel.counts[panel.units.index(Unit(case.country, ALL, ""))]
    return fit_level(counts[position - N_MONTHS : position])


def fit_level(counts: NDArray[np.int64]) -> LogLinearLevel:
    """Fit a log-linear mean to three or more consecutive months by quasi-likelihood.

    P. McCullagh and J. A. Nelder, Generalized Linear Models (1989), chapter 9. Refused where
    nothing happened, or only in one month, to which no slope is finite.
    """
    if len(counts) < 3 or not counts.sum():
        raise AnalogueError(f"a level needs three months and an event (got {counts.tolist()})")
    months = np.arange(len(counts)) - (len(counts) - 1) / 2.0
    design = np.column_stack([np.ones(len(counts)), months])
    weights = np.array([math.log(counts.mean()), 0.0])
    if np.count_nonzero(counts) < 2:
        raise AnalogueError(f"no slope fits these counts (got {counts.tolist()})")
    # Fisher scoring of a Poisson mean with a log link; the weights of the normal equations are
    # the means (McCullagh and Nelder, section 2.5).
    for _ in range(_STEPS):
        means = np.exp(design @ weights)
        step = np.linalg.solve(design.T @ (design * means[:, None]), design.T @ (counts - means))
        weights += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < _DONE:
            break
    means = np.exp(design @ weights)
    # Quasi-likelihood: errors by Pearson's dispersion, widened because deviations last.
    dispersion = float(((counts - means) ** 2 / means).sum() / (len(counts) - 2))
    information = design.T @ (design * means[:, None])
    errors = np.sqrt(np.diag(np.linalg.inv(information)) * dispersion) * LASTING
    return LogLinearLevel(
        math.exp(weights[0]), float(errors[0]), float(weights[1]), float(errors[1]), dispersion
    )
