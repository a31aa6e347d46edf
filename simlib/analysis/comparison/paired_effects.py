"""What pairs of replications under common random numbers say of an effect, with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib.statistics.formatting import estimate, number, signed, supported
from simlib.statistics.intervals import Z95, student, tango
from simlib.statistics.moments import difference
from simlib.statistics.summaries import of_number
from simlib.statistics.variance_explained import between_classes, class_means, foretold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simlib.statistics.summaries import Summary

FEWEST = 40
"""Pairs below which the variance of the difference is not divided."""
ENOUGH = 10.0
"""Reductions of variance below this are given a reason."""
MOST_SHOWN = 1_000
"""Reductions above this are not told apart: nobody could check them."""
FEW_DIFFERING = 10
"""So few replications that differ carry no normal distribution: the interval is rough."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why pairs under common random numbers still differ in what an option does.

    The variance of the paired differences is divided; the shares add up to 1. What neither
    the ways a milestone ends nor the parameters tell is chance: random numbers that serve
    other draws once the options part, and whatever is not linear in the parameters.

    Attributes
    ----------
    milestone
        The milestone whose ending in the baseline tells most; empty where none does.
    between_classes
        Share between its classes, adjusted for their number (omega squared).
    parameter
        The parameter that goes most with the difference; empty where none does.
    of_parameters
        Share, within classes, that a linear fit on the parameters foretells in replications
        it was not made on.
    """

    milestone: str = ""
    between_classes: float = 0.0
    parameter: str = ""
    of_parameters: float = 0.0

    @property
    def of_rest(self) -> float:
        """Share that neither tells: chance after the options part, and what is not linear."""
        return 1.0 - self.between_classes - self.of_parameters

    def sentence(self) -> str:
        """What the variance of the difference is divided into."""
        shares = []
        if self.milestone:
            ends = f"is between how and when {self.milestone} ends in the baseline"
            shares.append((self.between_classes, ends))
        if self.parameter:
            goes = f"goes with drawn parameters, first {self.parameter}"
            goes += " (the effect really differs between replications)"
            shares.append((self.of_parameters, goes))
        shares.append((max(0.0, self.of_rest), "is luck that diverged, and what a line misses"))
        (first, what), *others = shares
        head = f"{first:.0%} of the variance of the difference {what}"
        return ", ".join([head, *(f"{share:.0%} {text}" for share, text in others)])


def reason_of(
    change: NDArray[np.float64],
    endings: Mapping[str, NDArray[np.object_]],
    parameters: tuple[tuple[str, ...], NDArray[np.float64]],
) -> Reason | None:
    """Divide the variance of the paired differences; None where there are too few.

    The endings are classes of each milestone in the baseline, shape (n,); the parameters are
    names, and values of shape (n, n_names).
    """
    if len(change) < FEWEST or not np.ptp(change):
        return None
    shares = {name: between_classes(change, classes) for name, classes in endings.items()}
    milestone = max(sorted(shares), key=lambda name: shares[name], default="")
    between = shares.get(milestone, 0.0)
    within = change
    if between > 0.0:
        within = change - class_means(change, endings[milestone])
    names, values = parameters
    share, first = foretold(within, values)
    return Reason(
        milestone=milestone if between > 0.0 else "",
        between_classes=between,
        parameter=names[first] if share > 0.0 else "",
        of_parameters=share * (1.0 - between),
    )


class Subject(NamedTuple):
    """What an effect is of; see `PairedEffect`."""

    option: str
    outcome: str
    category: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class PairedEffect:
    """What an option does to one outcome, against the baseline under common random numbers.

    Attributes
    ----------
    option, outcome, category
        The counterfactual option; the outcome; the class, for outcomes that are classes.
    kind, unit
        ``number``, ``flag`` or ``class``; the unit of the numbers.
    n
        Pairs it rests on.
    n_censored
        Pairs left out because one of the two was not settled by the horizon.
    n_differing
        Pairs in which the two are not the same.
    baseline, counterfactual
        The two means, or probabilities.
    effect
        Mean of the paired differences, counterfactual less baseline.
    mc_error
        Its Monte Carlo standard error; nan for a single pair.
    low, high
        95 % interval of the effect: Student's for numbers, Tango's score interval for
        probabilities, Student's between blocks in a Latin hypercube. nan where the
        sample has nothing to take it from: a single pair, or differences all the same.
    q05, q50, q95
        Quantiles of the single differences (numbers only).
    baseline_sd, counterfactual_sd
        Standard deviations of the outcome over the pairs.
    correlation
        Between the two over the pairs; nan where one does not vary.
    variance_reduction
        ``(var A + var B) / var(A - B)``: how many times the variance of the effect would
        be as large with independent runs. Infinite where the differences do not vary.
    reason
        Why the reduction is small, where it is and the sample can tell.
    """

    option: str
    outcome: str
    category: str
    kind: str
    unit: str
    n: int
    n_censored: int
    n_differing: int
    baseline: float
    counterfactual: float
    effect: float
    mc_error: float
    low: float
    high: float
    q05: float
    q50: float
    q95: float
    baseline_sd: float
    counterfactual_sd: float
    correlation: float
    variance_reduction: float
    reason: Reason | None = None

    @property
    def name(self) -> str:
        """The outcome, with its class where it has one: ``end.met``."""
        return f"{self.outcome}.{self.category}" if self.category else self.outcome

    @property
    def n_independent(self) -> float:
        """Pairs of independent runs that would give the same error."""
        return self.n * self.variance_reduction

    @property
    def most_possible(self) -> float:
        """The reduction there would be at a correlation of 1, as far as the two spread alike.

        ``(a^2 + b^2) / (a - b)^2`` for standard deviations a and b, as no difference varies
        less than ``(a - b)^2``.
        """
        a, b = self.baseline_sd, self.counterfactual_sd
        return (a**2 + b**2) / (a - b) ** 2 if a != b else math.inf

    @property
    def is_clear(self) -> bool:
        """Whether the 95 % interval leaves out zero, or all pairs differ by the same."""
        if math.isnan(self.low):
            return self.n > 1 and self.effect != 0.0
        return not self.low <= 0.0 <= self.high

    @property
    def shown(self) -> str:
        """The effect as text, with its interval or what stands for one."""
        if not self.n:
            return "no pair observed"
        if self.n == 1:
            return f"{signed(self.effect)} in the one pair"
        if not self.n_differing:
            same = f"identical in all {self.n:,} pairs"
            return f"no pair differs, |effect| < 3/{self.n}" if self.kind != "number" else same
        if math.isnan(self.low):
            return f"{signed(self.effect)} in all {self.n:,} pairs"
        return estimate(self.effect, self.low, self.high, is_signed=True)

    @property
    def told(self) -> str:
        """The effect in its unit; of a probability in percentage points."""
        is_plain = not self.n_differing or math.isnan(self.low) or self.n < 2
        if self.kind == "number":
            return f"{self.shown} {self.unit}".rstrip()
        if is_plain:
            return self.shown
        points = (100.0 * each for each in (self.effect, self.low, self.high))
        return f"{estimate(*points, is_signed=True)} percentage points"

    def side(self, value: float) -> str:
        """A mean or probability of one side, with no more digits than its spread supports."""
        if self.kind != "number":
            return "-" if math.isnan(value) else f"{100.0 * value:.0f} %"
        spread = max(self.baseline_sd, self.counterfactual_sd)
        half = Z95 * spread / math.sqrt(self.n) if self.n else math.nan
        return supported(value - half, value + half, value)[0]

    def row(self) -> dict[str, Any]:
        """The fields of its line in a table."""
        reason = self.reason
        return {
            "option": self.option,
            "outcome": self.outcome,
            "category": self.category,
            "kind": self.kind,
            "unit": self.unit if self.kind == "number" else "probability",
            "n": self.n,
            "n_censored": self.n_censored,
            "baseline": self.baseline,
            "counterfactual": self.counterfactual,
            "effect": self.effect,
            "mc_error": self.mc_error,
            "low": self.low,
            "high": self.high,
            "difference_q05": self.q05,
            "difference_q50": self.q50,
            "difference_q95": self.q95,
            # Without a pair there is no share, and without a reason none is known.
            "share_differing": self.n_differing / self.n if self.n else math.nan,
            "correlation": self.correlation,
            "variance_reduction": self.variance_reduction,
            "most_possible": self.most_possible,
            "n_independent": self.n_independent,
            "n_saved": self.n_independent - self.n,
            "share_between_classes": reason.between_classes if reason else math.nan,
            "share_of_parameters": reason.of_parameters if reason else math.nan,
            "share_of_luck": reason.of_rest if reason else math.nan,
            "shown": self.shown,
        }

    def brief(self, label: str = "") -> dict[str, str]:
        """What a reader compares, as text."""
        left = f" ({self.n_censored} pairs open)" if self.n_censored else ""
        return {
            "outcome": label or self.name,
            "effect (95 % interval)": self.told + left,
            "from": self.side(self.baseline),
            "to": self.side(self.counterfactual),
        }

    def pairing(self) -> dict[str, str]:
        """What pairing saves, as text, beside the name that commands take."""
        is_known = self.n > 1 and not math.isnan(self.variance_reduction)
        saved = times(self.variance_reduction) if is_known else ""
        return {"name": self.name, "less variance": saved}

    def sentence(self) -> str:
        """Both means and the effect with its interval."""
        unit = f" {self.unit}" if self.unit and self.kind == "number" else ""
        text = (
            f"{self.name}: {number(self.baseline)} becomes {number(self.counterfactual)}{unit}, "
            f"effect {self.shown}"
        )
        if self.n > 1 and 0 < self.n_differing < FEW_DIFFERING:
            text += f"; only {self.n_differing} pairs differ, so the interval is rough"
        if self.n_censored:
            text += f"; {self.n_censored} pairs left out, not settled by the horizon"
        return text

    def pairing_sentence(self) -> str:
        """What common random numbers save for it, and why not more."""
        head = f"{self.name}: {times(self.variance_reduction)}{self._bound()}"
        if self.reason is None:
            return f"{head}; too few pairs to say why"
        return f"{head}; {self.reason.sentence()}"

    def _bound(self) -> str:
        """How much pairing could do at all, where the two spread too differently."""
        if not self.most_possible < ENOUGH:
            return ""
        sides = (self.baseline_sd, self.counterfactual_sd)
        if min(sides) == 0.0:
            which = "the baseline" if not sides[0] else self.option
            return f", all that is possible: under {which} it is the same in every replication"
        low, high = (number(side) for side in sides)
        return (
            f" of at most {self.most_possible:,.1f} that are possible, as the two spread "
            f"differently (standard deviation {low} and {high})"
        )

    @property
    def size(self) -> float:
        """Size of the effect in standard deviations of the baseline."""
        return abs(self.effect) / self.baseline_sd if self.baseline_sd > 0.0 else math.inf


def times(reduction: float) -> str:
    """A reduction of variance as text.

    Examples
    --------
    >>> times(4.33), times(262.0), times(1e9), times(math.inf)
    ('4.3 times', '262 times', 'over 1,000 times', 'any number of times')
    """
    if math.isinf(reduction):
        return "any number of times"
    if reduction > MOST_SHOWN:
        return f"over {MOST_SHOWN:,} times"
    return f"{reduction:,.1f} times" if reduction < 10 else f"{reduction:,.0f} times"


def effect_of(
    subject: Subject,
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    blocks: NDArray[np.integer] | None = None,
) -> PairedEffect:
    """The effect on one outcome, from its values under the baseline and the counterfactual.

    A row is a pair; probabilities are 1/0; nan is not settled. Given the block of each pair,
    errors are taken between blocks.
    """
    is_seen = ~(np.isnan(one) | np.isnan(other))
    own = None if blocks is None else blocks[is_seen]
    n_all, one, other = len(one), one[is_seen], other[is_seen]
    n, change = len(one), difference(one, other)
    # The error of a mean difference is that of the differences: whatever a pair shares is gone.
    before, after, found = (of_number("", "", x, n, blocks=own) for x in (one, other, change))
    low, high = _interval(subject.kind, change, found, own)
    return PairedEffect(
        *subject,
        n=n,
        n_censored=n_all - n,
        n_differing=int(np.count_nonzero(change)),
        baseline=before.mean,
        counterfactual=after.mean,
        effect=found.mean,
        mc_error=found.mc_error,
        low=low,
        high=high,
        q05=found.q05,
        q50=found.q50,
        q95=found.q95,
        baseline_sd=_sd(one),
        counterfactual_sd=_sd(other),
        correlation=_correlation(one, other),
        variance_reduction=_reduction(before.mc_error, after.mc_error, found.mc_error, change),
    )


def _interval(
    kind: str,
    change: NDArray[np.float64],
    found: Summary,
    blocks: NDArray[np.integer] | None,
) -> tuple[float, float]:
    n = len(change)
    if n < 2:
        return math.nan, math.nan
    if kind != "number" and (blocks is None or not change.any()):
        # Blocks in which nothing ever differs are yes/no's of their own.
        n_own = n if blocks is None else len(np.unique(blocks))
        return tango(int((change > 0).sum()), int((change < 0).sum()), n_own)
    if found.mc_error == 0.0 or math.isnan(found.mc_error):
        return math.nan, math.nan
    if blocks is not None:
        return found.low, found.high
    half = student(n) * found.mc_error
    return found.mean - half, found.mean + half


def _reduction(one: float, other: float, paired: float, change: NDArray[np.float64]) -> float:
    """The reduction of variance, from errors of means: they know of blocks."""
    if len(change) > 1 and not np.ptp(change):
        return math.inf
    if math.isnan(paired):
        return math.nan
    return (one**2 + other**2) / paired**2 if paired else math.inf


def _sd(values: NDArray[np.float64]) -> float:
    if len(values) < 2:
        return math.nan
    # The mean of equal numbers is not always equal to them.
    return float(np.std(values, ddof=1)) if np.ptp(values) else 0.0


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if len(one) < 2 or not np.ptp(one) or not np.ptp(other):
        return math.nan
    return float(np.corrcoef(one, other)[0, 1])
