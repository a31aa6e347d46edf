"""Named distributions, drawn by inversion from one uniform.

Arguments are spelt by key, never by position. Only scalar functions decide here: vector
ones change bits with the processor's instruction set.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from simlib.chance.inversion_tables import Z95, Arguments, check_names, check_signs, spell

KINDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "fixed": (("value",),),
    "uniform": (("low", "high"),),
    "triangular": (("low", "mode", "high"),),
    "normal": (("mean", "sd"),),
    "truncated_normal": (("mean", "sd", "low", "high"),),
    "lognormal": (("median", "p95"), ("median", "sigma")),
    "beta": (("a", "b"), ("a", "b", "low", "high")),
    "gamma": (("shape", "mean"), ("shape", "rate")),
    "student_t": (("df", "location", "scale"),),
    "exponential": (("mean",),),
    "weibull": (("shape", "median"),),
    "categorical": (),
    "dirichlet": (),
}
"""Kind -> the sets of arguments it may be given; those without a set name their own."""

_POSITIVE = {
    "normal": ("sd",),
    "truncated_normal": ("sd",),
    "lognormal": ("median", "p95", "sigma"),
    "beta": ("a", "b"),
    "gamma": ("shape", "mean", "rate"),
    "student_t": ("df", "scale"),
    "exponential": ("mean",),
    "weibull": ("shape", "median"),
}
_ORDERED = {
    "uniform": (("low", "high"),),
    "triangular": (("low", "mode"), ("mode", "high")),
    "truncated_normal": (("low", "high"),),
    "lognormal": (("median", "p95"),),
    "beta": (("low", "high"),),
}
_LEAST = 2.0**-54
_MOST = 1.0 - 2.0**-53


@functools.cache
def _special() -> Any:
    """SciPy's scalar special functions, loaded when first needed."""
    return importlib.import_module("scipy.special.cython_special")


def check(kind: str, args: Arguments) -> list[str]:
    """The rules that a distribution breaks, each with the value met.

    Examples
    --------
    >>> check("uniform", {"low": 3, "high": 2})
    ['low must be <= high (got 3 > 2)']
    """
    if kind not in KINDS:
        return [f"unknown distribution (got {kind!r})"]
    if kind in {"categorical", "dirichlet"}:
        return _check_weights(kind, args)
    wrong = check_names(KINDS[kind], args)
    return wrong or _check_values(kind, args)


def _check_values(kind: str, args: Arguments) -> list[str]:
    """The rules that values of named arguments break."""
    wrong = check_signs(_POSITIVE.get(kind, ()), args)
    wrong += [
        f"{low} must be <= {high} (got {spell(args[low])} > {spell(args[high])})"
        for low, high in _ORDERED.get(kind, ())
        if low in args and high in args and not args[low] <= args[high]
    ]
    if not wrong and kind == "truncated_normal" and not _between(args) > 0:
        wrong.append("low to high must hold some probability (got none)")
    return wrong or _check_finite(kind, args)


def _check_finite(kind: str, args: Arguments) -> list[str]:
    """A rule that is broken when an end of the distribution overflows."""
    try:
        ends = [quantile(kind, args, u) for u in (0.0, 1.0)]
    except (ArithmeticError, ValueError):
        ends = [math.inf]
    return [] if all(map(math.isfinite, ends)) else ["must be finite at both ends (got inf)"]


def _check_weights(kind: str, args: Arguments) -> list[str]:
    """The rules that weights break; they are named by the values they belong to."""
    rule = ">= 0" if kind == "categorical" else "> 0"
    wrong = [
        f"weight of {name} must be {rule} (got {spell(weight)})"
        for name, weight in args.items()
        if not (weight > 0 or (kind == "categorical" and weight == 0))
    ]
    if len(args) < 2:
        wrong.append(f"must have at least two weights (got {len(args)})")
    if kind == "categorical" and not wrong:
        wrong = [f"value must be a number (got {n!r})" for n in args if not _is_number(n)]
        total = math.fsum(args.values())
        if abs(total - 1) > 1e-9:
            wrong.append(f"weights must sum to 1 (got {spell(total)})")
    if kind == "dirichlet" and not wrong and not _has_shares(args):
        least, most = spell(min(args.values())), spell(max(args.values()))
        wrong = [f"weights must give finite shares (got {least} to {most})"]
    return wrong


def _has_shares(weights: Arguments) -> bool:
    """Whether the shares of a Dirichlet are numbers: weights may be too small or too large."""
    try:
        ends = [dirichlet(weights, [u] * len(weights)) for u in (0.0, 0.5, _MOST)]
        total = math.fsum(weights.values())
    except OverflowError:
        return False
    return math.isfinite(total) and all(map(math.isfinite, (s for e in ends for s in e.values())))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def quantile(kind: str, args: Arguments, u: float) -> float:
    """The value below which a share u of a distribution, no Dirichlet, lies.

    `check` finds nothing wrong with it; u lies in [0, 1), and 0 is read as 2**-54, so that the
    result is finite.
    """
    return _QUANTILES[kind](args, min(max(u, _LEAST), _MOST))


def _fixed(args: Arguments, _u: float) -> float:
    return args["value"]


def _uniform(args: Arguments, u: float) -> float:
    return args["low"] + u * (args["high"] - args["low"])


def _triangular(args: Arguments, u: float) -> float:
    low, mode, high = args["low"], args["mode"], args["high"]
    width = high - low
    if u * width < mode - low:
        return low + math.sqrt(u * width * (mode - low))
    return high - math.sqrt((1 - u) * width * (high - mode))


def _normal(args: Arguments, u: float) -> float:
    return args["mean"] + args["sd"] * float(_special().ndtri(u))


def _between(args: Arguments) -> float:
    ndtr = _special().ndtr
    low = (args["low"] - args["mean"]) / args["sd"]
    high = (args["high"] - args["mean"]) / args["sd"]
    if low > 0:
        low, high = -high, -low
    return float(ndtr(high)) - float(ndtr(low))


def _truncated_normal(args: Arguments, u: float) -> float:
    special = _special()
    mean, sd = args["mean"], args["sd"]
    low, high = (args["low"] - mean) / sd, (args["high"] - mean) / sd
    if low > 0:  # the upper tail has more digits seen from its mirror
        first, last = special.ndtr(-high), special.ndtr(-low)
        z = -special.ndtri(last - u * (last - first))
    else:
        first, last = special.ndtr(low), special.ndtr(high)
        z = special.ndtri(first + u * (last - first))
    return min(max(mean + sd * float(z), args["low"]), args["high"])


def _lognormal(args: Arguments, u: float) -> float:
    median = args["median"]
    sigma = args["sigma"] if "sigma" in args else math.log(args["p95"] / median) / Z95
    return median * math.exp(sigma * float(_special().ndtri(u)))


def _beta(args: Arguments, u: float) -> float:
    share = float(_special().betaincinv(float(args["a"]), float(args["b"]), u))
    if "low" in args:
        return args["low"] + share * (args["high"] - args["low"])
    return share


def _gamma(args: Arguments, u: float) -> float:
    scale = args["mean"] / args["shape"] if "mean" in args else 1 / args["rate"]
    return scale * float(_special().gammaincinv(float(args["shape"]), u))


def _student_t(args: Arguments, u: float) -> float:
    return args["location"] + args["scale"] * float(_special().stdtrit(float(args["df"]), u))


def _exponential(args: Arguments, u: float) -> float:
    return -args["mean"] * math.log1p(-u)


def _weibull(args: Arguments, u: float) -> float:
    return args["median"] * math.pow(-math.log1p(-u) / math.log(2), 1 / args["shape"])


def _categorical(args: Arguments, u: float) -> float:
    values = sorted((float(name), weight) for name, weight in args.items())
    total = 0.0
    for value, weight in values:
        total += weight
        if u < total:
            return value
    return max(value for value, weight in values if weight > 0)


_QUANTILES: dict[str, Callable[[Arguments, float], float]] = {
    "fixed": _fixed,
    "uniform": _uniform,
    "triangular": _triangular,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
    "lognormal": _lognormal,
    "beta": _beta,
    "gamma": _gamma,
    "student_t": _student_t,
    "exponential": _exponential,
    "weibull": _weibull,
    "categorical": _categorical,
}


def dirichlet(args: Arguments, uniforms: Sequence[float]) -> dict[str, float]:
    """Shares that sum to 1, by normalized gammas, of weights above 0 and a uniform for each.

    Uniforms lie in [0, 1), in the order of the weights (L. Devroye, Non-Uniform Random Variate
    Generation, 1986, chapter XI, theorem 4.1).
    """
    gammas = {
        name: max(quantile("gamma", {"shape": weight, "rate": 1.0}, u), 1e-300)
        for (name, weight), u in zip(args.items(), uniforms, strict=True)
    }
    total = math.fsum(gammas.values())
    return {name: value / total for name, value in gammas.items()}


def mean(kind: str, args: Arguments) -> float:
    """The mean of a distribution (inf or nan where it has none)."""
    return _MEANS[kind](args)


def median(kind: str, args: Arguments) -> float:
    """The median of a distribution."""
    return quantile(kind, args, 0.5)


def _mean_truncated_normal(args: Arguments) -> float:
    low = (args["low"] - args["mean"]) / args["sd"]
    high = (args["high"] - args["mean"]) / args["sd"]
    density = math.exp(-low * low / 2) - math.exp(-high * high / 2)
    middle = args["mean"] + args["sd"] * density / math.sqrt(2 * math.pi) / _between(args)
    return min(max(middle, args["low"]), args["high"])


def _mean_lognormal(args: Arguments) -> float:
    sigma = args["sigma"] if "sigma" in args else math.log(args["p95"] / args["median"]) / Z95
    try:
        return args["median"] * math.exp(sigma * sigma / 2)
    except OverflowError:
        return math.inf


def _mean_beta(args: Arguments) -> float:
    share = args["a"] / (args["a"] + args["b"])
    return args.get("low", 0.0) + share * (args.get("high", 1.0) - args.get("low", 0.0))


def _mean_gamma(args: Arguments) -> float:
    return args["mean"] if "mean" in args else args["shape"] / args["rate"]


def _mean_student_t(args: Arguments) -> float:
    return args["location"] if args["df"] > 1 else math.nan


def _mean_weibull(args: Arguments) -> float:
    inverse = 1 / args["shape"]
    try:
        return args["median"] * math.pow(math.log(2), -inverse) * math.gamma(1 + inverse)
    except OverflowError:
        return math.inf


_MEANS: dict[str, Callable[[Arguments], float]] = {
    "fixed": lambda args: args["value"],
    "uniform": lambda args: (args["low"] + args["high"]) / 2,
    "triangular": lambda args: (args["low"] + args["mode"] + args["high"]) / 3,
    "normal": lambda args: args["mean"],
    "truncated_normal": _mean_truncated_normal,
    "lognormal": _mean_lognormal,
    "beta": _mean_beta,
    "gamma": _mean_gamma,
    "student_t": _mean_student_t,
    "exponential": lambda args: args["mean"],
    "weibull": _mean_weibull,
    "categorical": lambda args: math.fsum(float(v) * w for v, w in args.items()),
}
