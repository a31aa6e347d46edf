"""All about the analogues: cases among placebos, simulated years, and what the prior becomes."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Unpack

import numpy as np

from simlib._moved import default
from simlib.ensemble import run
from simlib.ensemble.execution import Execution, execution_of
from simlib.evidence.analogues.analogue_record import (
    STATE_BASED,
    read_record,
)
from simlib.evidence.analogues.placebo import (
    Contrast,
    Placebos,
    Standing,
    contrast_of,
    placebos,
    standing,
)
from simlib.evidence.analogues.updating import (
    Belief,
    Match,
    belief_of,
    information,
    known_cases,
    matched,
    pooled,
    worth_in_years,
)
from simlib.finding import Finding, plot_room
from simlib.scenario.requests import whole
from simlib.scenario.schema import MOST_REPLICATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from simlib.evidence.analogues.analogue_record import Analogues, Case
    from simlib.evidence.analogues.placebo import Contrast
    from simlib.evidence.panels import CountPanel

OPTIONS = ("no_withdrawal", "withdrawal")
OUTCOME = "events_after"
AS_OF = dt.date(2024, 12, 31)
REPLICATIONS = 400


@dataclass(frozen=True, slots=True)
class Prediction:
    """Simulated events of the year after an exit, shape (n,), beside what was observed."""

    option: str
    counts: NDArray[np.float64]
    observed: Contrast

    @property
    def pit(self) -> float:
        """Share of replications with fewer events than observed, ties half."""
        below = (self.counts < self.observed.after).mean()
        return float(below + (self.counts == self.observed.after).mean() / 2.0)

    @property
    def log_ratios(self) -> NDArray[np.float64]:
        """Log of simulated events after to observed events before; of half an event where none."""
        return np.asarray(np.log(np.maximum(self.counts, 0.5) / self.observed.before))

    def ratios(self) -> tuple[float, float, float]:
        """Give the 5 %, 50 % and 95 % quantiles of events after to events before."""
        low, middle, high = np.exp(np.quantile(self.log_ratios, [0.05, 0.5, 0.95]))
        return float(low), float(middle), float(high)


def predict(
    case: Case, observed: Contrast, *, replications: int, **execution: Unpack[Execution]
) -> dict[str, Prediction]:
    """Simulate a case's scenario with and without the withdrawal, under common random numbers."""
    where = execution_of(execution)
    if folder := where.get("directory"):
        where["directory"] = Path(folder) / case.name
    ensemble = run(case.name, options=OPTIONS, replications=replications, **where)
    return {
        option: Prediction(option, ensemble.of(option).values(OUTCOME), observed)
        for option in OPTIONS
    }


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case: all events around it and battles with a state, beside placebos and simulations.

    Placebos are all, and its own country's. Predictions are by option; there are none where it has
    no scenario or none was asked for.
    """

    case: Case
    observed: Contrast
    state_based: Contrast
    among_all: Standing
    among_own: Standing
    predictions: dict[str, Prediction]


@dataclass(frozen=True, slots=True)
class Alternative:
    """What would be believed with another choice, before and after the cases."""

    name: str
    before: Belief
    after: Belief

    def row(self, year_sd: float) -> dict[str, object]:
        """Tell the effect as log and as factor, and what was learnt."""
        low, middle, high = self.after.quantiles(np.array([0.05, 0.5, 0.95])).tolist()
        return {
            "belief": self.name,
            "mean": self.after.mean,
            "sd": self.after.sd,
            "5 %": low,
            "95 %": high,
            "factor 5 %": float(np.exp(low)),
            "factor median": float(np.exp(middle)),
            "factor 95 %": float(np.exp(high)),
            "nats": information(self.before, self.after),
            "years": worth_in_years(self.before, self.after, year_sd),
        }


@dataclass(frozen=True, slots=True)
class AnalogueStudy(Finding):
    """What the analogues say.

    Attributes
    ----------
    as_of
        Nothing published later was read.
    placebos, placebos_with_exits
        Windows without an exit, and all of them.
    sd_interval
        5 % and 95 % of the placebo standard deviation over its bootstrap resamples.
    before, after
        The prior, and what it becomes.
    match
        The Student t in place of the latter.
    alternatives
        What it would become with other choices.
    year_sd
        Log-sd of one observed year of the theatre about its mean.
    """

    stem: ClassVar[str] = "analogues"

    as_of: dt.date
    rows: tuple[CaseRow, ...]
    placebos: Placebos
    placebos_with_exits: Placebos
    sd_interval: tuple[float, float]
    before: Belief
    after: Belief
    match: Match
    alternatives: tuple[Alternative, ...]
    year_sd: float

    def table(self) -> pd.DataFrame:
        """Tell of each case counts, ratio, and where it stands among placebos."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "case": row.case.name,
                    "exit": row.case.exit_on.isoformat(),
                    "pooled": "yes" if row.case.is_pooled else "no",
                    "before": row.observed.before,
                    "after": row.observed.after,
                    "ratio": row.observed.ratio,
                    "state-based ratio": row.state_based.ratio,
                    "placebos below": row.among_all.share_below,
                    "rank p": row.among_all.p_value,
                    "own country below": row.among_own.share_below,
                    "own rank p": row.among_own.p_value,
                    "why": row.case.why,
                }
                for row in self.rows
            ]
        )

    def predicted(self) -> pd.DataFrame:
        """Tell of each case and option the simulated ratio after to before, and the PIT."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "case": row.case.name,
                    "option": option,
                    **dict(zip(("5 %", "median", "95 %"), found.ratios(), strict=True)),
                    "observed": row.observed.ratio,
                    "PIT": found.pit,
                    "log sd": float(found.log_ratios.std()),
                    "n": len(found.counts),
                }
                for row in self.rows
                for option, found in row.predictions.items()
            ]
        )

    def effects(self) -> pd.DataFrame:
        """Tell of each belief the effect as log and as factor, and what was learnt."""
        import pandas as pd

        before = Alternative("prior", self.before, self.before)
        after = Alternative("posterior", self.before, self.after)
        return pd.DataFrame([x.row(self.year_sd) for x in (before, after, *self.alternatives)])

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Show cases beside placebos, simulated years, and what is believed of the effect."""
        predicted = {"events after to events before, as simulated": self.predicted()}
        return {
            "twelve months after an exit beside twelve before": self.table(),
            **(predicted if self._is_simulated else {}),
            "effect of full exit (log), before and after the pooled cases": self.effects(),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give cases, beliefs and, where they were simulated, predictions."""
        tables = {"analogues": self.table(), "effects": self.effects()}
        return {**tables, "predicted": self.predicted()} if self._is_simulated else tables

    def figures(self) -> dict[str, Callable[[], Figure]]:
        """Draw cases, years and beliefs as panels of one figure."""
        return {"analogues": lambda: plot_room().analogue_panels(self)}

    @property
    def _is_simulated(self) -> bool:
        return any(row.predictions for row in self.rows)

    def sentences(self) -> list[str]:
        """Say what was found."""
        low, high = self.sd_interval
        pooled = [row for row in self.rows if row.case.is_pooled]
        least = min(row.among_all.p_value for row in pooled)
        (arguments,) = self.match.distribution.values()
        spelled = ", ".join(f"{name} {value:g}" for name, value in arguments.items())
        width = (
            "Without an exit, twelve months against twelve differ by a log ratio of sd "
            f"{self.placebos.sd:.2f} (90 % by bootstrap {low:.2f} to {high:.2f}; "
            f"{len(self.placebos.log_ratios)} overlapping windows; "
            f"{self.placebos_with_exits.sd:.2f} with the exits left in)."
        )
        learnt = (
            f"The effect goes from {self.before.spelled} to {self.after.spelled}: "
            f"{information(self.before, self.after):.2f} nats, as much as "
            f"{worth_in_years(self.before, self.after, self.year_sd):.1f} observed years of the "
            "theatre."
        )
        twice = (
            "The prior was set with these ratios in sight, so part of this is counted twice; "
            "the prior alone is the other end of what can be defended."
        )
        match = (
            f"As a scenario has it: student_t ({spelled}), off by at most {self.match.error:.4f} "
            "in probability."
        )
        far = f"Of {len(pooled)} pooled cases the one farthest out has a rank p of {least:.2f}."
        return [width, far, learnt, twice, match]


def study_analogues(
    as_of: dt.date = AS_OF,
    *,
    analogues: Analogues | None = None,
    replications: int = REPLICATIONS,
    record: Path | None = None,
    **execution: Unpack[Execution],
) -> AnalogueStudy:
    """Set withdrawals elsewhere against placebos, simulate them, and update the prior.

    Parameters
    ----------
    as_of
        Nothing published later is read; cases without a published year after are left out.
    analogues
        Cases, and what is believed beforehand; to be given.
    replications
        Of each scenario and option; 0 simulates nothing.
    record
        Counts by country and month; the bundled ones when not given.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    AnalogueError
        The record is wrong, or no pooled case has a year after that was published.
    """
    replications = whole("replications", replications, 0, MOST_REPLICATIONS)
    panel = read_record(as_of, record)
    chosen: Analogues = default("study_analogues(analogues=)") if analogues is None else analogues
    cases = known_cases(panel, chosen.cases, as_of)
    usual = placebos(panel, chosen.cases)
    simulated = functools.partial(predict, replications=replications, **execution)
    rows = [_row(panel, case, usual, simulated if replications else None) for case in cases]
    sds = usual.sd_resamples()
    low, high = np.quantile(sds, [0.05, 0.95])
    before, after = belief_of(chosen.prior), pooled(panel, cases, chosen)
    return AnalogueStudy(
        as_of=as_of,
        rows=tuple(rows),
        placebos=usual,
        placebos_with_exits=placebos(panel, ()),
        sd_interval=(float(low), float(high)),
        before=before,
        after=after,
        match=matched(after),
        alternatives=tuple(_alternatives(panel, cases, chosen)),
        year_sd=chosen.year_sd,
    )


def _row(
    panel: CountPanel,
    case: Case,
    usual: Placebos,
    simulated: Callable[[Case, Contrast], dict[str, Prediction]] | None,
) -> CaseRow:
    observed = contrast_of(panel, case)
    return CaseRow(
        case,
        observed,
        contrast_of(panel, case, STATE_BASED),
        standing(observed.log_ratio, usual.log_ratios),
        standing(observed.log_ratio, usual.of(case.country)),
        simulated(case, observed) if simulated and case.has_scenario else {},
    )


def _alternatives(
    panel: CountPanel, cases: tuple[Case, ...], analogues: Analogues
) -> list[Alternative]:
    believed = functools.partial(pooled, panel, cases, analogues)
    before = belief_of(analogues.prior)
    found = [
        Alternative(f"with {case.name}", before, believed(too=case.name))
        for case in cases
        if not case.is_pooled
    ]
    found += [
        Alternative("battles with a state only", before, believed(series=STATE_BASED)),
        Alternative("placebo sd of the own country", before, believed(is_own=True)),
    ]
    unseen = belief_of(analogues.unseen)
    return [*found, Alternative("prior as if unseen", unseen, believed(is_unseen=True))]
