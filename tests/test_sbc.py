"""Laws of simulation-based calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib.statistics.ranks import (
    rank_statistics,
    simulated_ranks,
    simultaneous_band,
    uniformity,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20241231


@pytest.mark.parametrize(("n_ranks", "n_values"), [(50, 20), (200, 100), (300, 64)])
def test_uniform_ranks_stay_inside_with_the_stated_probability(n_ranks: int, n_values: int) -> None:
    """4,000 sets of uniform ranks: .95 of them inside.

    Counts are whole, so the band holds at least .95; with these sizes the next smaller one
    holds less, at most .015 below. Standard error of the share: sqrt(.95 x .05 / 4000) = .0034.
    """
    band = simultaneous_band(n_ranks, n_values)
    ranks = np.random.default_rng(SEED).integers(0, n_values, (4000, n_ranks))
    below = (ranks[:, :, None] < np.arange(1, n_values + 1)).mean(axis=1)
    slack = 0.5 / n_ranks
    inside = ((below >= band.lower - slack) & (below <= band.upper + slack)).all(axis=1).mean()
    assert 0.95 - 3 * 0.0034 <= inside <= 0.965 + 3 * 0.0034


def test_a_band_of_one_rank_and_two_values_is_worked_out_by_hand() -> None:
    """One rank, two values: the count below 1 is 0 or 1, each with 1/2; .95 needs both."""
    band = simultaneous_band(1, 2)
    assert band.lower.tolist() == [0.0, 1.0]
    assert band.upper.tolist() == [1.0, 1.0]


def test_a_higher_probability_has_a_wider_band() -> None:
    narrow, wide = simultaneous_band(100, 50, 0.5), simultaneous_band(100, 50, 0.99)
    assert (wide.lower <= narrow.lower).all()
    assert (wide.upper >= narrow.upper).all()
    assert (wide.upper - wide.lower).sum() > (narrow.upper - narrow.lower).sum()


@pytest.mark.parametrize("arguments", [(0, 10, 0.95), (10, 1, 0.95), (10, 10, 1.0)])
def test_arguments_out_of_range_are_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="n_ranks must be"):
        simultaneous_band(*arguments)


def test_ranks_count_draws_below_and_ties_are_broken_by_lot() -> None:
    """A truth tied with all of four draws has each rank of 0 .. 4 equally often.

    Chi-squared of 5,000 lots with four degrees of freedom: below 18.5 with probability .999.
    """
    assert rank_statistics(np.array([2.5]), np.array([[1.0, 2.0, 3.0]]), 1).tolist() == [2]
    ranks = rank_statistics(np.ones(5000), np.ones((5000, 4)), SEED)
    counts = np.bincount(ranks, minlength=5)
    assert ((counts - 1000) ** 2 / 1000).sum() < 18.5
    with pytest.raises(ValueError, match="a row a truth"):
        rank_statistics(np.ones(3), np.ones((2, 4)), 1)


def _normal_mean(
    seed: int, width: float, shift: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a mean from N(0, 1) and its posterior from five observations of sd 1."""
    generator = np.random.default_rng(seed)
    truth = generator.normal()
    mean = (truth + generator.normal(0.0, 1.0, 5)).sum() / 6.0
    draws = generator.normal(mean + shift, width / np.sqrt(6.0), 39)
    return np.array([truth]), draws[None, :]


@pytest.mark.parametrize(
    ("width", "shift", "is_right"),
    [(1.0, 0.0, True), (0.6, 0.0, False), (1.7, 0.0, False), (1.0, 0.2, False)],
)
def test_an_exact_posterior_is_told_from_wrong_ones(
    width: float, shift: float, *, is_right: bool
) -> None:
    """Conjugate normal mean: posterior N(sum / 6, 1/6). Too narrow, too wide, off: not uniform."""
    ranks = simulated_ranks(lambda g: _normal_mean(g, width, shift), 400, SEED)
    assert ranks.shape == (1, 400)
    result = uniformity(ranks[0], 40)
    assert result.is_uniform is is_right
    assert (result.n_outside == 0) is is_right


def test_ranks_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="ranks must be in 0"):
        uniformity(np.array([0, 5]), 5)
