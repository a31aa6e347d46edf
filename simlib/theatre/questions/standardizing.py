"""Constants of the committee and of the withdrawal effect, computed from the scenario itself.

The committee's intercepts are solved on the prior predictive at 30 June 2025; the
withdrawal effect is corrected for what fewer operations and strikes add through fighters.
`scenarios/theatre/parameters.yaml` holds what these functions return, and tests re-derive it.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from simlib.journal import to_days
from simlib.scenario import load_text
from simlib.scenario.schema import MilestoneChange, Option
from simlib.simulation import assemble, simulate
from simlib.theatre.agents.coalition import IRAQ, SYRIA
from simlib.theatre.questions.committee_choices import solve_constants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.evidence.calibration.collecting import Calibration
    from simlib.scenario.schema import Scenario
    from simlib.simulation import Blueprint

YEAR = 365.0
MISSIONS = (IRAQ, SYRIA)
ALONE = {"committee.partnership": 0.0, "coalition.nato_stays": 0.0, "isis.anticipation": 0.0}
"""Nobody stays behind, and ISIS neither tests nor waits."""
NEVER = dt.date(2029, 1, 1)
"""Past the horizon, so that nothing leaves."""


def committee_constants(
    calibration: Calibration, replications: int
) -> dict[str, tuple[float, str]]:
    """Solve the committee's constants again on the fitted scenario; those that moved.

    A posterior moves what grounds are made of, so the intercepts that keep the class means move.
    A thousand replications tell them to a few hundredths, and so they are rounded.
    """
    scenario = load_text(calibration.scenario_text(), file="fitted")
    text = f"Solved on the prior predictive at 30 June 2025, {replications} replications as fitted."
    found = {name: round(v, 2) for name, v in solve_constants(scenario, replications).items()}
    base = calibration.record.base.parameters
    return {name: (value, text) for name, value in found.items() if value != base[name].value}


def withdrawal_effect(
    scenario: Scenario,
    replications: int,
    *,
    given: Mapping[str, float],
    exit_date: dt.date = dt.date(2025, 9, 30),
) -> float:
    """The log ratio of ISIS attacks in Iraq in the year after full exit.

    Everything leaves Iraq and Syria on one date against nothing leaves, on paired replications
    with the same given parameters. Without residual advisers, and with ISIS neither testing nor
    waiting, this is the prior's ``withdrawal.log_effect`` up to Monte Carlo error.
    """
    alone = {**ALONE, **given}
    counts = [
        _attacks_in_year(_forced(scenario, date), replications, alone, to_days(exit_date))
        for date in (exit_date, NEVER)
    ]
    return math.log(counts[0] / counts[1])


def measure_withdrawal(scenario: Scenario, replications: int) -> dict[str, float]:
    """Measure the numbers that elasticities of the withdrawal effect are corrected by.

    ``withdrawal.indirect``, the log effect when the mediators carry none, and
    ``withdrawal.carried``, the change of the effect for a change of what they carry, over so many
    pairs of replications in each of three comparisons.
    """
    none, most, least = (
        withdrawal_effect(scenario, replications, given={"withdrawal.direct": direct})
        for direct in (0.0, 0.3, -0.3)
    )
    return {"withdrawal.indirect": none, "withdrawal.carried": (most - least) / 0.6}


def _forced(scenario: Scenario, date: dt.date) -> Blueprint:
    """The scenario with both missions ending on a date that nobody decides."""
    changes = {name: MilestoneChange(date=date, forced=True) for name in MISSIONS}
    forced = scenario.model_copy(update={"options": {"forced": Option(timeline=changes)}})
    return assemble(forced, "forced")


def _attacks_in_year(
    blueprint: Blueprint, replications: int, given: Mapping[str, float], first: float
) -> int:
    channels = blueprint.channels.channels
    is_attack = np.array(
        [
            type_ == "isis_attack" and country == "Iraq"
            for type_, country in zip(channels.types, channels.countries, strict=True)
        ]
    )
    total = 0
    for replication in range(replications):
        incidents = simulate(blueprint, replication, parameters=given).incidents
        inside = (incidents.time >= first) & (incidents.time < first + YEAR)
        total += int((is_attack[incidents.channel] & inside).sum())
    return total
