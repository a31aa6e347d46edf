"""What an option makes of a scenario: its parameters, and the options it goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.schema import Option, Scenario


def option_scenario(scenario: Scenario, option_name: str) -> Scenario:
    """Return a scenario with the parameters that an option, or what it goes on from, replaces.

    What an option does to milestones stays in the option: the world announces it.

    Raises
    ------
    ScenarioError
        The scenario has no such option.
    """
    if option_name not in scenario.options:
        rule = f"undefined option (got {shown(option_name)})"
        raise ScenarioError([Problem("options", rule, near_or_all(option_name, scenario.options))])
    parameters = dict(scenario.parameters)
    for option in option_lineage(scenario, option_name):
        parameters |= option.parameters
    return scenario.model_copy(update={"parameters": parameters})


def option_lineage(scenario: Scenario, option_name: str) -> list[Option]:
    """Return an option after those it goes on from, first to last."""
    lineage = [scenario.options[option_name]]
    while lineage[0].of:
        lineage.insert(0, scenario.options[lineage[0].of])
    return lineage
