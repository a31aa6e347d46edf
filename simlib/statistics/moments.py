"""Distributions with given moments, as scenarios spell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


ROUNDING = 1e-9
"""Of the larger of two numbers: less than that lies between them by rounding alone."""


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The second less the first; what rounding alone makes of equal numbers is no difference.

    Examples
    --------
    >>> difference(np.array([0.3, 1.0]), np.array([0.1 + 0.2, 3.0]))
    array([0., 2.])
    """
    change = other - one
    least = ROUNDING * np.maximum(np.abs(one), np.abs(other))
    return np.where(np.abs(change) <= least, 0.0, change)


def weighted_moments(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Take mean and variance of values with weights that sum to 1."""
    mean = float(weights @ values)
    return mean, float(weights @ (values - mean) ** 2)


def beta(mean: float, variance: float) -> tuple[float, float]:
    """Give both parameters of the beta distribution on [0, 1] with a mean and a variance."""
    precision = mean * (1.0 - mean) / variance - 1.0
    return mean * precision, (1.0 - mean) * precision


def gamma(mean: float, variance: float) -> dict[str, dict[str, float]]:
    """Spell the gamma distribution with a mean and a variance, as a scenario has it."""
    return {"gamma": {"shape": mean**2 / variance, "mean": mean}}


def beta_arguments(mean: float, variance: float, low: float, high: float) -> dict[str, float]:
    """The beta on [low, high] with a mean and a variance; ends of 0 and 1 are left out.

    Raises
    ------
    ValueError
        No beta has such moments: the mean lies outside, or two points at the ends vary less.

    Examples
    --------
    >>> beta_arguments(0.25, 0.0375, 0.0, 1.0)
    {'a': 1.0, 'b': 3.0}
    """
    width = high - low
    share = (mean - low) / width
    if not 0.0 < share < 1.0 or not 0.0 < variance < share * (1.0 - share) * width**2:
        raise ValueError(f"no beta on [{low}, {high}] has mean {mean} and variance {variance}")
    concentration = share * (1.0 - share) * width**2 / variance - 1.0
    arguments = {"a": digits(share * concentration), "b": digits((1.0 - share) * concentration)}
    if (low, high) != (0.0, 1.0):
        arguments |= {"low": low, "high": high}
    return arguments


def digits(value: float) -> float:
    """A value to four digits: no fit here knows more."""
    return float(f"{value:.4g}")
