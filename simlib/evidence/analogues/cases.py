"""The withdrawals that are looked at, and what each is good for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Analogues:
    """What is looked at, and what is believed of a withdrawal here beforehand.

    Attributes
    ----------
    cases
        In the order of tables.
    prior
        Of the effect, as a scenario spells it.
    unseen
        Another prior: as if the cases had not been looked at.
    year_sd
        Log-sd of one observed year here about its mean.
    """

    cases: tuple[Case, ...]
    prior: Mapping[str, Mapping[str, float]]
    unseen: Mapping[str, Mapping[str, float]]
    year_sd: float
