"""The withdrawals that are looked at, and what each is good for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Case:
    """A withdrawal of a foreign force from a country.

    Attributes
    ----------
    name
        Name of its scenario, or of the case where it has none.
    country
        As the record spells it.
    exit_on
        The day of the exit; its month belongs neither to before nor to after.
    has_scenario
        Whether a bundled scenario of that name describes it.
    is_pooled
        Whether it informs the effect of a withdrawal.
    is_exit
        Whether windows around it are kept out of the placebos.
    why
        Why it is pooled, or not.
    """

    name: str
    country: str
    exit_on: dt.date
    has_scenario: bool
    is_pooled: bool
    is_exit: bool
    why: str

    @property
    def month(self) -> np.datetime64:
        """The calendar month of the exit."""
        return np.datetime64(self.exit_on, "M")


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
