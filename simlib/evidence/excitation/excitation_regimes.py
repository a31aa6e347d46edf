"""Excitation fitted to regimes: periods of a series in which it kept one character."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib._moved import default
from simlib.evidence.excitation.hawkes import HawkesIntensity, ResidualTest, residual_test
from simlib.evidence.excitation.hawkes_fit import (
    ExcitationFit,
    MaximumLikelihood,
    fit_excitation,
    maximum_likelihood,
)
from simlib.evidence.excitation.likelihood import DailyCounts, ExcitationError, daily_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.errors import SimlibError
    from simlib.evidence.excitation.hawkes_fit import Background
    from simlib.evidence.history.event_files import Events

MOST_IMPRECISE = 2
"""UCDP's precision of a date: 1 the day, 2 two to six days; what is coarser has no day."""
_SEED = 20241231
_BACKGROUNDS: tuple[Background, ...] = ("constant", "drifting")


class Regime(NamedTuple):
    """A period of a series.

    Attributes
    ----------
    group
        What is pooled together; empty for what is shown only.
    series
        Series of the history that are counted; none counts the conflict, by UCDP's number.
    """

    group: str
    name: str
    country: str
    series: tuple[str, ...]
    conflict: int
    first: dt.date
    last: dt.date

    @property
    def label(self) -> str:
        """Name of the period."""
        return f"{self.first:%Y-%m} to {self.last:%Y-%m}"


@dataclass(frozen=True, slots=True)
class RegimeFit:
    """What was fitted to a regime, by background: constant and drifting.

    Residuals are those at the mode; `likeliest` has a constant and a quarterly background.
    """

    regime: Regime
    fits: dict[Background, ExcitationFit]
    residuals: dict[Background, ResidualTest]
    likeliest: dict[Background, MaximumLikelihood]


def rows_in(
    events: Events, regime: Regime, error: type[SimlibError], is_kept: NDArray[np.bool_]
) -> pd.DataFrame:
    """Take those of some rows of a history that are of a regime; they must be of one vintage."""
    table = events.table
    if regime.series:
        chosen = table["series"].isin(regime.series)
    else:
        chosen = table["conflict"] == regime.conflict
    in_time = table["date"].dt.date.between(regime.first, regime.last)
    rows: pd.DataFrame = table[chosen & in_time & (table["country"] == regime.country) & is_kept]
    vintages = sorted(set(rows["vintage"]))
    if len(vintages) != 1:
        raise error(f"{regime.name} {regime.label}: events must be of one vintage (got {vintages})")
    return rows


def days_of(events: Events, regime: Regime) -> DailyCounts:
    """Count the events of a regime by day, those whose day is known to a few days."""
    is_precise = ~(events.table["date_precision"] > MOST_IMPRECISE).to_numpy()
    rows = rows_in(events, regime, ExcitationError, is_precise)
    return daily_counts(
        rows["date"].to_numpy().astype("datetime64[D]"),
        (np.datetime64(regime.first), np.datetime64(regime.last)),
        series=regime.name, regime=regime.label, vintage=rows["vintage"].iloc[0],
    )  # fmt: skip


def fit_regimes(
    events: Events,
    regimes: Sequence[Regime] | None = None,
    notice: Callable[[Regime], None] | None = None,
) -> list[RegimeFit]:
    """Fit excitation to each regime, with a constant and with a drifting background.

    Parameters
    ----------
    events
        History as `simlib.evidence.calibration_events` hands it out.
    regimes
        Which periods; to be given.
    notice
        Called before each.

    Raises
    ------
    ExcitationError
        The events hold nothing of a regime.
    """
    found = []
    for regime in default("fit_regimes(regimes=)") if regimes is None else regimes:
        if notice is not None:
            notice(regime)
        days = days_of(events, regime)
        fits = {background: fit_excitation(days, background) for background in _BACKGROUNDS}
        tests = {background: _tested(fit) for background, fit in fits.items()}
        likeliest: dict[Background, MaximumLikelihood] = {
            "constant": maximum_likelihood(days, "constant"),
            "quarterly": maximum_likelihood(days, "quarterly"),
        }
        found.append(RegimeFit(regime, fits, tests, likeliest))
    return found


def _tested(fit: ExcitationFit) -> ResidualTest:
    ratio, decay, background = fit.mode()
    return residual_test(fit.days, HawkesIntensity(background, ratio, decay), _SEED)


def rows_of(fit: RegimeFit, n_draws: int = 20_000) -> Iterator[dict[str, Any]]:
    """Iterate over what a fit says, a row for each parameter and background."""
    for background, posterior in fit.fits.items():
        test = fit.residuals[background]
        draws = posterior.draws(n_draws, _SEED)
        names = ("ratio", "decay_days", "monthly_sd")[: 3 if background == "drifting" else 2]
        for name, values in zip(names, draws, strict=False):
            yield {
                **_head(fit, background, name),
                **quantiles_of(values),
                "rescaled_p": test.rescaled_p,
                "counts_p": test.counts_p,
                "log_evidence": posterior.log_evidence,
                "method": "posterior median and 90 % interval",
            }
    for background, best in fit.likeliest.items():
        for name, value, error in (
            ("ratio", best.ratio, best.ratio_error),
            ("decay_days", best.decay_days, best.decay_error),
        ):
            yield {
                **_head(fit, background, name),
                "estimate": value,
                "sd": error,
                "method": "greatest likelihood; sd is the standard error",
            }


def _head(fit: RegimeFit, background: Background, parameter: str) -> dict[str, Any]:
    days = fit.fits["constant"].days
    return {
        "group": fit.regime.group,
        "series": days.series,
        "regime": days.regime,
        "vintage": days.vintage,
        "first": fit.regime.first,
        "last": fit.regime.last,
        "n_events": days.n_events,
        "background": background,
        "parameter": parameter,
    }


def quantiles_of(values: Any) -> dict[str, float]:
    """Take median, 90 % interval, mean and sd of draws."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return {
        "estimate": middle, "low": low, "high": high,
        "mean": float(np.mean(values)), "sd": float(np.std(values)),
    }  # fmt: skip
