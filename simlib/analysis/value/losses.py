"""A panel of losses: what different people would count against an option, as data.

Each loss is a weighted sum of outcomes, and less is better. The weights are judgements; a
panel holds several of them side by side and takes no side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.outcomes.planning import kind_of, unit_of
from simlib.scenario import bundled
from simlib.scenario.fitting import ProblemLog, read_model
from simlib.scenario.schema import Model, Name
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario


class Term(Model):
    """What one outcome adds to a loss.

    The weight converts the outcome into the unit of the loss: loss per unit of the outcome.
    """

    weight: float
    per: str
    """Unit of the outcome, as the scenario has it; ``yes`` for a yes/no."""
    judgement: str | None = None
    """Why this weight."""


class Loss(Model):
    """A weighted sum of outcomes; less is better."""

    unit: str
    terms: dict[Name, Term]
    description: str = ""


class LossPanel(Model):
    """Losses by name."""

    losses: dict[Name, Loss]
    note: str = ""

    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that any loss weighs, sorted."""
        return tuple(sorted({name for loss in self.losses.values() for name in loss.terms}))

    def values(
        self, values: Callable[[str], NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Each loss of each replication, in its unit.

        Parameters
        ----------
        values
            Returns an outcome of every replication, shape (n,).

        Raises
        ------
        ScenarioError
            An outcome is not settled by the horizon in some replication.
        """
        columns = {name: values(name) for name in self.outcomes()}
        problems = [
            Problem(
                f"losses: {name}",
                f"not settled by the horizon in {n_open} of {len(column)} replications",
                "weigh an outcome that always is",
            )
            for name, column in columns.items()
            if (n_open := int(np.isnan(column).sum()))
        ]
        if problems:
            raise ScenarioError(problems)
        return {
            name: sum(
                (term.weight * columns[outcome] for outcome, term in loss.terms.items()),
                start=np.zeros(len(next(iter(columns.values())))),
            )
            for name, loss in self.losses.items()
        }


def load_losses(
    scenario: Scenario, losses: LossPanel | Mapping[str, Any] | str | os.PathLike[str] | None = None
) -> LossPanel:
    """A panel of losses over the outcomes of a scenario.

    Parameters
    ----------
    scenario
        Has the outcomes.
    losses
        A panel, a mapping as in a file, or the path of a YAML or JSON file; the
        illustrative panel that comes with simlib when not given.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    if isinstance(losses, LossPanel):
        losses = losses.model_dump(exclude_none=True)
    shipped = bundled.folder("seeds") / "loss_panel.yaml"
    panel, log = read_model(LossPanel, shipped if losses is None else losses)
    if not log.problems:
        _check(panel, scenario, log)
    log.refuse()
    return panel


def _check(panel: LossPanel, scenario: Scenario, log: ProblemLog) -> None:
    if not panel.losses:
        log.add_at(("losses",), "must hold at least one loss")
    for name, loss in panel.losses.items():
        here = ("losses", name, "terms")
        if not any(term.weight for term in loss.terms.values()):
            log.add_at(here, "must weigh at least one outcome (got no weight but 0)")
        for outcome, term in loss.terms.items():
            if outcome not in scenario.outcomes:
                hint = near_or_all(outcome, scenario.outcomes)
                log.add_at((*here, outcome), f"undefined outcome (got {shown(outcome)})", hint)
                continue
            kind = kind_of(scenario.outcomes[outcome])
            unit = "yes" if kind == "flag" else unit_of(scenario.outcomes[outcome], scenario)
            if kind == "class":
                log.add_at((*here, outcome), "must be a number or a yes/no (is a class)")
            elif term.per != unit:
                rule = f"must be the unit of the outcome, {shown(unit)} (got {shown(term.per)})"
                log.add_at((*here, outcome, "per"), rule)
