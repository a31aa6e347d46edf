"""From regimes apart to one that has not been seen: as a table, and as a scenario's parameters."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from simlib._moved import default
from simlib.chance.addresses import uniforms_of
from simlib.evidence.excitation.excitation_regimes import RegimeFit, quantiles_of, rows_of
from simlib.evidence.excitation.hawkes import unthinned
from simlib.evidence.excitation.hawkes_fit import HIGHEST_RATIO
from simlib.evidence.excitation.likelihood import ExcitationError
from simlib.evidence.fitted import Fitted
from simlib.evidence.history.csv_text import read_table
from simlib.finding import Finding, plot_room
from simlib.scenario.bundled import folder
from simlib.statistics.moments import beta_arguments, digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.evidence.excitation.hawkes_fit import ExcitationFit, ParameterGrid

_MEANS = np.linspace(0.05, 0.95, 37)
_CONCENTRATIONS = np.geomspace(2.0, 60.0, 12)
_SPREADS = np.geomspace(0.1, 1.6, 12)
COLUMNS = (
    *("group", "series", "regime", "vintage", "first", "last", "n_events", "background"),
    *("parameter", "estimate", "low", "high", "mean", "sd"),
    *("rescaled_p", "counts_p", "log_evidence", "method"),
)
SOURCE = "UCDP GED and Candidate (Sundberg and Melander 2013; Hegre et al. 2020; CC BY 4.0)"
_SEED, _N_DRAWS = 20241231, 20_000


@dataclass(frozen=True, slots=True)
class Pooled:
    """Predictive distribution of a parameter in a further regime: a weight for each cell."""

    grid: ParameterGrid
    weights: NDArray[np.float64]
    n_regimes: int

    def draws(self, n_draws: int, root_seed: int, name: str) -> NDArray[np.float64]:
        """Draw, the same for the same root seed and name, shape (n_draws,)."""
        uniforms = uniforms_of(root_seed, name, (2, n_draws))
        cells = np.searchsorted(np.cumsum(self.weights), uniforms[0] * (1.0 - 1e-12))
        return self.grid.inside(np.minimum(cells, len(self.weights) - 1), uniforms[1])


def pooled_ratio(fits: Sequence[ExcitationFit]) -> Pooled:
    """Pool the branching ratio of a further regime, apparent among the events counted.

    Regimes' ratios over .95 come from a beta of unknown mean m and concentration c; m has the
    scenario's Beta(2, 5), log c is uniform on 2 to 60, so that between-regime spread is learnt.
    """
    from scipy.stats import beta

    grid = fits[0].priors.ratio
    shares = grid.edges / HIGHEST_RATIO
    cells = np.array(
        [
            [np.diff(beta.cdf(shares, m * c, (1.0 - m) * c)) for c in _CONCENTRATIONS.tolist()]
            for m in _MEANS.tolist()
        ]
    )
    prior = beta.pdf(_MEANS, 2.0, 5.0)[:, None] * np.ones(len(_CONCENTRATIONS))
    return _pooled(grid, cells, prior, [fit.ratio_likelihood for fit in fits])


def pooled_decay(fits: Sequence[ExcitationFit]) -> Pooled:
    """Pool the mean delay of a further regime, apparent among the events counted.

    Logs of regimes' delays are normal with unknown mean, which has the prior of the delay, and
    unknown sd, its log uniform on .1 to 1.6.
    """
    from scipy.stats import norm

    grid = fits[0].priors.decay
    edges = np.log(grid.edges)
    cells = np.array(
        [
            [np.diff(norm.cdf((edges - center) / spread)) for spread in _SPREADS.tolist()]
            for center in np.log(grid.nodes).tolist()
        ]
    )
    cells /= np.maximum(cells.sum(axis=-1, keepdims=True), 1e-300)
    prior = grid.weights[:, None] * np.ones(len(_SPREADS))
    return _pooled(grid, cells, prior, [fit.decay_likelihood for fit in fits])


def _pooled(
    grid: ParameterGrid,
    cells: NDArray[np.float64],
    prior: NDArray[np.float64],
    likelihoods: Sequence[NDArray[np.float64]],
) -> Pooled:
    """Average over the hyperparameters (first two axes of `cells`) given all regimes."""
    # A regime's likelihood given the hyperparameters: that of its cells, averaged over their
    # distribution; regimes are independent given these (Gelman et al., BDA, 3rd ed., section 5.2).
    logs = np.log(prior)
    for likelihood in likelihoods:
        logs = logs + np.log(np.maximum(cells @ likelihood, 1e-300))
    weights = np.exp(logs - logs.max())
    predictive = np.einsum("ij,ijk->k", weights / weights.sum(), cells)
    return Pooled(grid, predictive / predictive.sum(), len(likelihoods))


def draws_of_all_incidents(
    fits: Sequence[ExcitationFit], kept: float, n_draws: int, root_seed: int
) -> NDArray[np.float64]:
    """Draw ratio (at most .95) and delay of all incidents in a further regime, shape (2, n_draws).

    The events are those of the incidents with a death. If lethality fell on incidents
    independently, events would be a thinning by the lethal share; if whole waves are lethal or
    not, no thinning. What holds is unknown: the share is drawn evenly from `kept` to 1.
    """
    ratios = pooled_ratio(fits).draws(n_draws, root_seed, "pooled ratio")
    decays = pooled_decay(fits).draws(n_draws, root_seed, "pooled decay")
    shares = kept + (1.0 - kept) * uniforms_of(root_seed, "kept", n_draws)
    both = np.array(
        [
            unthinned(*one)
            for one in zip(ratios.tolist(), decays.tolist(), shares.tolist(), strict=True)
        ]
    ).T
    return np.vstack([np.minimum(both[0], 0.999 * HIGHEST_RATIO), both[1]])


class Pool(NamedTuple):
    """A parameter of the scenario, branching ratio or mean delay, and what it is pooled from.

    Regimes of the group, of all groups where it is empty; `kept` is the least share of incidents
    that their events are.
    """

    group: str
    kept: float
    unit: str
    is_decay: bool = False


@dataclass(frozen=True)
class ExcitationFits(Finding):
    """What every regime says, and what pooled regimes say of the scenario's parameters."""

    stem: ClassVar[str] = "excitation"

    fits: tuple[RegimeFit, ...]
    pools: Mapping[str, Pool]

    @functools.cached_property
    def _table(self) -> pd.DataFrame:
        import pandas as pd

        rows: list[dict[str, Any]] = [row for fit in self.fits for row in rows_of(fit)]
        groups = {pool.group for pool in self.pools.values()} - {""}
        for name, pool in self.pools.items():
            of_group = {pool.group} if pool.group else groups
            chosen = [fit for fit in self.fits if fit.regime.group in of_group]
            rows += _pooled_rows(name, pool, chosen)
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        numbers = table.select_dtypes("number").columns.difference(["n_events"])
        table[numbers] = table[numbers].map(lambda value: float(f"{value:.4g}"))
        return table

    def table(self) -> pd.DataFrame:
        """Tell all of every regime, then of every pool.

        Returns
        -------
        DataFrame
            Columns `COLUMNS`: median, ends of the 90 % interval, mean and sd; p of the
            residuals; the log evidence, which compares backgrounds of one regime.
        """
        return self._table.copy()

    def sentences(self) -> list[str]:
        """Say what a further regime is expected to have, and on how many it rests."""
        pooled = self._table[self._table["parameter"].isin(list(self.pools))]
        return [
            f"{row.parameter}: {row.estimate:g} (90 % {row.low:g} to {row.high:g}), from "
            f"{row.n_events} events in {row.regime}."
            for row in pooled.itertuples()
        ]

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Show posteriors, regime by regime."""
        columns = ["series", "regime", "n_events", "background", "parameter"]
        shown = [*columns, "estimate", "low", "high", "rescaled_p"]
        kept = self._table[self._table["low"].notna()][shown]
        title = "branching ratio and mean delay: median and 90 % interval"
        return {title: kept.fillna({"series": "pooled"})}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """Draw the branching ratio of each regime."""
        return {"branching": lambda: plot_room().branching(self.fits)}


def excitation_table(
    fits: Sequence[RegimeFit], pools: Mapping[str, Pool] | None = None
) -> pd.DataFrame:
    """Tell what every regime says, then what pooled ones do: `ExcitationFits.table`.

    Parameters
    ----------
    fits
        What `fit_regimes` returns.
    pools
        Parameters of the scenario and what they are pooled from; to be given.
    """
    wanted = default("excitation_table(pools=)") if pools is None else pools
    return ExcitationFits(tuple(fits), wanted).table()


def _pooled_rows(name: str, pool: Pool, chosen: Sequence[RegimeFit]) -> list[dict[str, Any]]:
    # The drifting background alone: a constant one takes a level that moves for clustering.
    drifting = [fit.fits["drifting"] for fit in chosen]
    apparent = (pooled_decay if pool.is_decay else pooled_ratio)(drifting)
    incidents = draws_of_all_incidents(drifting, pool.kept, _N_DRAWS, _SEED)[int(pool.is_decay)]
    # Two rows: what the counted events show, and what that says of all incidents.
    head = {
        "group": pool.group or "all",
        "regime": f"{len(chosen)} regimes",
        "vintage": "; ".join(sorted({fit.days.vintage for fit in drifting})),
        "first": min(fit.regime.first for fit in chosen),
        "last": max(fit.regime.last for fit in chosen),
        "n_events": sum(fit.days.n_events for fit in drifting),
        "background": "drifting",
    }
    return [
        {
            **head,
            "parameter": f"{name} among events",
            **quantiles_of(apparent.draws(_N_DRAWS, _SEED, name)),
            "method": "predictive of a further regime",
        },
        {
            **head,
            "parameter": name,
            **quantiles_of(incidents),
            "method": f"the same of all incidents, of which events are {pool.kept:g} or more",
        },
    ]


def fitted_excitation(
    path: Path | None = None,
    as_of: dt.date | None = None,
    pools: Mapping[str, Pool] | None = None,
) -> list[Fitted]:
    """Read the distributions of the scenario's excitation parameters.

    Parameters
    ----------
    path
        A table as `excitation_table` returns it, as CSV; the one that comes with simlib when
        not given.
    as_of
        Fits to later days are refused; 31 December 2024 when not given.
    pools
        Parameters of the scenario and what they are pooled from; to be given.

    Raises
    ------
    ExcitationError
        The table cannot be read, lacks a parameter, or rests on later days.
    """
    pools = default("fitted_excitation(pools=)") if pools is None else pools
    source = path if path is not None else folder("seeds") / "fits" / "excitation.csv"
    barrier = as_of if as_of is not None else dt.date(2024, 12, 31)
    table = read_table(source, COLUMNS, ExcitationError)
    table.require("parameter", "last")
    found = {}
    try:
        for line, values in zip(table.rows, zip(*table.columns.values(), strict=True), strict=True):
            row = dict(zip(table.columns, values, strict=True))
            if dt.date.fromisoformat(row["last"]) > barrier:
                raise ExcitationError(
                    f"{table.file}:{line}: fitted to days up to {row['last']}, after {barrier}"
                )
            if row["parameter"] in pools:
                found[row["parameter"]] = _fitted(row, pools[row["parameter"]], barrier)
    except (KeyError, ValueError) as error:
        raise ExcitationError(f"{source}: no fits can be read ({error!r})") from error
    missing = sorted(set(pools) - set(found))
    if missing:
        raise ExcitationError(f"{source}: has no row of {missing[0]}")
    return [found[name] for name in sorted(found)]


def _fitted(row: dict[str, str], pool: Pool, as_of: dt.date) -> Fitted:
    if pool.is_decay:
        median, p95 = float(row["estimate"]), float(row["high"])
        distribution = {"lognormal": {"median": digits(median), "p95": digits(p95)}}
    else:
        mean, sd = float(row["mean"]), float(row["sd"])
        distribution = {"beta": beta_arguments(mean, sd**2, 0.0, HIGHEST_RATIO)}
    return Fitted(
        row["parameter"],
        distribution,
        pool.unit,
        f"{SOURCE}; {row['vintage']}; {row['n_events']} events in {row['regime']}, "
        f"{row['first']} to {row['last']}",
        "Hawkes process of daily counts with drifting monthly levels; regimes pooled with their "
        f"spread; {row['method']}",
        as_of,
    )
