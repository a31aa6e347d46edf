"""What is asked of a deadline: who decides, what is known, and what is held fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlib.analysis.selection.forced_ends import Deadline
    from simlib.analysis.selection.observables import Public
    from simlib.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Slope:
    """A parameter that is given values of its own, one after the other.

    Attributes
    ----------
    parameter
        Weight of a ground in the decision, log odds per standard deviation.
    weights
        Those that it is given when none are asked for.
    along
        Returns, for a scenario with such a value, the parameters that go along with it.
    """

    parameter: str
    weights: tuple[float, ...]
    along: Callable[[Scenario], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Question:
    """A deadline, and what is asked of it.

    Attributes
    ----------
    deadline
        The milestone, who decides on it, and when.
    public
        What everyone knows at a date, besides published series and postures.
    slope
        The weight for which the readings are compared again.
    with_before
        Returns a scenario that also counts what no answer can change: what came before it.
    headlines
        Outcomes that sentences speak of when none are asked for.
    """

    deadline: Deadline
    public: Public
    slope: Slope
    with_before: Callable[[Scenario], Scenario]
    headlines: tuple[str, ...]
