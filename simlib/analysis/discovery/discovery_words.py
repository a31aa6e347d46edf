"""What scenario discovery found, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simlib.statistics.formatting import number, percent
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from simlib.analysis.discovery.boxes import Fit
    from simlib.analysis.discovery.discovered import Discovery, FoundBox, FoundLimit

_SIDES = {"at_least": "below", "at_most": "above"}


def discovery_sentences(found: Discovery) -> list[str]:
    """Return what a discovery found: how sure, on which replications, and what it is not."""
    said = [_head(found), _halves(found)]
    if not found.boxes[0].limits:
        said.append(
            "Boxes: nothing found. No range of a drawn parameter goes with the condition more "
            f"than chance would show among {len(found.parameters)} of them."
        )
    for i, box in enumerate(found.boxes, start=1):
        if box.limits:
            said.append(_box(found, box, i))
            said += [_limit(limit) for limit in box.limits]
    if not found.boxes[0].limits:
        said += _instability(found)
    said.append(_tree(found))
    said.append(
        "A box says which draws go with the condition in this model. Its density on the other "
        "half is a fair estimate; on the half it was peeled from it is too high."
    )
    return said


def _head(found: Discovery) -> str:
    n = len(found.training[1]) + len(found.held_out[1])
    n_cases = int(found.training[1].sum() + found.held_out[1].sum())
    text = f"{found.condition}: met in {n_cases:,} of {n:,} replications ({percent(n_cases / n)})"
    if found.n_unsettled:
        text += f"; {found.n_unsettled:,} others are not settled and left out"
    return f"{text}."


def _halves(found: Discovery) -> str:
    text = (
        f"Found on {len(found.training[1]):,} replications, judged on the other "
        f"{len(found.held_out[1]):,}; {len(found.parameters):,} drawn parameters"
    )
    if found.n_peeled < len(found.parameters):
        text += f", of which the {found.n_peeled} that differ most are peeled"
    return f"{text}."


def _interval(fitted: Fit) -> str:
    low, high = wilson(fitted.n_cases, fitted.n_inside)
    return f"{percent(fitted.density)} ({percent(low)} to {percent(high)})"


def _box(found: Discovery, box: FoundBox, i: int) -> str:
    rule = " and ".join(limit.shown for limit in box.limits)
    fitted = box.held_out
    text = (
        f"Box {i}: {rule}. Density {_interval(fitted)} against {percent(found.base_rate)} "
        f"overall, coverage {percent(fitted.coverage)} with {percent(fitted.mass)} of the "
        f"replications (where it was peeled: density {percent(box.training.density)}, "
        f"coverage {percent(box.training.coverage)})."
    )
    if wilson(fitted.n_cases, fitted.n_inside)[0] <= found.base_rate:
        text += " Nothing that lasts: on the other half it may well be no denser than overall."
    return text


def _limit(limit: FoundLimit) -> str:
    text = (
        f"  {limit.shown} ({percent(limit.share_below)} of draws are below): quasi-p "
        f"{_chance(limit.quasi_p)}, on the other half {_chance(limit.p_held_out)}"
    )
    spread = limit.spread
    if not math.isnan(spread.share):
        text += f"; restricted in {100 * spread.share:.0f} % of resamples"
        if spread.share:
            text += f", 8 of 10 of them between {number(spread.low)} and {number(spread.high)}"
    return f"{text}."


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _instability(found: Discovery) -> list[str]:
    if not found.n_resamples:
        return []
    spreads = found.boxes[0].spreads
    if not spreads:
        return [f"  Restricted in 0 % of {found.n_resamples} resamples: no parameter."]
    column, side = max(spreads, key=lambda limit: spreads[limit].share)
    share = spreads[column, side].share
    end = _SIDES[("at_least", "at_most")[side]]
    name = found.parameters[column]
    said = f"restricted in {100 * share:.0f} % of them"
    return [f"  The most frequent limit over resamples, {name} from {end}, is {said}."]


def _tree(found: Discovery) -> str:
    tree = found.tree
    if not tree.depth:
        return "Tree: none predicts better than the overall share (cross-validated)."
    leaf = tree.leaves[0]
    rule = str(found.tree_table()["rule"].iloc[0])
    return (
        f"Tree of depth {tree.depth} (cross-validated), {len(tree.leaves)} leaves; the densest: "
        f"{rule}. Density {_interval(leaf.held_out)} on the other half, coverage "
        f"{percent(leaf.held_out.coverage)}."
    )
