"""P(extension) given what is known at a date: a table, and a logistic regression that is judged.

The regression is fitted on every other replication and judged on the rest, by the
quadratic score (G. W. Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2)
and the logarithmic one, against the share of extensions where it was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simlib.analysis.columns import in_words
from simlib.analysis.selection.observables import Observable, encoded
from simlib.errors import Problem, ScenarioError
from simlib.finding import Finding, plot_room
from simlib.scenario.requests import more_needed
from simlib.scenario.spelling import words
from simlib.statistics.formatting import with_error
from simlib.statistics.intervals import standard_error, wilson
from simlib.statistics.regression import FOLDS, one_thread
from simlib.statistics.resampling import redrawn

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

PENALTIES = tuple(float(c) for c in np.logspace(-3, 1, 5))
"""Inverse strengths of the ridge penalty among which cross-validation chooses."""
MOST = 3.0
"""Standard deviations that an input counts at most."""
RESAMPLES = 200
MOST_SHOWN = 12
"""Coefficients that are shown on a screen."""
FEWEST = FOLDS
"""Extensions, and others, that each half must have."""
BANDS = 4
"""Groups of equal size in which forecasts are held against what came."""


@dataclass(frozen=True, slots=True)
class ForecastScore:
    """How far forecasts are from what came, and how far the base rate is; less is better.

    Attributes
    ----------
    name
        ``Brier`` or ``log``.
    model, base
        Mean score of the forecasts, and of the share of extensions in the fitted half.
    gain, gain_error
        `base` less `model`, with its Monte Carlo standard error (paired).
    """

    name: str
    model: float
    base: float
    gain: float
    gain_error: float

    def sentence(self, n_judged: int) -> str:
        """Say whether forecasts are better than the base rate, over so many replications."""
        is_better = self.gain > 2.0 * self.gain_error
        verdict = "better than" if is_better else "not clearly better than"
        return (
            f"{self.name} score of forecasts from what is known on that day, over {n_judged} "
            f"replications that they were not fitted on: {self.model:.4f} against {self.base:.4f} "
            f"of the base rate (gain {with_error(self.gain, self.gain_error)}): {verdict} the base "
            "rate."
        )


@dataclass(frozen=True, slots=True)
class DecisionForecast(Finding):
    """What is known at a date says of an extension later on.

    Attributes
    ----------
    date
        What is known by its first instant is used.
    n, n_decided, n_open, n_extended
        Replications; those in which an extension had been agreed by the date; the others;
        those of the others in which one was agreed later.
    scores
        Over the judged half.
    n_judged
        Its size.
    """

    stem: ClassVar[str] = "extension_by_observable"

    date: dt.date
    n: int
    n_decided: int
    n_open: int
    n_extended: int
    n_judged: int
    scores: tuple[ForecastScore, ...]
    groups: pd.DataFrame
    """A row a third of an observable (or a state of a posture), with P(extension)."""
    coefficients: pd.DataFrame
    """Log odds per standard deviation of each input, with bootstrap intervals."""
    calibration: pd.DataFrame
    """A row a band of forecasts, with the share that was extended."""

    def table(self) -> pd.DataFrame:
        """P(extension) by what is known."""
        return self.groups

    def briefs(self) -> dict[str, pd.DataFrame]:
        """All three tables under their titles, of the coefficients the largest."""
        return {
            "P(extension) by what is known": in_words(self.groups, {}),
            "logistic regression, largest coefficients": in_words(
                self.coefficients.head(MOST_SHOWN), {}
            ),
            "forecasts against what came": self.calibration,
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Groups, coefficients and calibration."""
        return {
            self.stem: self.groups,
            "extension_coefficients": self.coefficients,
            "extension_calibration": self.calibration,
        }

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """P(extension) by groups of what is known."""
        return {"extension_forecast": lambda: plot_room().extension_forecast(self)}

    def sentences(self) -> list[str]:
        """Say how many are extended, and whether what is known forecasts it."""
        clear = self.coefficients.query("low > 0 or high < 0").head(5)
        inputs = [
            f"{words(str(row.input))} ({row.log_odds_per_sd:+.2f})" for row in clear.itertuples()
        ]
        return [
            (
                f"By {self.date} an extension was agreed in {self.n_decided} of {self.n} "
                f"replications ({self.n_decided / self.n:.1%}). Of the other {self.n_open}, "
                f"{self.n_extended} ({self.n_extended / self.n_open:.1%}) were extended later."
            ),
            *(score.sentence(self.n_judged) for score in self.scores),
            (
                "Inputs whose coefficient's interval excludes 0 (log odds per standard deviation, "
                f"shrunk; of {len(self.coefficients)} inputs some do by luck): "
                f"{', '.join(inputs) or 'none'}."
            ),
        ]


def forecast(
    date: dt.date,
    observables: tuple[Observable, ...],
    known: NDArray[np.float64],
    is_extended: NDArray[np.bool_],
    *,
    is_open: NDArray[np.bool_],
    root_seed: int,
) -> DecisionForecast:
    """Relate what is known at a date, shape (n, len(observables)), to extensions after it.

    Of each replication it is told whether an extension is agreed in the end, and whether none
    was by the date. The root seed is the key of the bootstrap's uniforms.

    Raises
    ------
    ScenarioError
        Too few are extended later, or too few are not.
    """
    y = is_extended[is_open]
    names, x = encoded(observables, known[is_open])
    fitted, judged = slice(0, None, 2), slice(1, None, 2)
    for half in (y[fitted], y[judged]):
        fewer = min(int(half.sum()), int((~half).sum())) if len(half) else 0
        if fewer < FEWEST:
            rule = f"{int(y.sum())} of {len(y)} open replications are extended after {date}"
            more = more_needed(2 * FEWEST, int(min(y.sum(), (~y).sum())), len(known))
            hint = f"each half of them needs {FEWEST} of either kind: {more}"
            raise ScenarioError([Problem("replications", rule, hint)])
    with one_thread():
        p = _fit(x[fitted], y[fitted]).predict_proba(x[judged])[:, 1]
        coefficients = _coefficients(names, x, y, root_seed)
    return DecisionForecast(
        date=date,
        n=len(is_open),
        n_decided=int((~is_open).sum()),
        n_open=len(y),
        n_extended=int(y.sum()),
        n_judged=len(p),
        scores=_scores(p, y[judged], float(y[fitted].mean())),
        groups=_groups(observables, known[is_open], y),
        coefficients=coefficients,
        calibration=_calibration(p, y[judged]),
    )


def _fit(x: NDArray[np.float64], y: NDArray[np.bool_]) -> Any:
    """A logistic regression on standardized inputs, its penalty cross-validated.

    An input counts at most `MOST` standard deviations: what hardly varied where it was
    fitted must not decide elsewhere.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    bound = FunctionTransformer(np.clip, kw_args={"a_min": -MOST, "a_max": MOST})
    pipeline = make_pipeline(StandardScaler(), bound, LogisticRegression(solver="newton-cholesky"))
    grid = {"logisticregression__C": PENALTIES}
    search = GridSearchCV(pipeline, grid, cv=FOLDS, scoring="neg_log_loss")
    return search.fit(x, y).best_estimator_


def _scores(p: NDArray[np.float64], y: NDArray[np.bool_], base: float) -> tuple[ForecastScore, ...]:
    def log_score(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return -np.log(np.where(y, q, 1.0 - q))

    constant = np.full(len(y), base)
    kinds = {"Brier": lambda q: (q - y) ** 2, "log": log_score}
    found = []
    for name, score in kinds.items():
        model, usual = score(p), score(constant)
        gain = usual - model
        error = standard_error(gain)
        found.append(
            ForecastScore(name, float(model.mean()), float(usual.mean()), float(gain.mean()), error)
        )
    return tuple(found)


def _groups(
    observables: tuple[Observable, ...], known: NDArray[np.float64], y: NDArray[np.bool_]
) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for observable, column in zip(observables, known.T, strict=True):
        parts = _states(observable, column) if observable.states else _thirds(column)
        for label, span, is_in in parts:
            n, n_yes = int(is_in.sum()), int(y[is_in].sum())
            low, high = wilson(n_yes, n)
            rows.append((observable.name, observable.unit, label, span, n, n_yes / n, low, high))
    head = ("observable", "unit", "group", "range", "n", "p_extension", "low", "high")
    return pd.DataFrame(rows, columns=list(head))


def _states(
    observable: Observable, column: NDArray[np.float64]
) -> list[tuple[str, str, NDArray[np.bool_]]]:
    masks = [(state, column == i) for i, state in enumerate(observable.states)]
    return [(state, state, mask) for state, mask in masks if mask.any()]


def _thirds(column: NDArray[np.float64]) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """Three groups as equal as ties allow; fewer where most values are the same."""
    cuts = np.quantile(column, [1 / 3, 2 / 3])
    masks = {
        "low": column <= cuts[0],
        "middle": (column > cuts[0]) & (column <= cuts[1]),
        "high": column > cuts[1],
    }
    if np.ptp(column) == 0.0:
        return []
    return [
        (name, f"{column[mask].min():,.0f} to {column[mask].max():,.0f}", mask)
        for name, mask in masks.items()
        if mask.any()
    ]


def _coefficients(
    names: list[str], x: NDArray[np.float64], y: NDArray[np.bool_], root_seed: int
) -> pd.DataFrame:
    """The coefficients of a regression on all open replications, with their intervals.

    Replications are resampled; penalty and scales stay.
    """
    import pandas as pd
    from sklearn.base import clone

    model = _fit(x, y)
    bounded, regression = model[:-1].transform(x), model[-1]
    draws = np.empty((RESAMPLES, len(names)))
    for k in range(RESAMPLES):
        rows = redrawn(root_seed, k, len(y), "readings")
        draws[k] = clone(regression).fit(bounded[rows], y[rows]).coef_[0]
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    table = pd.DataFrame(
        {"input": names, "log_odds_per_sd": regression.coef_[0], "low": low, "high": high}
    )
    order = table["log_odds_per_sd"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _calibration(p: NDArray[np.float64], y: NDArray[np.bool_]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for members in np.array_split(np.argsort(p, kind="stable"), BANDS):
        n_yes = int(y[members].sum())
        low, high = wilson(n_yes, len(members))
        rows.append((len(members), float(p[members].mean()), n_yes / len(members), low, high))
    return pd.DataFrame(rows, columns=["n", "mean_forecast", "share_extended", "low", "high"])
