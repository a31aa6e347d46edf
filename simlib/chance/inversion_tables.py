"""Laws of counts as cumulative tables, which kernel and oracle share.

Vector functions change bits with the processor's instruction set, so tables are made
with scalar ones. What lies past a law's cap is counted at the cap.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arguments: TypeAlias = Mapping[str, float]

Z95 = 1.6448536269514722
"""95 % quantile of the standard normal."""

COUNT_LAWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "severity": (("one", "mean", "exponent"), ("one", "mean", "exponent", "cap")),
    "poisson": (("mean",),),
    "geometric": (("mean",),),
    "one_plus_geometric": (("mean",),),
    "lognormal": (("median", "p95"),),
    "fixed": (("value",),),
}
"""Law -> the sets of arguments it may be given; each may have a `least` beside them."""
LEAST = "least"
"""The count is given to be so many or more."""

SMALL_CAP = 256
"""Cap of Poisson, geometric and fixed counts."""
SEVERITY_CAP = 1000
LOGNORMAL_CAP = 5000
MOST_POISSON_MEAN = 150.0
"""A Poisson count of this mean passes the cap with a probability below 1e-13."""
MOST_GEOMETRIC_MEAN = 25.0
"""A geometric count of this mean passes the cap with a probability below 5e-5."""
MOST_BELOW = 1.0 - 1e-6
"""Highest probability below a `least`: what is divided by it must be a number to trust."""


def spell(number: float) -> str:
    """A number as a person would write it: ``3``, ``0.25``, ``1e+300``."""
    return f"{number:.10g}"


def check_names(allowed: tuple[tuple[str, ...], ...], args: Arguments) -> list[str]:
    """The rule broken by names of arguments that must be one of some sets."""
    if any(set(names) == set(args) for names in allowed):
        return []
    meant = " or ".join("{" + ", ".join(names) + "}" for names in allowed)
    got = "{" + ", ".join(args) + "}"
    return [f"arguments must be {meant} (got {got})"]


def check_signs(positive: Iterable[str], args: Arguments) -> list[str]:
    """A rule for each argument given that must be above 0 and is not."""
    return [
        f"{name} must be > 0 (got {spell(args[name])})"
        for name in positive
        if name in args and not args[name] > 0
    ]


def check_count(law: str, args: Arguments) -> list[str]:
    """The rules that a law of counts breaks, each with the value met.

    Examples
    --------
    >>> check_count("severity", {"one": 0.5, "mean": 1.2, "exponent": 2.5})
    ['mean must be between 1.5 and 251 (got 1.2)']
    """
    if law not in COUNT_LAWS:
        return [f"unknown law of counts (got {law!r})"]
    own = {name: value for name, value in args.items() if name != LEAST}
    wrong = check_names(COUNT_LAWS[law], own) or _CHECKS[law](own)
    return wrong or _check_least(law, args)


def _check_least(law: str, args: Arguments) -> list[str]:
    least = args.get(LEAST, 0.0)
    if not (0 <= least <= LOGNORMAL_CAP and least == math.floor(least)):
        return [f"least must be a whole number from 0 to {LOGNORMAL_CAP} (got {spell(least)})"]
    own = {name: value for name, value in args.items() if name != LEAST}
    if _share_below(count_table(law, own), int(least)) > MOST_BELOW:
        return [f"least must be a count that the law has (got {spell(least)})"]
    return []


def _share_below(table: NDArray[np.float64], least: int) -> float:
    """The probability of fewer than so many."""
    return float(table[min(least, len(table)) - 1]) if least > 0 else 0.0


def _check_severity(args: Arguments) -> list[str]:
    wrong = check_signs(("exponent",), args)
    one, cap = args["one"], args.get("cap", SEVERITY_CAP)
    if not 0 <= one <= 1:
        wrong.append(f"one must be a probability, 0 to 1 (got {spell(one)})")
    if not (3 <= cap <= LOGNORMAL_CAP and cap == math.floor(cap)):
        wrong.append(f"cap must be a whole number from 3 to {LOGNORMAL_CAP} (got {spell(cap)})")
    if wrong:
        return wrong
    low, high = 2 - one, one + (1 - one) * (2 + cap) / 2
    if low <= args["mean"] < high or (one == 1 and args["mean"] == 1):
        return []
    return [f"mean must be between {spell(low)} and {spell(high)} (got {spell(args['mean'])})"]


def _check_mean(low: float, high: float) -> Callable[[Arguments], list[str]]:
    def checked(args: Arguments) -> list[str]:
        if low <= args["mean"] <= high:
            return []
        got = spell(args["mean"])
        return [f"mean must be between {spell(low)} and {spell(high)} (got {got})"]

    return checked


def _check_lognormal(args: Arguments) -> list[str]:
    wrong = check_signs(("median",), args)
    if not args["p95"] > args["median"]:
        got = f"{spell(args['p95'])} <= {spell(args['median'])}"
        wrong.append(f"p95 must be > median (got {got})")
    if not args["p95"] <= LOGNORMAL_CAP:
        wrong.append(f"p95 must be <= {LOGNORMAL_CAP} (got {spell(args['p95'])})")
    return wrong


def _check_fixed(args: Arguments) -> list[str]:
    value = args["value"]
    if 0 <= value <= SMALL_CAP and value == math.floor(value):
        return []
    return [f"value must be a whole number from 0 to {SMALL_CAP} (got {spell(value)})"]


_CHECKS: dict[str, Callable[[Arguments], list[str]]] = {
    "severity": _check_severity,
    "poisson": _check_mean(0.0, MOST_POISSON_MEAN),
    "geometric": _check_mean(0.0, MOST_GEOMETRIC_MEAN),
    "one_plus_geometric": _check_mean(1.0, 1.0 + MOST_GEOMETRIC_MEAN),
    "lognormal": _check_lognormal,
    "fixed": _check_fixed,
}


def count_table(law: str, args: Arguments) -> NDArray[np.float64]:
    """The cumulative probabilities of the counts 0, 1, ... up to the cap.

    The count of a uniform u is the smallest k with ``u < table[k]``; the last entry is 1.
    `check_count` finds nothing wrong with the law. ``severity`` has support 1, 2, ...:
    ``P(1) = one``, and for k >= 2 a probability in proportion to ``(k + q) ** -exponent`` with
    q such that the mean holds. With a ``least``, these are the probabilities given that the
    count is so many or more.
    """
    return _table(law, tuple(sorted(args.items())))


@functools.lru_cache(maxsize=512)
def _table(law: str, items: tuple[tuple[str, float], ...]) -> NDArray[np.float64]:
    args = dict(items)
    least = int(args.pop(LEAST, 0.0))
    table = np.array(_TABLES[law](args), dtype=np.float64)
    table[-1] = 1.0
    below = _share_below(table, least)
    # P(X <= k | X >= least) = (F(k) - F(least - 1)) / (1 - F(least - 1)), 0 below the least.
    table = np.maximum(0.0, table - below) / (1.0 - below)
    table.flags.writeable = False
    return table


def _cumulative(probabilities: Iterable[float]) -> list[float]:
    return [min(total, 1.0) for total in itertools.accumulate(probabilities)]


def _severity(args: Arguments) -> list[float]:
    one, exponent = args["one"], float(args["exponent"])
    cap = int(args.get("cap", SEVERITY_CAP))
    if one >= 1:
        return [0.0, 1.0]
    wanted = (args["mean"] - one) / (1 - one)
    shift = _shift(wanted, exponent, cap)
    weights = [((k + shift) / (2.0 + shift)) ** -exponent for k in range(2, cap + 1)]
    scale = (1 - one) / math.fsum(weights)
    return _cumulative([0.0, one, *(weight * scale for weight in weights)])


def _mean_above_one(log_shift: float, exponent: float, cap: int) -> float:
    """The mean of a severity of 2 or more whose q is exp(log_shift) - 2."""
    shift = math.exp(log_shift)
    weights = [((k - 2 + shift) / shift) ** -exponent for k in range(2, cap + 1)]
    moment = math.fsum(k * weight for k, weight in zip(range(2, cap + 1), weights, strict=True))
    return moment / math.fsum(weights)


def _shift(wanted: float, exponent: float, cap: int) -> float:
    """The q at which the mean of a severity of 2 or more is as wanted.

    The mean rises with q, from 2 at q = -2 towards that of equal weights. By hand,
    because importing ``scipy.optimize`` for it would take each worker half a second.
    """
    # log(q + 2) is sought: on this scale the mean is an even slope over many magnitudes.
    low, high = -30.0, 30.0
    below = _mean_above_one(low, exponent, cap) - wanted
    above = _mean_above_one(high, exponent, cap) - wanted
    if below >= 0:
        return math.exp(low) - 2
    if above <= 0:
        return math.exp(high) - 2
    # False position, in the Illinois variant: an end that stays twice has its error halved,
    # so that both ends close in (M. Dowell and P. Jarratt, 1971, doi:10.1007/BF01934364).
    side = 0
    for _ in range(200):
        middle = (low * above - high * below) / (above - below)
        error = _mean_above_one(middle, exponent, cap) - wanted
        if abs(error) < 1e-12 * wanted or high - low < 1e-14:
            break
        if error > 0:
            high, above = middle, error
            below = below / 2 if side == 1 else below
            side = 1
        else:
            low, below = middle, error
            above = above / 2 if side == -1 else above
            side = -1
    return math.exp(middle) - 2


def _poisson(args: Arguments) -> list[float]:
    probability = math.exp(-args["mean"])
    probabilities = [probability]
    for k in range(1, SMALL_CAP + 1):
        probability *= args["mean"] / k
        probabilities.append(probability)
    return _cumulative(probabilities)


def _geometric(args: Arguments) -> list[float]:
    go_on = args["mean"] / (1 + args["mean"])
    probabilities = [1 - go_on]
    for _ in range(SMALL_CAP):
        probabilities.append(probabilities[-1] * go_on)
    return _cumulative(probabilities)


def _one_plus_geometric(args: Arguments) -> list[float]:
    return [0.0, *_geometric({"mean": args["mean"] - 1})[:-1]]


def _lognormal(args: Arguments) -> list[float]:
    middle = math.log(args["median"])
    width = math.log(args["p95"] / args["median"]) / Z95 * math.sqrt(2)
    return [0.5 * math.erfc((middle - math.log(k + 1)) / width) for k in range(LOGNORMAL_CAP + 1)]


def _fixed(args: Arguments) -> list[float]:
    return [0.0] * int(args["value"]) + [1.0]


_TABLES: dict[str, Callable[[Arguments], list[float]]] = {
    "severity": _severity,
    "poisson": _poisson,
    "geometric": _geometric,
    "one_plus_geometric": _one_plus_geometric,
    "lognormal": _lognormal,
    "fixed": _fixed,
}


def count_mean(law: str, args: Arguments) -> float:
    """The mean of a law's table."""
    table = count_table(law, args)
    return math.fsum(1.0 - float(cumulative) for cumulative in table[:-1])
