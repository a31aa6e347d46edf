"""How deadly incidents are: deaths per lethal event beside a power law and the engine's own law.

The discrete power law is that of A. Clauset, C. R. Shalizi and M. E. J. Newman (2009), doi
10.1137/070710111: the threshold is where the Kolmogorov-Smirnov distance is least, the exponent
that of the density, P(X = k) = k^-alpha / zeta(alpha, xmin), by its exact likelihood. The
powerlaw library (Alstott, Bullmore and Plenz 2014, doi 10.1371/journal.pone.0085777) agrees to
1e-4 where its approximation for discrete data is off and the exponent is below 3; it is not used
for the fit because release 2.0 ends there, and gives up on samples of 50 that a bootstrap is
full of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from simlib._moved import default
from simlib.chance.addresses import seed_of, uniforms_of
from simlib.chance.inversion_tables import SEVERITY_CAP, count_table
from simlib.errors import SimlibError
from simlib.evidence.excitation.excitation_regimes import rows_in
from simlib.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.excitation.excitation_regimes import Regime
    from simlib.evidence.history.event_files import Events

LEAST_TAIL = 20
"""Events above the threshold without which no exponent is estimated."""
_EXPONENT_BOUNDS = (1.01, 12.0)
_EXPONENTS = np.linspace(1.5, 6.0, 901)
_LAW_EXPONENTS = np.arange(1.6, 6.01, 0.1)
_USUAL = 2.5
_RULED_OUT = 0.1
"""p of a power law below which it is ruled out (Clauset, Shalizi and Newman 2009)."""
_SEED = 20241231
_LARGE = np.array([10, 25, 100])
_SHIFTS = np.geomspace(0.05, 150.0, 40)
"""What a size of 2 or more is shifted to begin at: the law's 2 + q."""


class SeverityError(SimlibError):
    """Deaths to which no law can be fitted."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A power law at and above a threshold.

    The exponent is that of the density, one more than that of the cumulative distribution; the
    distance is Kolmogorov's and Smirnov's in the tail.
    """

    exponent: float
    threshold: int
    distance: float
    n_tail: int
    n_events: int

    def survival(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take P(X >= size | X >= threshold) for sizes at or above the threshold.

        Examples
        --------
        >>> tail = PowerLaw(2.4, 12, 0.0, 1, 1)
        >>> tail.survival(np.array([100.0])).round(6).tolist()
        [0.048806]
        """
        from scipy.special import zeta

        share = zeta(self.exponent, sizes) / zeta(self.exponent, self.threshold)
        return np.asarray(share, dtype=np.float64)


def fit_power_law(sizes: NDArray[np.int64], threshold: int | None = None) -> PowerLaw:
    """Fit exponent and, unless given, threshold.

    Parameters
    ----------
    sizes
        Deaths per lethal event, each at least 1.
    threshold
        Smallest size in the tail; chosen among those that leave 20 events when not given.

    Raises
    ------
    SeverityError
        A size is below 1, fewer than 20 events are in the tail, or all of them are of one size.
    """
    ordered = np.sort(sizes)
    if len(ordered) < LEAST_TAIL or ordered[0] < 1:
        raise SeverityError(
            f"sizes must be {LEAST_TAIL} or more, each >= 1 (got {len(ordered)}, "
            f"least {ordered[0] if len(ordered) else 'none'})"
        )
    most = int(ordered[-LEAST_TAIL])
    wanted = np.unique(ordered[: 1 - LEAST_TAIL]) if threshold is None else [threshold]
    if (threshold is not None and threshold > most) or most == ordered[-1]:
        raise SeverityError(
            f"fewer than {LEAST_TAIL} events, or events of one size only, are at or above "
            f"{most if threshold is None else threshold}"
        )
    fits = (_fit_tail(ordered, int(start)) for start in wanted)
    return min(fits, key=lambda fit: fit.distance)


def _fit_tail(ordered: NDArray[np.int64], threshold: int) -> PowerLaw:
    from scipy.optimize import minimize_scalar
    from scipy.special import zeta

    tail = ordered[np.searchsorted(ordered, threshold) :]
    mean_log = float(np.log(tail).mean())
    # The exact likelihood of P(X = k), per event and with its sign turned.
    best = minimize_scalar(
        lambda exponent: np.log(zeta(exponent, threshold)) + exponent * mean_log,
        bounds=_EXPONENT_BOUNDS,
        method="bounded",
        options={"xatol": 1e-7},
    )
    exponent = float(best.x)
    values, counts = np.unique(tail, return_counts=True)
    up_to = np.cumsum(counts) / len(tail)
    whole = zeta(exponent, threshold)
    at = 1.0 - zeta(exponent, values + 1.0) / whole
    # Between two sizes that occur the law goes on rising.
    below = 1.0 - zeta(exponent, values.astype(np.float64)) / whole
    distance = max(np.abs(up_to - at).max(), np.abs(below - np.append(0.0, up_to[:-1])).max())
    return PowerLaw(exponent, threshold, float(distance), len(tail), len(ordered))


def goodness_of_fit(
    sizes: NDArray[np.int64], fitted: PowerLaw, root_seed: int, n_bootstrap: int = 100
) -> float:
    """Tell how often a true power law would lie farther from its own fit.

    Semi-parametric bootstrap: sizes below the threshold are resampled, those above drawn from
    the law, and threshold and exponent are fitted anew (section 4.1 of Clauset, Shalizi and
    Newman). Below .1 the law is ruled out.

    Parameters
    ----------
    sizes
        Deaths per lethal event.
    fitted
        Their fit, its threshold chosen by it.
    root_seed
        Makes the bootstrap repeatable.
    n_bootstrap
        Samples; the standard error of p is at most .5 / sqrt(n_bootstrap).
    """
    body = sizes[sizes < fitted.threshold]
    farther = 0
    for number in range(n_bootstrap):
        seed = seed_of(root_seed, "bootstrap", number)
        # Below the threshold as counted, above it from the law, each in its share.
        in_tail = uniforms_of(seed, "tail", len(sizes)) < fitted.n_tail / len(sizes)
        chosen = (uniforms_of(seed, "body", int((~in_tail).sum())) * len(body)).astype(np.int64)
        tail = power_law_sizes(fitted.exponent, fitted.threshold, int(in_tail.sum()), seed)
        try:
            again = fit_power_law(np.concatenate([body[chosen], tail]))
        except SeverityError:
            continue
        farther += again.distance >= fitted.distance
    return farther / n_bootstrap


def power_law_sizes(
    exponent: float, threshold: int, n_sizes: int, root_seed: int
) -> NDArray[np.int64]:
    """Draw sizes from a discrete power law, exactly, by bisection (their appendix D)."""
    from scipy.special import zeta

    left = (1.0 - uniforms_of(root_seed, "sizes", n_sizes)) * zeta(exponent, threshold)
    # Double until P(X >= high) is below the uniform, then halve: the size is the largest integer
    # that still has as much above it. (A root of the continuous law may be off by one.)
    low = np.full(n_sizes, float(threshold))
    high = 2.0 * low
    while (growing := zeta(exponent, high) >= left).any():
        low, high = np.where(growing, high, low), np.where(growing, 2.0 * high, high)
    while (high - low > 1.0).any():
        middle = np.floor((low + high) / 2.0)
        above = zeta(exponent, middle) >= left
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low.astype(np.int64)


def exponent_posterior(sizes: NDArray[np.int64], threshold: int) -> NDArray[np.float64]:
    """Take the 5, 50 and 95 % quantiles of the exponent, its prior uniform on 1.5 to 6, shape (3,).

    Parameters
    ----------
    sizes
        Deaths per lethal event.
    threshold
        Smallest size in the tail.
    """
    from scipy.special import zeta

    tail = sizes[sizes >= threshold]
    logs = -len(tail) * np.log(zeta(_EXPONENTS, threshold)) - _EXPONENTS * np.log(tail).sum()
    weights = np.exp(logs - logs.max())
    cumulative = np.cumsum(weights) / weights.sum()
    return np.asarray(np.interp([0.05, 0.5, 0.95], cumulative, _EXPONENTS), dtype=np.float64)


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
    likelihood = np.empty((len(_LAW_EXPONENTS), len(_SHIFTS)))
    for row, exponent in enumerate(_LAW_EXPONENTS.tolist()):
        totals = np.log(np.exp(-exponent * logs).sum(axis=1))
        likelihood[row] = -exponent * logs[:, values - 2] @ counts - counts.sum() * totals
    # The shift is integrated out for the posterior, and at its best for the ratio.
    weights = np.exp(likelihood - likelihood.max()).sum(axis=1)
    quantiles = np.interp([0.05, 0.5, 0.95], np.cumsum(weights) / weights.sum(), _LAW_EXPONENTS)
    usual = likelihood[int(np.argmin(np.abs(_LAW_EXPONENTS - _USUAL)))].max()
    one, mean = float((sizes == 1).mean()), float(sizes.mean())
    return LawFit(one, mean, quantiles, float(likelihood.max() - usual))


def model_survival(
    one: float, mean: float, exponent: float, sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Take P(X >= size) under the engine's law, for sizes from 1 to its cap."""
    table = count_table("severity", {"one": one, "mean": mean, "exponent": exponent})
    return np.asarray(1.0 - table[sizes - 1], dtype=np.float64)


def sizes_of(events: Events, regime: Regime) -> NDArray[np.int64]:
    """Take deaths of each lethal event of a regime, in the order of the file."""
    return _lethal(events, regime)["deaths"].to_numpy().astype(np.int64)


def _lethal(events: Events, regime: Regime) -> pd.DataFrame:
    is_lethal = (events.table["deaths"] >= 1.0).to_numpy()
    return rows_in(events, regime, SeverityError, is_lethal)


@dataclass(frozen=True)
class SeverityTails(Finding):
    """The tail of deaths of each regime, beside the engine's law with exponent 2.5."""

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
                "vintage": _lethal(events, regime)["vintage"].iloc[0],
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
