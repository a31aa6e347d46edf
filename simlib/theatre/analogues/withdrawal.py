"""The withdrawals that are looked at, and what they say of one from Iraq and Syria."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from simlib.evidence.analogues.analogue_record import Analogues, Case, last_published, read_record
from simlib.evidence.analogues.placebo import YEAR
from simlib.evidence.analogues.study import AS_OF
from simlib.evidence.analogues.updating import known_cases, matched, pooled
from simlib.evidence.fitted import Fitted

CASES = (
    Case(
        "iraq_2011",
        "Iraq",
        dt.date(2011, 12, 18),
        has_scenario=True,
        is_pooled=True,
        is_exit=True,
        why="a full exit with a government in place",
    ),
    Case(
        "syria_2019",
        "Syria",
        dt.date(2019, 10, 6),
        has_scenario=True,
        is_pooled=True,
        is_exit=True,
        why="partial, and country totals are mostly the civil war",
    ),
    Case(
        "mali_2022",
        "Mali",
        dt.date(2022, 8, 15),
        has_scenario=True,
        is_pooled=True,
        is_exit=True,
        why="a full exit of one of several forces",
    ),
    Case(
        "afghanistan_2021",
        "Afghanistan",
        dt.date(2021, 8, 30),
        has_scenario=True,
        is_pooled=False,
        is_exit=True,
        why="ended in a victory, not in a hand-over",
    ),
    Case(
        "iraq_2020",
        "Iraq",
        dt.date(2020, 9, 1),
        has_scenario=False,
        is_pooled=False,
        is_exit=False,
        why="a drawdown, not an exit; the day is a judgement",
    ),
)
"""In the order of tables. Days are general knowledge; seeds/parameters.csv has C3-2011 and E1."""
WITHDRAWALS = Analogues(
    cases=CASES,
    # Of withdrawal.log_effect in scenarios/theatre/parameters.yaml.
    prior={"student_t": {"df": 4.0, "location": 0.05, "scale": 0.30}},
    # Twice as wide and about none.
    unseen={"student_t": {"df": 4.0, "location": 0.0, "scale": 0.60}},
    # Of the mean of twelve months of the log multiplier, an AR(1) with rho .7 and sd .4.
    year_sd=0.24,
)
"""For `simlib.evidence.study_analogues`."""


def fitted_withdrawal_effect(as_of: dt.date = AS_OF, record: Path | None = None) -> Fitted:
    """State the withdrawal effect after the pooled analogues, as a scenario spells it.

    Nothing published after `as_of` is read; the record is the bundled one when not given.

    Raises
    ------
    AnalogueError
        The record is wrong, or no pooled case has a year after that was published.
    """
    panel = read_record(as_of, record)
    cases = known_cases(panel, CASES, as_of)
    match = matched(pooled(panel, cases, WITHDRAWALS))
    names = ", ".join(case.name for case in cases if case.is_pooled)
    return Fitted(
        name="withdrawal.log_effect",
        distribution=match.distribution,
        unit="log, twelve months after full exit",
        data=(
            f"{names}: events twelve months after to twelve before, and {YEAR}-month placebos of "
            f"five countries to {last_published(as_of)} "
            f"({panel.vintage}; seeds/history/analogues_monthly.csv)"
        ),
        method=(
            "Student t prior set with the cases in sight, normal likelihood with the placebo sd "
            "and a half-normal spread of cases, on a grid; a Student t with matched quantiles "
            f"(probabilities off by at most {match.error:.4f})"
        ),
        as_of=as_of,
    )
