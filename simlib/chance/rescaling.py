"""Distributions taken times a number and plus another, within their own family.

Location and spread are both taken times the number; what is added moves the location alone.
"""

from __future__ import annotations

import math

from simlib.chance.inversion_tables import Z95, Arguments

_LOCATIONS = {
    "fixed": ("value",),
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "normal": ("mean",),
    "truncated_normal": ("mean", "low", "high"),
    "student_t": ("location",),
}
_SPREADS = {"normal": "sd", "truncated_normal": "sd", "student_t": "scale"}
_SCALES = {
    "lognormal": ("median", "p95"),
    "gamma": ("mean",),
    "exponential": ("mean",),
    "weibull": ("median",),
}
"""Of distributions of positive numbers: arguments that are taken times as they are."""

Distribution = tuple[str, dict[str, float]]


def rescaled(kind: str, args: Arguments, times: float, add: float) -> Distribution:
    """The kind and arguments of the distribution of ``times * x + add``.

    Raises `ValueError` with the rule that is broken where the family has none.

    Examples
    --------
    >>> rescaled("triangular", {"low": 1, "mode": 2, "high": 4}, 2, 0.5)
    ('triangular', {'low': 2.5, 'mode': 4.5, 'high': 8.5})
    """
    if kind == "dirichlet":
        raise ValueError("must be given anew: shares that sum to 1 cannot be moved together")
    if times == 0:
        return "fixed", {"value": add}
    if kind in _LOCATIONS:
        return kind, _located(kind, args, times, add)
    if kind == "categorical":
        return kind, {repr(float(x) * times + add): weight for x, weight in args.items()}
    if kind == "beta":
        between = _stretched if "low" in args else _share
        return kind, between(args, times, add)
    if times < 0:
        raise ValueError(f"must be times 0 or more: a {kind} has no negative numbers")
    return kind, _shifted(kind, _scaled(kind, args, times), add)


def _located(kind: str, args: Arguments, times: float, add: float) -> dict[str, float]:
    """Arguments of a family that is closed under any change of location and scale."""
    moved = dict(args)
    for name in _LOCATIONS[kind]:
        moved[name] = args[name] * times + add
    if kind in _SPREADS:
        moved[_SPREADS[kind]] = args[_SPREADS[kind]] * abs(times)
    return _in_order(moved)


def _in_order(moved: dict[str, float]) -> dict[str, float]:
    if moved.get("low", 0.0) > moved.get("high", math.inf):  # mirrored by a negative number
        moved["low"], moved["high"] = moved["high"], moved["low"]
    return moved


def _stretched(args: Arguments, times: float, add: float) -> dict[str, float]:
    """A beta between two ends of its own."""
    ends = {end: args[end] * times + add for end in ("low", "high")}
    a, b = (args["a"], args["b"]) if times > 0 else (args["b"], args["a"])
    return {"a": a, "b": b, **_in_order(ends)}


def _share(args: Arguments, times: float, add: float) -> dict[str, float]:
    """A beta of shares, with the mean and standard deviation that the change gives.

    Shares stay between 0 and 1, so that the ends cannot move with the rest.
    """
    # Mean and variance of a beta (Johnson, Kotz and Balakrishnan, Continuous Univariate
    # Distributions 2, 1995, chapter 25): m = a / (a + b), v = m (1 - m) / (a + b + 1).
    a, b = args["a"], args["b"]
    mean = a / (a + b)
    sd = math.sqrt(mean * (1.0 - mean) / (a + b + 1.0))
    mean, sd = mean * times + add, sd * abs(times)
    # Solved for a + b given the new two; at 0 or less no beta is so wide.
    total = mean * (1.0 - mean) / sd**2 - 1.0
    moved = {"a": mean * total, "b": (1.0 - mean) * total}
    # Below 1, and below what both were, most of it would lie at the ends 0 and 1.
    if not min(moved.values()) >= min(1.0, a, b):
        got = f"got a mean of {mean:.3g} with a standard deviation of {sd:.2g}"
        raise ValueError(f"must leave a share between 0 and 1 ({got})")
    return moved


def _scaled(kind: str, args: Arguments, times: float) -> dict[str, float]:
    """Arguments of a distribution of positive numbers, taken times one."""
    moved = {n: x * times if n in _SCALES[kind] else x for n, x in args.items()}
    if "rate" in moved:
        moved["rate"] = args["rate"] / times
    return moved


def _shifted(kind: str, args: dict[str, float], add: float) -> dict[str, float]:
    """Arguments of a distribution of positive numbers, its location moved."""
    if add == 0:
        return args
    if kind == "lognormal":
        high = args["p95"] if "p95" in args else args["median"] * math.exp(Z95 * args["sigma"])
        moved = {"median": args["median"] + add, "p95": high + add}
    elif kind == "gamma":
        # The standard deviation mean / sqrt(shape) stays as it is.
        before = args["mean"] if "mean" in args else args["shape"] / args["rate"]
        mean = before + add
        moved = {"shape": args["shape"] * (mean / before) ** 2, "mean": mean}
    else:
        raise ValueError(f"must be times only: of a {kind} nothing can be added to")
    if not min(moved.values()) > 0:
        raise ValueError(f"must leave positive numbers, as every {kind} has")
    return moved
