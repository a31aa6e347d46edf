"""What a set of replications says of an outcome, with its Monte Carlo error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Z95 = 1.959963984540054
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of an outcome table.

    Attributes
    ----------
    outcome, category
        The outcome; the class, for outcomes that are classes, else empty.
    kind
        ``number``, ``flag`` or ``class``.
    n, n_asked
        Replications it rests on; replications asked for, with those that failed.
    n_censored
        Replications in which it was not settled by the horizon (nan).
    mean
        Mean, or probability; nan where nothing was observed.
    mc_error
        Its Monte Carlo standard error.
    low, high
        95 % interval of the mean (normal) or of the probability (Wilson).
    q05, q50, q95
        Quantiles over replications; infinite where they fall among the censored.
    """

    outcome: str
    category: str
    kind: str
    unit: str
    n: int
    n_asked: int
    n_censored: int
    mean: float
    mc_error: float
    low: float
    high: float
    q05: float = math.nan
    q50: float = math.nan
    q95: float = math.nan

    @property
    def shown(self) -> str:
        """The estimate as text: a probability that was never seen has only a bound."""
        if self.kind == "number" or not self.n:
            return with_error(self.mean, self.mc_error) if self.n else "none observed"
        if self.mean == 0.0:
            return f"< 3/{self.n}"
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def wilson(n_yes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a probability.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if n == 0:
        return 0.0, 1.0
    share = n_yes / n
    scale = 1.0 + z * z / n
    center = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def of_number(name: str, unit: str, values: NDArray[np.float64], n_asked: int) -> Summary:
    """Sum up a number; nan is censored."""
    seen = values[~np.isnan(values)]
    n_censored = len(values) - len(seen)
    n = len(seen)
    mean = float(np.mean(seen)) if n else math.nan
    error = float(np.std(seen, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    low, high = mean - Z95 * error, mean + Z95 * error
    quantiles = [math.nan] * 3
    if len(values):
        # What is censored comes later than everything seen; a quantile cannot lie between.
        ranked = np.where(np.isnan(values), np.inf, values)
        method: Literal["inverted_cdf", "linear"] = "inverted_cdf" if n_censored else "linear"
        quantiles = [float(np.quantile(ranked, q, method=method)) for q in QUANTILES]
    return Summary(
        name, "", "number", unit, n, n_asked, n_censored, mean, error, low, high, *quantiles
    )


def of_flag(name: str, values: NDArray[np.float64], n_asked: int) -> Summary:
    """Sum up a yes/no kept as 1/0."""
    seen = values[~np.isnan(values)]
    n_yes = int(np.count_nonzero(seen))
    return _probability((name, "", "flag"), n_yes, len(seen), n_asked, len(values) - len(seen))


def of_classes(
    name: str, classes: Sequence[str], values: Sequence[str], n_asked: int
) -> list[Summary]:
    """Sum up an outcome that is a class: a line for each class, declared ones first."""
    others = sorted(set(values) - set(classes))
    rows = []
    for category in (*classes, *others):
        n_yes = sum(value == category for value in values)
        rows.append(_probability((name, category, "class"), n_yes, len(values), n_asked, 0))
    return rows


def number(value: float) -> str:
    """Return a number as short text: whole, or with three significant digits.

    Examples
    --------
    >>> number(1234.5), number(12.34), number(12.0), number(0.01234), number(float("inf"))
    ('1,234', '12.3', '12', '0.0123', '> end')
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "> end"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{_decimals(value, 3)}f}"


def with_error(mean: float, error: float) -> str:
    """Return a mean with its error, both to the error's second digit.

    Examples
    --------
    >>> with_error(29.9849, 1.1722), with_error(8123.4, 219.0), with_error(3.0, 0.0)
    ('30.0 ± 1.2', '8,123 ± 219', '3 ± 0')
    """
    if math.isnan(error) or error == 0.0:
        return f"{number(mean)} ± {number(error)}"
    decimals = _decimals(error, 2)
    return f"{mean:,.{decimals}f} ± {error:,.{decimals}f}"


def _decimals(value: float, digits: int) -> int:
    return min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 8)


def _probability(
    what: tuple[str, str, str], n_yes: int, n: int, n_asked: int, n_censored: int
) -> Summary:
    share = n_yes / n if n else math.nan
    error = math.sqrt(share * (1.0 - share) / n) if n else math.nan
    low, high = wilson(n_yes, n)
    return Summary(*what, "", n, n_asked, n_censored, share, error, low, high)
