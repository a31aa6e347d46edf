"""When an alarm can be right or false, and how the first alarms of replications did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import bdtrc

from simlib.statistics.formatting import percent
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.analysis.discovery.indicators import Observed

DAYS_PER_WEEK = 7.0
LEVEL = 0.025
"""Of what counts as better than chance: one side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Reach:
    """At which dates an alarm can be right or false, for some replications.

    Dates, one a week, are those whose window ends before the horizon. By replication and
    date, shape (n, n_dates), `is_at_risk` says whether the event has not happened by the date
    and the time ahead, so that the replication is still watched; `is_inside` whether it falls
    into the window of the date. Times are in days.
    """

    dates: NDArray[np.float64]
    is_at_risk: NDArray[np.bool_]
    is_inside: NDArray[np.bool_]
    event_at: NDArray[np.float64]

    @classmethod
    def of(cls, observed: Observed, ahead: float, window: float) -> Reach:
        """The reach of all replications; times in days."""
        last = observed.horizon - ahead - window
        dates = np.arange(observed.start, last + 1e-9, DAYS_PER_WEEK)
        begins = dates + ahead
        event_at = observed.event_at[:, None]
        is_at_risk = event_at > begins
        return cls(dates, is_at_risk, is_at_risk & (event_at <= begins + window), observed.event_at)

    @property
    def can_be_hit(self) -> NDArray[np.bool_]:
        """Whether some date of a replication has the event in its window, shape (n,)."""
        return np.asarray(self.is_inside.any(axis=1))

    @property
    def can_be_false(self) -> NDArray[np.bool_]:
        """Whether some date at risk has no event in its window, shape (n,)."""
        return np.asarray((self.is_at_risk & ~self.is_inside).any(axis=1))

    @property
    def base_rates(self) -> NDArray[np.float64]:
        """Share of the replications at risk at a date with the event in its window."""
        n_at_risk = self.is_at_risk.sum(axis=0)
        return np.asarray(self.is_inside.sum(axis=0) / np.maximum(n_at_risk, 1))


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the first alarms of some replications did.

    An alarm at a date t is right where the event falls into (t + ahead, t + ahead +
    window], else false. A replication is watched while the event has not happened by
    t + ahead, and only its first alarm counts.

    Attributes
    ----------
    n
        Replications.
    n_can_be_hit
        Those in which the event falls into the window of some date: of these is the hit
        rate.
    n_can_be_false
        Those with a date, while watched, whose window has no event: of these is the
        false-alarm rate.
    n_alarms, n_right
        Replications with an alarm, and with a right one.
    base_rate
        Of all dates of all replications while watched: the share with the event in its
        window.
    base_rate_at_alarms
        The same share at the date of each alarm, averaged over alarms: what alarms at
        these dates would be right by chance. nan without an alarm.
    lead_weeks
        Weeks from each right alarm to the event, ascending.
    """

    n: int
    n_can_be_hit: int
    n_can_be_false: int
    n_alarms: int
    n_right: int
    base_rate: float
    base_rate_at_alarms: float
    lead_weeks: tuple[float, ...]

    @property
    def hit_rate(self) -> float:
        """Right alarms per replication that can be hit, 0-1."""
        return self.n_right / self.n_can_be_hit if self.n_can_be_hit else math.nan

    @property
    def false_alarm_rate(self) -> float:
        """False alarms per replication that can have one, 0-1."""
        n_false = self.n_alarms - self.n_right
        return n_false / self.n_can_be_false if self.n_can_be_false else math.nan

    @property
    def predictive_value(self) -> float:
        """Share of alarms that are right, 0-1; nan without an alarm."""
        return self.n_right / self.n_alarms if self.n_alarms else math.nan

    @property
    def predictive_interval(self) -> tuple[float, float]:
        """Wilson 95 % interval of the predictive value."""
        return wilson(self.n_right, self.n_alarms)

    @property
    def lift(self) -> float:
        """Predictive value over the base rate at alarms; nan where either is not known."""
        if not self.n_alarms or not self.base_rate_at_alarms:
            return math.nan
        return self.predictive_value / self.base_rate_at_alarms

    @property
    def p_by_chance(self) -> float:
        """Probability of so many right alarms or more at the base rate at alarms (binomial)."""
        if not self.n_right:
            return 1.0
        return float(bdtrc(self.n_right - 1, self.n_alarms, self.base_rate_at_alarms))

    @property
    def is_better_than_chance(self) -> bool:
        """Whether the predictive value's interval lies above the base rate at alarms.

        Of few alarms the interval is too short; so `p_by_chance` is below .025 as well.
        """
        is_above = self.n_alarms > 0 and self.predictive_interval[0] > self.base_rate_at_alarms
        return is_above and self.p_by_chance < LEVEL

    def lead_quartiles(self) -> tuple[float, float, float]:
        """The quartiles of the lead in weeks; nan without a right alarm."""
        if not self.lead_weeks:
            return (math.nan,) * 3
        low, middle, high = np.quantile(self.lead_weeks, (0.25, 0.5, 0.75)).tolist()
        return low, middle, high

    def row(self, half: str) -> dict[str, float]:
        """All of it as columns of a table, the names ending with the half."""
        low, high = self.predictive_interval if self.n_alarms else (math.nan, math.nan)
        first, middle, last = self.lead_quartiles()
        row = {
            "hit_rate": self.hit_rate,
            "false_alarm_rate": self.false_alarm_rate,
            "predictive_value": self.predictive_value,
            "predictive_low": low,
            "predictive_high": high,
            "base_rate_at_alarms": self.base_rate_at_alarms,
            "lift": self.lift,
            "n_alarms": self.n_alarms,
            "n_right": self.n_right,
            "lead_weeks_q25": first,
            "lead_weeks_median": middle,
            "lead_weeks_q75": last,
        }
        return {f"{name}{half}": value for name, value in row.items()}

    def sentences(self) -> list[str]:
        """Say how alarms did, on replications in which no rule was searched."""
        if not self.n_alarms:
            return ["It raised no alarm on the other half: nothing beats the base rate."]
        low, high = self.predictive_interval
        lift = "no lift is known" if math.isnan(self.lift) else f"{self.lift:.1f} times as often"
        lines = [
            (
                f"Hit rate {percent(self.hit_rate)} ({self.n_right:,} of {self.n_can_be_hit:,}), "
                f"false-alarm rate {percent(self.false_alarm_rate)} "
                f"({self.n_alarms - self.n_right:,} of {self.n_can_be_false:,}). An alarm is right "
                f"with {percent(self.predictive_value)} ({percent(low)} to {percent(high)}), "
                f"against a base rate of {percent(self.base_rate_at_alarms)} at the same dates: "
                f"{lift}."
            )
        ]
        if len(self.lead_weeks) == 1:
            lines.append(f"The one right alarm came {self.lead_weeks[0]:.1f} weeks ahead.")
        elif self.lead_weeks:
            first, middle, last = (f"{weeks:.1f}" for weeks in self.lead_quartiles())
            lines.append(
                f"Lead of right alarms: median {middle} weeks, half of them {first} to {last}."
            )
        if self.is_better_than_chance:
            lines.append(
                "Better than luck, by which so many right alarms or more would come with a "
                f"probability of {self.p_by_chance:.3f}."
            )
        else:
            lines.append(
                "Nothing beats the base rate on replications that were not searched: the interval "
                "reaches down to what alarms at those dates would be right by luck."
            )
        return lines


def first_alarms(is_raised: NDArray[np.bool_], reach: Reach) -> NDArray[np.intp]:
    """The index of the first date of each replication with an alarm; -1 for none.

    `is_raised`, shape (n, n_dates), says where the rule holds; outside of the risk set
    nothing is an alarm.
    """
    is_alarm = is_raised & reach.is_at_risk
    first: NDArray[np.intp] = np.argmax(is_alarm, axis=1)
    first[~is_alarm.any(axis=1)] = -1
    return first


def judge(is_raised: NDArray[np.bool_], reach: Reach) -> Judgement:
    """Judge first alarms; parameters as of `first_alarms`."""
    first = first_alarms(is_raised, reach)
    rows = np.flatnonzero(first >= 0)
    dates = first[rows]
    is_right = reach.is_inside[rows, dates]
    leads = (reach.event_at[rows] - reach.dates[dates])[is_right] / DAYS_PER_WEEK
    n_at_risk: Any = reach.is_at_risk.sum()
    return Judgement(
        n=len(reach.event_at),
        n_can_be_hit=int(reach.can_be_hit.sum()),
        n_can_be_false=int(reach.can_be_false.sum()),
        n_alarms=len(rows),
        n_right=int(is_right.sum()),
        base_rate=float(reach.is_inside.sum() / n_at_risk) if n_at_risk else math.nan,
        base_rate_at_alarms=float(reach.base_rates[dates].mean()) if len(rows) else math.nan,
        lead_weeks=tuple(np.sort(leads).tolist()),
    )
