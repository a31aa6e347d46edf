"""Stop when an estimate is precise enough, or when a ranking of options is safe.

A rule looks at the first n replications, at sizes n that are fixed in advance. So what it
answers does not depend on how many workers there are nor on who finishes first.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.scenario.wording import near_or_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from simlib.ensemble.stored_tables import Outcomes
    from simlib.scenario.schema import Scenario

FIRST_LOOK = 200
_GROWTH = 1.25
_STEP = 100
MOST = 100_000
"""Replications at which a rule gives up, when nothing else is said."""

_NUMBER = r"(?P<number>\d*\.?\d+(?:[eE][+-]?\d+)?)"
_PRECISION = re.compile(rf"\s*(?P<of>[\w.]+)\s*(?:\+-|\+/-|±)\s*{_NUMBER}\s*")
_RANKING = re.compile(rf"\s*wrong ranking of\s+(?P<of>[\w.]+)\s*<\s*{_NUMBER}\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of the first n replications."""

    is_met: bool
    text: str


class Rule(Protocol):
    """When to stop."""

    def judge(self, options: Options, n: int, look: int) -> Verdict:
        """Whether the first n replications are enough, at the look-th look (from 1)."""


Options: TypeAlias = "Mapping[str, Outcomes]"
"""The outcomes of the first replications of each option."""


def looks(design: str, most: int) -> Iterator[int]:
    """Iterate over the sizes at which rules look: growing by a quarter, up to the most.

    Multiples of 100, as Latin hypercubes need; powers of two for Sobol sequences, where
    these are balanced.

    Examples
    --------
    >>> list(looks("random", 1000))
    [200, 300, 400, 500, 700, 900, 1000]
    >>> list(looks("sobol", 1000))
    [256, 512, 1000]
    """
    size = 256 if design == "sobol" else FIRST_LOOK
    while size < most:
        yield size
        grown = math.ceil(size * _GROWTH / _STEP) * _STEP
        size = 2 * size if design == "sobol" else grown
    yield most


def rule_of(text: str, scenario: Scenario, options: tuple[str, ...]) -> Rule:
    """The rule that a text states of an outcome of the scenario, over the options that are run.

    ``OUTCOME +- HALF_WIDTH`` or ``OUTCOME.CLASS +- HALF_WIDTH`` (of the 95 % interval, for every
    option), or ``wrong ranking of OUTCOME < PROBABILITY`` (of options).

    Raises
    ------
    ScenarioError
        The text states no rule, or one about an outcome that is not there.
    """
    if found := _PRECISION.fullmatch(text):
        target = _target(found["of"], scenario)
        return Precision(target, _positive(found["number"], math.inf))
    if found := _RANKING.fullmatch(text):
        if len(options) < 2:
            raise _wrong("a ranking needs at least two options", text)
        return Ranking(_target(found["of"], scenario), _positive(found["number"], 0.5))
    rule = "must be 'OUTCOME[.CLASS] +- HALF_WIDTH' or 'wrong ranking of OUTCOME[.CLASS] < P'"
    raise _wrong(rule, text)


@dataclass(frozen=True, slots=True)
class Target:
    """An outcome, or the share of one of its classes."""

    outcome: str
    category: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}.{self.category}" if self.category else self.outcome

    def values(self, outcomes: Outcomes) -> NDArray[np.float64]:
        """Its value in each replication; nan is censored."""
        column = outcomes.values(self.outcome)
        found = (column == self.category) if self.category else column
        return found.astype(np.float64)

    def half_width(self, outcomes: Outcomes) -> float:
        """Half of the 95 % interval of its mean; infinite where there is none."""
        rows = outcomes.summary(self.outcome)
        half = [(row.high - row.low) / 2 for row in rows if row.category == self.category]
        return math.inf if not half or math.isnan(half[0]) else half[0]


@dataclass(frozen=True, slots=True)
class Precision:
    """Until the 95 % interval of an estimate is narrow enough, for every option."""

    target: Target
    half_width: float

    def judge(self, options: Options, n: int, look: int) -> Verdict:
        """Whether it is; see `Rule`."""
        del look  # a fixed-width interval needs no correction: Chow and Robbins (1965)
        widths = {name: self.target.half_width(outcomes) for name, outcomes in options.items()}
        widest = max(widths, key=lambda name: widths[name])
        is_met = widths[widest] <= self.half_width
        of = f" ({widest})" if widest else ""
        sign = "<=" if is_met else ">"
        text = (
            f"{self.target}{of}: half-width {widths[widest]:.3g} {sign} {self.half_width:g} "
            f"at {n:,} replications"
        )
        return Verdict(is_met, text)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Until the order of the options by an outcome's mean is wrong with small probability.

    The probability that a pair of neighbors in the order is the other way round is
    Phi(-|d| / s), of the mean paired difference d with standard error s (normal, flat
    prior); a wrong order has such a pair, so the sum over neighbors bounds it. The k-th
    look may spend epsilon / (k (k + 1)), so that all looks together spend at most epsilon.
    """

    target: Target
    epsilon: float

    def judge(self, options: Options, n: int, look: int) -> Verdict:
        """Whether it is; see `Rule`."""
        table = self._paired(options, n)
        order = sorted(table, key=lambda name: float(np.sum(table[name])))
        wrong = sum(
            _p_other_way(table[above] - table[below]) for below, above in itertools.pairwise(order)
        )
        share = self.epsilon / (look * (look + 1))
        is_met = wrong < share
        sign = "<" if is_met else ">="
        ranked = " < ".join(name or "(as written)" for name in order)
        text = (
            f"{self.target}: {ranked}; P(wrong ranking) <= {wrong:.2g} {sign} {share:.2g}, "
            f"the part of {self.epsilon:g} that look {look} may spend, at {n:,} replications"
        )
        return Verdict(is_met, text)

    def _paired(self, options: Options, n: int) -> dict[str, NDArray[np.float64]]:
        """The values of the replications that every option has one of."""
        table = np.full((len(options), n), np.nan)
        for row, outcomes in zip(table, options.values(), strict=True):
            row[outcomes.replications] = self.target.values(outcomes)
        common = table[:, ~np.isnan(table).any(axis=0)]
        return dict(zip(options, common, strict=True))


def _p_other_way(difference: NDArray[np.float64]) -> float:
    """The probability that the true mean difference has the other sign."""
    n = len(difference)
    spread = float(np.std(difference, ddof=1)) if n > 1 else 0.0
    if spread == 0.0:
        # Equal in every replication: nothing is known of the order.
        return 0.5 if n < 2 or not difference.any() else 0.0
    z = abs(float(np.mean(difference))) / (spread / math.sqrt(n))
    return 0.5 * math.erfc(z / math.sqrt(2))


def _target(text: str, scenario: Scenario) -> Target:
    name, category = text, ""
    if name not in scenario.outcomes:
        name, _, category = text.rpartition(".")
    if name not in scenario.outcomes:
        raise _wrong("no such outcome", text, near_or_all(text, scenario.outcomes))
    classes = scenario.outcomes[name].classes
    if category and category not in classes:
        raise _wrong(f"{name} has no such class; one of {', '.join(classes) or 'none'}", text)
    if classes and not category:
        raise _wrong(f"say which class: one of {', '.join(f'{name}.{c}' for c in classes)}", text)
    return Target(name, category)


def _positive(text: str, below: float) -> float:
    value = float(text)
    if not 0 < value < below:
        rule = "must be above 0" + (f" and below {below:g}" if below < math.inf else "")
        raise _wrong(rule, text)
    return value


def _wrong(rule: str, text: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem("until", f"{rule} (got {text!r})", hint)])
