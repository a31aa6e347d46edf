"""What a comparison says, in words."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from simlib.analysis.compare.paired_effects import ENOUGH, FEW_DIFFERING, times
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.analysis.compare.comparison import Comparison
    from simlib.analysis.compare.paired_effects import Effect

MOST_TOLD = 8
"""Effects told in words for each option; the table has all."""
YEAR = dt.timedelta(days=365)


def sentences(comparison: Comparison) -> Iterator[str]:
    """Iterate over what a comparison says: pairs, effects, what pairing saves, caveats."""
    yield from comparison.checked
    for option in comparison.options:
        effects = [effect for effect in comparison.effects if effect.option == option]
        yield _of_pairs(comparison, option)
        yield from _of_effects(effects)
        if effects[0].n > 1:
            yield from _of_saving(comparison, option, effects)
    if comparison.ensemble.manifest["design"] == "latin_hypercube":
        yield "errors and reductions are taken between blocks of the Latin hypercube"
    yield (
        "an effect is the mean difference between runs of the model on the same luck; its interval "
        "speaks of the number of replications only, not of how well the model is known"
    )


def name_of(option: str) -> str:
    """Return how an option is called in words."""
    return option or "the scenario as written"


def _of_pairs(comparison: Comparison, option: str) -> str:
    n = comparison.n_pairs[option]
    ensemble = comparison.ensemble
    asked = min(ensemble.of(name).n for name in (comparison.baseline, option))
    pairs = f"{n:,} pair{'s' if n > 1 else ''} of replications with the same luck"
    text = f"{name_of(option)} against {name_of(comparison.baseline)}: {pairs}"
    if n < asked:
        text += f"; {asked - n:,} left out because at least one of the two failed"
    return text


def _of_effects(effects: Sequence[Effect]) -> Iterator[str]:
    """Tell the effects that are clear, the largest first."""
    clear = sorted((e for e in effects if e.is_clear), key=_size, reverse=True)
    n_same = sum(not effect.n_differing for effect in effects)
    if effects[0].n > 1:
        yield (
            f"{len(clear)} of {len(effects)} outcomes (each class counted) differ clearly, "
            f"{n_same} are identical in every pair"
        )
    for effect in clear[:MOST_TOLD]:
        yield f"  {described(effect)}"
    if len(clear) > MOST_TOLD:
        yield f"  and {len(clear) - MOST_TOLD} more, in the table"


def described(effect: Effect) -> str:
    """Return an effect in words, with both means and its interval."""
    unit = f" {effect.unit}" if effect.unit and effect.kind == "number" else ""
    text = (
        f"{effect.name}: {number(effect.baseline)} becomes {number(effect.counterfactual)}{unit}, "
        f"effect {effect.shown}"
    )
    if effect.n > 1 and 0 < effect.n_differing < FEW_DIFFERING:
        text += f"; only {effect.n_differing} pairs differ, so the interval is rough"
    if effect.n_censored:
        text += f"; {effect.n_censored} pairs left out, not settled by the horizon"
    return text


def _of_saving(comparison: Comparison, option: str, effects: Sequence[Effect]) -> Iterator[str]:
    """Tell what pairing saves, and where and why it saves little."""
    told = [effect for effect in effects if effect.n_differing]
    where = ""
    if comparison.fork is not None:
        until = comparison.fork + YEAR
        told = [effect for effect in told if comparison.ends(effect.outcome) <= until]
        where = " within a year of the fork"
    enough = [effect for effect in told if effect.variance_reduction >= ENOUGH]
    yield (
        f"pairing: {len(enough)} of {len(told)} outcomes that differ{where} have a variance at "
        f"least {ENOUGH:.0f} times smaller than independent runs would have"
    )
    if not told:
        return
    middle = sorted(effect.variance_reduction for effect in told)[len(told) // 2]
    n = comparison.n_pairs[option]
    yield f"  half of them {times(middle)} or more: {n:,} pairs equal {_pairs(n * middle)}"
    for effect in told:
        if effect.variance_reduction < ENOUGH:
            yield f"  {why(effect)}"


def why(effect: Effect) -> str:
    """Return why pairing does little for an outcome."""
    head = f"{effect.name}: {times(effect.variance_reduction)}{_bound(effect)}"
    reason = effect.reason
    if reason is None:
        return f"{head}; too few pairs to say why"
    parts = []
    if reason.milestone:
        parts.append(
            f"{reason.between_classes:.0%} of the variance of the difference is between how "
            f"and when {reason.milestone} ends in the baseline"
        )
    if reason.parameter:
        whole = "" if parts else " of the variance of the difference"
        parts.append(
            f"{reason.of_parameters:.0%}{whole} goes with drawn parameters, first "
            f"{reason.parameter} (the effect really differs between replications)"
        )
    whole = "" if parts else " of the variance of the difference"
    parts.append(
        f"{max(0.0, reason.of_rest):.0%}{whole} is luck that diverged, and what a line misses"
    )
    return f"{head}; {', '.join(parts)}"


def _bound(effect: Effect) -> str:
    """Return how much pairing could do at all, where the two spread too differently."""
    if not effect.most_possible < ENOUGH:
        return ""
    sides = (effect.baseline_sd, effect.counterfactual_sd)
    if min(sides) == 0.0:
        which = "the baseline" if not sides[0] else effect.option
        return f", all that is possible: under {which} it is the same in every replication"
    low, high = (number(side) for side in sides)
    return (
        f" of at most {effect.most_possible:,.1f} that are possible, as the two spread "
        f"differently (standard deviation {low} and {high})"
    )


def _size(effect: Effect) -> float:
    """Return an effect in standard deviations of the baseline."""
    if not effect.baseline_sd > 0.0:
        return math.inf
    return abs(effect.effect) / effect.baseline_sd


def _pairs(n: float) -> str:
    return "any number of independent ones" if math.isinf(n) else f"{n:,.0f} independent ones"
