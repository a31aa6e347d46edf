"""What history alone says of a question: the forecaster that a ledger is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.chance.distributions import KINDS, quantile
from simlib.chance.distributions import check as broken_arguments
from simlib.scenario.schema import Model, Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

LEVELS = np.round(np.arange(0.005, 1.0, 0.01), 3)
"""Levels of every frozen quantile: the middles of 100 equal parts of (0, 1)."""
LARGEST = 1e100
"""Largest number that is asked about or answered: sums and squares of it are still numbers."""
MOST_SUMS = 20_000
"""Most sums that values drawn with replacement may have."""
_NEARLY_ONE = 1e-9
_FORMS = ("probability", "classes", "values", "distribution")
_OF_KIND = {
    "binary": ("probability",),
    "classes": ("classes",),
    "number": ("values", "distribution"),
}


class BaseRate(Model):
    """A forecast without the model, from what was known at the scenario's ``as_of``."""

    source: str
    """Rows of the register, or the history, that it is drawn from."""
    probability: float | None = None
    """Of a yes."""
    classes: dict[Name, float] | None = None
    """Probability by class; they sum to 1, and a class that is not named has 0."""
    values: tuple[float, ...] = ()
    """Past values, each as likely as the others."""
    times: float = 1.0
    """How many values, drawn with replacement, are added up: 12 months make a year."""
    distribution: dict[str, dict[str, float]] | None = None
    """As of a parameter."""

    def quantiles(self) -> NDArray[np.float64]:
        """The quantiles at `LEVELS` of the base forecast of a number."""
        if self.distribution is not None:
            ((kind, arguments),) = self.distribution.items()
            return np.array([quantile(kind, arguments, float(level)) for level in LEVELS])
        sums, weights = added(self.values, int(self.times))
        # The smallest sum whose cumulative probability reaches the level.
        reached = np.searchsorted(np.cumsum(weights), LEVELS - _NEARLY_ONE)
        return sums[np.minimum(reached, len(sums) - 1)]


def added(values: Sequence[float], times: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every sum of so many values drawn with replacement, and its probability.

    Exact, by convolution of the law of one draw, in which each value is as likely as the others.

    Raises
    ------
    ValueError
        There are more than `MOST_SUMS` sums.

    Examples
    --------
    >>> sums, weights = added([0, 1], 2)
    >>> sums.tolist(), weights.tolist()
    ([0.0, 1.0, 2.0], [0.25, 0.5, 0.25])
    """
    one: dict[float, float] = {}
    for value in values:
        one[value] = one.get(value, 0.0) + 1.0 / len(values)
    steps, chances = np.array(list(one)), np.array(list(one.values()))
    sums, weights = np.zeros(1), np.ones(1)
    for _ in range(times):
        reached = np.add.outer(sums, steps).ravel()
        found, first, which = np.unique(reached, return_index=True, return_inverse=True)
        if len(found) > MOST_SUMS:
            raise ValueError(f"more than {MOST_SUMS} sums")
        # Weights are added in the order in which sums are met: so are their last bits.
        order = np.argsort(first)
        place = np.argsort(order)[which]
        sums, weights = (
            found[order],
            np.bincount(place, np.outer(weights, chances).ravel()).astype(np.float64),
        )
    order = np.argsort(sums)
    return sums[order], weights[order]


def broken_base(base: BaseRate, kind: str, classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Iterate over what is wrong with a base forecast: key and rule."""
    given = [key for key in _FORMS if getattr(base, key) not in (None, ())]
    allowed = _OF_KIND[kind]
    if len(given) != 1 or given[0] not in allowed:
        got = ", ".join(given) or "none"
        yield "base", f"must have {' or '.join(allowed)} where the kind is {kind} (got {got})"
        return
    yield from {
        "probability": _of_probability,
        "classes": lambda base: _of_classes(base, classes),
        "values": _of_values,
        "distribution": _of_distribution,
    }[given[0]](base)


def _of_probability(base: BaseRate) -> Iterator[tuple[str, str]]:
    if base.probability is not None and not 0.0 <= base.probability <= 1.0:
        yield "base.probability", f"must be between 0 and 1 (got {base.probability:g})"


def _of_classes(base: BaseRate, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    classes = base.classes or {}
    for name, value in classes.items():
        if known and name not in known:
            yield f"base.classes.{name}", f"undefined class; one of {', '.join(known)}"
        if not 0.0 <= value <= 1.0:
            yield f"base.classes.{name}", f"must be between 0 and 1 (got {value:g})"
    total = sum(classes.values())
    if abs(total - 1.0) > _NEARLY_ONE:
        yield "base.classes", f"must sum to 1 (got {total:.10g})"


def _of_values(base: BaseRate) -> Iterator[tuple[str, str]]:
    if not (1.0 <= base.times <= 36.0 and base.times == int(base.times)):
        yield "base.times", f"must be a whole number from 1 to 36 (got {base.times:g})"
    elif len(base.values) > 60:
        yield "base.values", f"must be at most 60 (got {len(base.values)})"
    elif max(map(abs, base.values)) > LARGEST:
        got = max(base.values, key=abs)
        yield "base.values", f"must be from -{LARGEST:g} to {LARGEST:g} (got {got:g})"
    else:
        yield from _of_sums(base)


def _of_sums(base: BaseRate) -> Iterator[tuple[str, str]]:
    try:
        added(base.values, int(base.times))
    except ValueError:
        rule = f"must have at most {MOST_SUMS} different sums of {base.times:g}"
        yield "base.values", f"{rule} (got {len(base.values)} values)"


def _of_distribution(base: BaseRate) -> Iterator[tuple[str, str]]:
    distribution = base.distribution or {}
    if len(distribution) != 1 or not KINDS.keys() >= distribution.keys():
        got = ", ".join(distribution)
        yield "base.distribution", f"must name one distribution of parameters (got {got})"
        return
    ((kind, arguments),) = distribution.items()
    rules = broken_arguments(kind, arguments)
    if not rules and max(abs(quantile(kind, arguments, u)) for u in (0.0, 1.0)) > LARGEST:
        rules = [f"must be from -{LARGEST:g} to {LARGEST:g} at both ends"]
    for rule in rules:
        yield f"base.distribution.{kind}", rule
