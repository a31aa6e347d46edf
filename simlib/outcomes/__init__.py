"""Outcomes: what is read off one run, as the scenario declares it."""

from simlib.outcomes.planning import Kind, OutcomePlan, kind_of, label_of, plan, unit_of
from simlib.outcomes.windows import month_edges, month_starts

__all__ = [
    "Kind",
    "OutcomePlan",
    "kind_of",
    "label_of",
    "month_edges",
    "month_starts",
    "plan",
    "unit_of",
]
