"""The engine's own law of deaths beside what was counted, and the tail by series and regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from simlib._moved import default
from simlib.chance.distributions import count_table
from simlib.chance.inversion_tables import SEVERITY_CAP
from simlib.evidence.excitation.excitation_regimes import is_of
from simlib.evidence.severity.power_law import (
    SeverityError,
    exponent_posterior,
    fit_power_law,
    goodness_of_fit,
)
from simlib.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.excitation.excitation_regimes import Regime
    from simlib.evidence.history.event_files import Events

_EXPONENTS = np.arange(1.6, 6.01, 0.1)
_USUAL = 2.5
_RULED_OUT = 0.1
"""p of a power law below which it is ruled out (Clauset, Shalizi and Newman 2009)."""
_SEED = 20241231
_LARGE = np.array([10, 25, 100])
_SHIFTS = np.geomspace(0.05, 150.0, 40)
"""What a size of 2 or more is shifted to begin at: the law's 2 + q."""


class LawFit(NamedTuple):
    """What of ``{severity: {one, mean, exponent}}`` deaths per lethal event say.

    Attributes
    ----------
    one, mean
        As counted.
    exponent
        Quantiles 5, 50 and 95 % of its posterior, shape (3,); the prior is uniform on 1.6 to 6,
        and that of the shift uniform in its log.
    log_likelihood_ratio
        Log likelihood at the best exponent and shift less that at 2.5 and its best shift;
        above 1.92 speaks against 2.5 (chi-squared, 5 %).
    """

    one: float
    mean: float
    exponent: NDArray[np.float64]
    log_likelihood_ratio: float


def fit_model_law(sizes: NDArray[np.int64]) -> LawFit:
    """Fit the exponent of the engine's severity, whatever its share of ones and mean.

    Sizes k of 2 or more are in proportion to (k + q)^-exponent, q standing for the mean: the
    exponent is that of the far tail, and a few moderate sizes say little of it.

    Parameters
    ----------
    sizes
        Deaths per lethal event, each at least 1 and at most the law's cap.

    Raises
    ------
    SeverityError
        Sizes are out of range, or none is above 2.
    """
    if len(sizes) == 0 or sizes.min() < 1 or sizes.max() > SEVERITY_CAP or sizes.max() < 3:
        raise SeverityError(f"sizes must be 1 to {SEVERITY_CAP}, some above 2 (got {sizes})")
    values, counts = np.unique(sizes[sizes > 1], return_counts=True)
    # log (k + q) for every shift and size; the law is normalized over 2 to the cap.
    logs = np.log(np.add.outer(_SHIFTS, np.arange(SEVERITY_CAP - 1)))
    likelihood = np.empty((len(_EXPONENTS), len(_SHIFTS)))
    for row, exponent in enumerate(_EXPONENTS.tolist()):
        totals = np.log(np.exp(-exponent * logs).sum(axis=1))
        likelihood[row] = -exponent * logs[:, values - 2] @ counts - counts.sum() * totals
    # The shift is integrated out for the posterior, and at its best for the ratio.
    weights = np.exp(likelihood - likelihood.max()).sum(axis=1)
    quantiles = np.interp([0.05, 0.5, 0.95], np.cumsum(weights) / weights.sum(), _EXPONENTS)
    usual = likelihood[int(np.argmin(np.abs(_EXPONENTS - _USUAL)))].max()
    one, mean = float((sizes == 1).mean()), float(sizes.mean())
    return LawFit(one, mean, quantiles, float(likelihood.max() - usual))


def model_survival(
    one: float, mean: float, exponent: float, sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Take P(X >= size) under the engine's law, for sizes from 1 to its cap."""
    table = count_table("severity", {"one": one, "mean": mean, "exponent": exponent})
    return np.asarray(1.0 - table[sizes - 1], dtype=np.float64)


def sizes_of(events: Events, regime: Regime) -> NDArray[np.int64]:
    """Take deaths of each lethal event of a regime, of one vintage, in the order of the file."""
    deaths = events.table["deaths"].to_numpy()
    chosen = is_of(events, regime) & (deaths >= 1.0)
    vintages = sorted(set(events.table["vintage"][chosen]))
    if len(vintages) != 1:
        raise SeverityError(
            f"{regime.name} {regime.label}: events must be of one vintage (got {vintages})"
        )
    return np.asarray(deaths[chosen], dtype=np.int64)


@dataclass(frozen=True)
class SeverityTails(Finding):
    """The tail of deaths of each regime, beside the engine's law with exponent 2.5.

    Attributes
    ----------
    rows
        A row a regime; see `table`.
    """

    stem: ClassVar[str] = "severity"

    rows: tuple[dict[str, Any], ...]

    def table(self) -> pd.DataFrame:
        """Tell all of every regime.

        Returns
        -------
        DataFrame
            Events, the largest, exponent with 90 % interval, threshold, events above it, p of
            the power law; share of ones and mean; exponent of the engine's law with 90 %
            interval and the log likelihood by which its best beats 2.5; shares of events of 10,
            25 and 100 or more, counted and under the engine's law with exponent 2.5.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)

    def sentences(self) -> list[str]:
        """Say each exponent with its interval, and where a power law is ruled out."""
        return [
            f"{row['series']}, {row['regime']}: exponent {row['exponent']:.2f} (90 % "
            f"{row['exponent_low']:.2f} to {row['exponent_high']:.2f}) from {row['n_tail']} of "
            f"{row['n_events']} events; a power law "
            f"{'is ruled out' if row['p'] < _RULED_OUT else 'fits'} (p {row['p']:.2f})."
            for row in self.rows
        ]

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Show the power laws."""
        title = "deaths per lethal event: power law above a threshold"
        table = self.table()
        return {title: table[list(table.columns[:10])]}


def severity_tails(
    events: Events, regimes: Sequence[Regime], n_bootstrap: int = 200
) -> SeverityTails:
    """Fit the tail of deaths of each regime, with so many samples for each test of fit."""
    return SeverityTails(
        tuple(
            {
                "series": regime.name,
                "regime": regime.label,
                "vintage": events.table["vintage"][is_of(events, regime)].iloc[0],
                **_row(sizes_of(events, regime), n_bootstrap),
            }
            for regime in regimes
        )
    )


def severity_table(
    events: Events, regimes: Sequence[Regime] | None = None, n_bootstrap: int = 200
) -> pd.DataFrame:
    """Tell the tail of deaths of each regime: `SeverityTails.table` of `severity_tails`."""
    chosen = default("severity_table(regimes=)") if regimes is None else regimes
    return severity_tails(events, chosen, n_bootstrap).table()


def _row(sizes: NDArray[np.int64], n_bootstrap: int) -> dict[str, Any]:
    tail = fit_power_law(sizes)
    low, _, high = exponent_posterior(sizes, tail.threshold).tolist()
    law = fit_model_law(sizes[sizes <= 1000])
    expected = model_survival(law.one, law.mean, _USUAL, _LARGE).tolist()
    row: dict[str, Any] = {
        "n_events": len(sizes),
        "largest": int(sizes.max()),
        "exponent": tail.exponent,
        "exponent_low": low,
        "exponent_high": high,
        "threshold": tail.threshold,
        "n_tail": tail.n_tail,
        "p": goodness_of_fit(sizes, tail, _SEED, n_bootstrap),
        "share_one": law.one,
        "mean": law.mean,
        "law_exponent": law.exponent[1],
        "law_exponent_low": law.exponent[0],
        "law_exponent_high": law.exponent[2],
        "log_likelihood_over_usual": law.log_likelihood_ratio,
    }
    for size, modelled in zip(_LARGE.tolist(), expected, strict=True):
        row[f"share_{size}"] = float((sizes >= size).mean())
        row[f"law_share_{size}"] = modelled
    return {key: float(f"{x:.4g}") if isinstance(x, float) else x for key, x in row.items()}
