"""Twelve months against twelve: around a withdrawal, and where there was none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.addresses import uniforms_of
from simlib.evidence.analogues.analogue_record import ALL, AnalogueError
from simlib.evidence.panels import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.evidence.analogues.analogue_record import Case
    from simlib.evidence.panels import CountPanel

YEAR = 12
"""Months before, and after; the month between belongs to neither."""
SPAN = 2 * YEAR + 1
LEAST_BEFORE = 12
"""Events before, below which there was no conflict that could go on: one a month."""
N_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Contrast:
    """Events of the year before a month and of the year after it."""

    before: int
    after: int

    @property
    def ratio(self) -> float:
        """After to before."""
        return self.after / self.before

    @property
    def log_ratio(self) -> float:
        """Log of after to before."""
        return float(np.log(self.ratio))


@dataclass(frozen=True, slots=True)
class Placebos:
    """Log ratios of twelve months after to twelve before, around months without an exit.

    Attributes
    ----------
    by_country
        For each country and each month that has a year on both sides, in order; nan where
        the window is not used.
    n_excluded
        Windows left out because an exit lies in them.
    n_quiet
        Windows left out because fewer than the least number of events lie before, or none after.
    """

    by_country: dict[str, NDArray[np.float64]]
    n_excluded: int
    n_quiet: int

    @property
    def log_ratios(self) -> NDArray[np.float64]:
        """All that are used, shape (n,)."""
        every = np.concatenate([*self.by_country.values()])
        return np.asarray(every[~np.isnan(every)])

    @property
    def sd(self) -> float:
        """Their standard deviation; windows overlap, so it rests on far fewer than n."""
        return float(self.log_ratios.std())

    def of(self, country: str) -> NDArray[np.float64]:
        """Give those of one country that are used."""
        own = self.by_country[country]
        return np.asarray(own[~np.isnan(own)])

    def sd_resamples(
        self, n_resamples: int = N_RESAMPLES, root_seed: int = 0
    ) -> NDArray[np.float64]:
        """Resample standard deviations so that overlap and country stay together.

        Countries are drawn with replacement, and inside each as many months as it has, in
        circular blocks as long as a window: two months farther apart than that share no count
        (D. N. Politis and J. P. Romano, "A circular block-resampling procedure for stationary
        data", in Exploring the Limits of Bootstrap, 1992). Resamples in which no two windows were
        drawn are left out.
        """
        names = sorted(self.by_country)
        n_months = len(self.by_country[names[0]])
        n_blocks = -(-n_months // SPAN)
        # Countries, then starts of circular blocks in each, as many as its months need.
        chosen = uniforms_of(root_seed, "placebo country", (n_resamples, len(names)))
        starts = uniforms_of(root_seed, "placebo block", (n_resamples, len(names), n_blocks))
        table = np.array([self.by_country[name] for name in names])
        rows = (chosen * len(names)).astype(np.int64)
        columns = (starts * n_months).astype(np.int64)[..., None] + np.arange(SPAN)
        columns = columns.reshape(n_resamples, len(names), -1)[..., :n_months] % n_months
        drawn = table[rows[..., None], columns].reshape(n_resamples, -1)
        return np.asarray(np.nanstd(drawn[(~np.isnan(drawn)).sum(axis=1) > 1], axis=1))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands among n placebos: the share with a smaller log ratio, ties half.

    The two-sided rank p is twice the smaller tail with the case counted in, at most 1. Windows
    overlap, so it is no test of exact size.
    """

    n: int
    share_below: float
    p_value: float


def contrast(panel: CountPanel, country: str, month: np.datetime64, series: str = ALL) -> Contrast:
    """Count the years after and before a month, both of which the panel must have, with events."""
    unit = Unit(country, series, "")
    if unit not in panel.units:
        raise AnalogueError(f"no {series} of {country} in the record")
    position = int((month - panel.months[0]).astype(int))
    if position < YEAR or position + YEAR >= len(panel.months):
        raise AnalogueError(
            f"{country}, {month}: needs {YEAR} months on both sides "
            f"(got {panel.months[0]} to {panel.months[-1]})"
        )
    counts = panel.counts[panel.units.index(unit)]
    result = Contrast(*_sides(counts, position))
    if not result.before or not result.after:
        raise AnalogueError(f"{country}, {month}: no event before or after; there is no ratio")
    return result


def _sides(counts: NDArray[np.int64], position: int) -> tuple[int, int]:
    before = counts[position - YEAR : position].sum()
    return int(before), int(counts[position + 1 : position + 1 + YEAR].sum())


def placebos(
    panel: CountPanel,
    exits: Sequence[Case],
    series: str = ALL,
    *,
    least_before: int = LEAST_BEFORE,
) -> Placebos:
    """Take the log ratios around every month without an exit in its two years.

    Without cases all windows are kept, for comparison. `least_before` is 1 or more.
    """
    rows = {unit.country: row for row, unit in enumerate(panel.units) if unit.series == series}
    found: dict[str, NDArray[np.float64]] = {}
    n_excluded = n_quiet = 0
    for country, row in rows.items():
        months = [case.month for case in exits if case.is_exit and case.country == country]
        ratios = []
        for position in range(YEAR, len(panel.months) - YEAR):
            before, after = _sides(panel.counts[row], position)
            month = panel.months[position]
            is_excluded = any(abs((month - other).astype(int)) <= YEAR for other in months)
            is_quiet = before < least_before or after == 0
            n_excluded += is_excluded
            n_quiet += is_quiet and not is_excluded
            ratios.append(np.nan if is_excluded or is_quiet else np.log(after / before))
        found[country] = np.array(ratios)
    result = Placebos(found, n_excluded, n_quiet)
    if not found or not len(result.log_ratios):
        raise AnalogueError(f"no window of {series} without an exit in the record")
    return result


def standing(log_ratio: float, among: NDArray[np.float64]) -> Standing:
    """Rank a log ratio among placebos."""
    below, ties = float((among < log_ratio).sum()), float((among == log_ratio).sum())
    n = len(among)
    low, high = (below + ties + 1.0) / (n + 1.0), (n - below + 1.0) / (n + 1.0)
    return Standing(n, (below + ties / 2.0) / n, min(1.0, 2.0 * min(low, high)))


def contrast_of(panel: CountPanel, case: Case, series: str = ALL) -> Contrast:
    """Count the years around a case's exit; see `contrast`."""
    return contrast(panel, case.country, case.month, series)
