"""Severity by series and regime, as a table that comes with simlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlib._moved import default
from simlib.evidence.excitation.excitation_regimes import is_of
from simlib.evidence.severity.model_law import fit_model_law, model_survival
from simlib.evidence.severity.power_law import (
    SeverityError,
    exponent_posterior,
    fit_power_law,
    goodness_of_fit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.excitation.excitation_regimes import Regime
    from simlib.evidence.history.event_files import Events

_SEED = 20241231
_LARGE = np.array([10, 25, 100])
_USUAL = 2.5


def sizes_of(events: Events, regime: Regime) -> NDArray[np.int64]:
    """Return deaths of each lethal event of a regime, in the order of the file.

    Raises
    ------
    SeverityError
        There is none, or they are of more than one vintage.
    """
    deaths = events.table["deaths"].to_numpy()
    chosen = is_of(events, regime) & (deaths >= 1.0)
    vintages = sorted(set(events.table["vintage"][chosen]))
    if len(vintages) != 1:
        raise SeverityError(
            f"{regime.name} {regime.label}: events must be of one vintage (got {vintages})"
        )
    return np.asarray(deaths[chosen], dtype=np.int64)


def severity_table(
    events: Events, regimes: Sequence[Regime] | None = None, n_bootstrap: int = 200
) -> pd.DataFrame:
    """Return the tail of deaths of each regime, beside the engine's law with exponent 2.5.

    Parameters
    ----------
    events
        History as `simlib.evidence.calibration_events` hands it out.
    regimes
        Which periods; to be given.
    n_bootstrap
        Samples of each test of fit.

    Returns
    -------
    DataFrame
        A row a regime: events, the largest, exponent with 90 % interval, threshold, events
        above it, p of the power law; share of ones and mean; exponent of the engine's law
        with 90 % interval and the log likelihood by which its best beats 2.5; shares of events
        of 10, 25 and 100 or more, counted and under the engine's law with exponent 2.5.
    """
    import pandas as pd

    rows = [
        {
            "series": regime.name,
            "regime": regime.label,
            "vintage": events.table["vintage"][is_of(events, regime)].iloc[0],
            **_row(sizes_of(events, regime), n_bootstrap),
        }
        for regime in (default("severity_table(regimes=)") if regimes is None else regimes)
    ]
    return pd.DataFrame(rows)


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
