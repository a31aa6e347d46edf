"""Constants of the committee and of the withdrawal effect, computed from the scenario itself.

The committee's grounds are standardized on the prior predictive at 30 June 2025; the
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
from simlib.scenario.requests import whole
from simlib.scenario.schema import MOST_REPLICATIONS, MilestoneChange, Option
from simlib.simulation import assemble, simulate
from simlib.theatre.agents.committee import GROUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.evidence.calibration.collecting import Calibration
    from simlib.scenario.schema import Scenario
    from simlib.simulation import Blueprint

JUNE = dt.date(2025, 7, 1)
"""First snapshot after the review that looks at the state of 30 June 2025."""
YEAR = 365.0
MOST_ERRORS = 3.0
"""Standard errors beyond which a constant is taken to have moved."""
NEVER = dt.date(2029, 1, 1)
"""Past the horizon, so that nothing leaves."""


def standardize(scenario: Scenario, replications: int) -> dict[str, float]:
    """Mean and standard deviation of each ground at 30 June 2025, over 2 or more replications.

    Values of ``committee.GROUND_mean`` and ``committee.GROUND_sd``, in the units of the grounds.
    """
    blueprint = assemble(scenario)
    replications = whole("replications", replications, 2, MOST_REPLICATIONS)
    raw = {ground: np.empty(replications) for ground in GROUNDS}
    # Under these constants a recorded ground is a thousandth of the raw one, within its limit.
    means = {f"committee.{ground}_mean": 0.0 for ground in GROUNDS}
    given = means | {f"committee.{ground}_sd": 1e3 for ground in GROUNDS}
    for replication in range(replications):
        run = simulate(blueprint, replication, parameters=given)
        row = run.snapshots[int(np.searchsorted(run.snapshot_times, to_days(JUNE)))]
        for ground in GROUNDS:
            raw[ground][replication] = 1e3 * row[run.layout.index(f"committee.{ground}")]
    result = {}
    for ground, values in raw.items():
        result[f"committee.{ground}_mean"] = float(values.mean())
        result[f"committee.{ground}_sd"] = float(values.std(ddof=1))
    return result


def committee_constants(
    calibration: Calibration, replications: int
) -> dict[str, tuple[float, str]]:
    """Measure constants again on the fitted scenario, and return those of grounds that moved.

    A posterior moves what grounds are made of, so that their means and spreads move too;
    they are replaced where they differ by more than chance.
    """
    base = calibration.record.base.parameters
    scenario = load_text(calibration.scenario_text(), file="fitted")
    found = standardize(scenario, replications)
    constants = {}
    for ground in GROUNDS:
        names = [f"committee.{ground}_{ending}" for ending in ("mean", "sd")]
        sd = found[names[1]]
        errors = (sd / math.sqrt(replications), sd / math.sqrt(2.0 * replications))
        moves = [
            abs(found[name] - (base[name].value or 0.0)) / error
            for name, error in zip(names, errors, strict=True)
        ]
        if max(moves) > MOST_ERRORS:
            for name, what in zip(names, ("Mean", "Standard deviation"), strict=True):
                text = f"{what} at 30 June 2025 in {replications} replications as fitted."
                constants[name] = (found[name], text)
    return constants


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
    alone = {"committee.partnership": 0.0, "isis.anticipation": 0.0, **given}
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
    dated = [name for name, milestone in scenario.timeline.items() if milestone.date]
    changes = {name: MilestoneChange(date=date, forced=True) for name in dated}
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
