"""Value of information: which unknown, if learnt, would change the ranking, and by how much.

At each date the choice is between the end as agreed and extensions from that date on, all
forced and under common random numbers. Learning a parameter is worth its EVPPI; the
reports published by a date are worth their EVSI; a parameter besides these reports is
worth what it adds to them.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Unpack

import numpy as np

from simlib._moved import default
from simlib.analysis.selection.deadlines import HELD, extension_name
from simlib.analysis.selection.forced_runs import NEVER, Answer, simulate_answers
from simlib.analysis.selection.observables import encoded, plan_observables
from simlib.analysis.value.evppi import (
    FEWEST,
    KINDS,
    DecisionSample,
    UnknownValue,
    best_option,
    p_incorrect_selection,
    regions,
    value_unknowns,
)
from simlib.analysis.value.losses import LossPanel, load_losses
from simlib.ensemble import run
from simlib.ensemble.execution import execution_of
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.journal import to_days
from simlib.scenario import as_scenario
from simlib.scenario.requests import n_replications
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble
from simlib.statistics.formatting import with_error
from simlib.statistics.regression import FOLDS
from simlib.statistics.resampling import folds_of
from simlib.world.quantities import ParameterPlan

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.selection.deadlines import Deadline, DecisionQuestion
    from simlib.ensemble import Ensemble
    from simlib.ensemble.execution import Execution
    from simlib.scenario.schema import Scenario

ALL = "all parameters"
MOST_REGIONS = 5
"""Parameters for which it is said where in their range another option is best."""


@dataclass(frozen=True, slots=True)
class OptionRanking:
    """The options of one loss at one date, where nothing is learnt.

    Attributes
    ----------
    options, means
        Options, and the mean loss of each.
    above_best, errors
        Mean paired difference to the best, with its Monte Carlo standard error.
    best, p_incorrect
        The best option, and a bound of the probability that its selection is incorrect:
        that another one is better.
    """

    loss: str
    date: dt.date
    options: tuple[str, ...]
    means: tuple[float, ...]
    above_best: tuple[float, ...]
    errors: tuple[float, ...]
    best: str
    p_incorrect: float


@dataclass(frozen=True, slots=True)
class Information(Finding):
    """The value of information for a panel of losses at some dates.

    Attributes
    ----------
    scenario, n
        Its name; replications that every option has.
    panel
        The losses, with their weights.
    options
        The options at each date.
    rankings, unknowns
        For every loss and date.
    n_unknowns
        Parameters and groups that were looked at for each of them.
    """

    stem: ClassVar[str] = "information"

    scenario: str
    n: int
    panel: LossPanel
    options: Mapping[dt.date, tuple[str, ...]]
    rankings: list[OptionRanking]
    unknowns: list[UnknownValue]
    n_unknowns: int

    @property
    def z_family(self) -> float:
        """How many errors above 0 an unknown stands out among all that were looked at.

        Bonferroni, two-sided 5 % over `n_unknowns`.
        """
        from scipy.special import ndtri

        return float(ndtri(1.0 - 0.025 / max(1, self.n_unknowns)))

    def table(self) -> pd.DataFrame:
        """A row for each loss, date and unknown, ranked within kinds.

        ``value`` (in the unit of the loss) is 0 or more, ``estimate`` may lie below;
        ``low`` and ``high`` are the normal 95 % interval cut off at 0. ``is_clear`` says
        that it lies above 0 also when all unknowns looked at are taken together.
        """
        import pandas as pd

        rows = []
        for each in self.unknowns:
            low, high = each.alone.interval()
            row: dict[str, object] = {
                "loss": each.loss,
                "unit": self.panel.losses[each.loss].unit,
                "date": each.date.isoformat(),
                "kind": each.kind,
                "unknown": each.name,
                "value": each.alone.value,
                "low": low,
                "high": high,
                "estimate": each.alone.estimate,
                "error": each.alone.error,
                "is_clear": each.alone.is_clear(self.z_family),
                "share_changed": each.alone.share_changed,
            }
            if each.beyond is not None:
                row |= {"beyond_reports": each.beyond.estimate, "beyond_error": each.beyond.error}
            row["another_is_best"] = "; ".join(
                f"{option} {_between(a, b)}" for a, b, option in each.regions
            )
            rows.append(row)
        frame = pd.DataFrame(rows)
        order = frame["kind"].map({kind: i for i, kind in enumerate(KINDS)})
        keys = ["loss", "date", "order", "estimate"]
        ranked = frame.assign(order=order).sort_values(
            keys, ascending=[True, True, True, False], kind="stable"
        )
        return ranked.drop(columns="order").reset_index(drop=True)

    def ranking(self) -> pd.DataFrame:
        """A row for each loss, date and option: mean loss, and how far from the best."""
        import pandas as pd

        rows = [
            {
                "loss": each.loss,
                "unit": self.panel.losses[each.loss].unit,
                "date": each.date.isoformat(),
                "option": option,
                "mean_loss": mean,
                "above_best": above,
                "error": error,
                "is_best": option == each.best,
                "p_incorrect": round(each.p_incorrect, 6) if option == each.best else math.nan,
            }
            for each in self.rankings
            for option, mean, above, error in zip(
                each.options, each.means, each.above_best, each.errors, strict=True
            )
        ]
        return pd.DataFrame(rows)

    def brief(self, n_each: int = 3) -> pd.DataFrame:
        """What is worth most for each loss and date, ± Monte Carlo standard error.

        Parameters
        ----------
        n_each
            Parameters shown for each.
        """
        import pandas as pd

        rows = []
        for ranking in self.rankings:
            those = self._of(ranking)
            parameters = [each for each in those if each.kind == "parameter"][:n_each]
            others = [each for each in those if each.kind in {"everything", "reports"}]
            groups = [each for each in those if each.kind == "group"][:2]
            rows += [
                {
                    "loss": each.loss,
                    "date": each.date.isoformat(),
                    "unknown": each.name,
                    "value": each.alone.shown + self._caution(each),
                    "beyond reports": each.beyond.shown if each.beyond else "",
                    "unit": self.panel.losses[each.loss].unit,
                }
                for each in (*others, *groups, *parameters)
            ]
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Say which option is best at each date, and what would be worth knowing."""
        said = [f"{self._on_ranking(r)} {self._on_unknowns(r)}" for r in self.rankings]
        said.append(
            f"Values are estimated on {self.n} replications by rules learnt on others, so noise "
            f"adds nothing; ± is the Monte Carlo standard error. {self.n_unknowns} unknowns were "
            "looked at for each loss and date: one is named only where it stands out among them."
        )
        if self.panel.note:
            said.append(f"Losses: {self.panel.note}")
        return said

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The ranking, and what is worth most, under their titles."""
        return {
            "options, nothing learnt": self.ranking(),
            "value of learning, ± Monte Carlo standard error": self.brief(),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every unknown, and the ranking of options."""
        return {"information": self.table(), "ranking": self.ranking()}

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """What unknowns are worth, a figure for each loss."""
        names = distinct(self.panel.losses, as_they_are=True)
        return {
            f"information-{name}": partial(plot_room().information, self, loss)
            for loss, name in names.items()
        }

    def _caution(self, each: UnknownValue) -> str:
        """Say where something is above 0 by itself, but not among all that were looked at."""
        is_one_of_many = each.kind in {"parameter", "group"}
        is_chance = each.alone.is_clear() and not each.alone.is_clear(self.z_family)
        return f" (luck, of {self.n_unknowns}?)" if is_one_of_many and is_chance else ""

    def _of(self, ranking: OptionRanking) -> list[UnknownValue]:
        """Return what belongs to a loss and date, the most valuable first."""
        those = [x for x in self.unknowns if (x.loss, x.date) == (ranking.loss, ranking.date)]
        return sorted(those, key=lambda each: -each.alone.estimate)

    def _on_ranking(self, ranking: OptionRanking) -> str:
        second = min(
            (i for i, option in enumerate(ranking.options) if option != ranking.best),
            key=lambda i: ranking.above_best[i],
        )
        gap = with_error(ranking.above_best[second], ranking.errors[second])
        p = ranking.p_incorrect
        bound = "< 0.001" if p < 0.001 else f"<= {p:.2g}"
        return (
            f"{ranking.loss}, {ranking.date}: {ranking.best} has the least loss, "
            f"{ranking.options[second]} {gap} {self.panel.losses[ranking.loss].unit} more; "
            f"P(another is better) {bound}."
        )

    def _on_unknowns(self, ranking: OptionRanking) -> str:
        unit = self.panel.losses[ranking.loss].unit
        those = self._of(ranking)
        reports = next(each for each in those if each.kind == "reports")
        said = [f"The reports to that date are worth {reports.alone.shown} {unit}"]
        standing_out = [each for each in those if each.alone.is_clear(self.z_family)]
        single = [each for each in standing_out if each.kind == "parameter"]
        clear = single or [each for each in standing_out if each.kind == "group"]
        if not clear:
            said.append("no unknown looked at stands out from 0")
        for each in clear[:3]:
            beyond = f", {each.beyond.shown} beyond the reports" if each.beyond else ""
            where = "; ".join(f"{option} is best {_between(a, b)}" for a, b, option in each.regions)
            tail = f" ({where})" if where else ""
            said.append(f"{each.name} is worth {each.alone.shown} {unit}{beyond}{tail}")
        return "; ".join(said) + "."


def _between(low: float, high: float) -> str:
    """Return part of a parameter's range by its quantiles."""
    if low <= 0.0:
        return f"below the {high:.0%} quantile"
    if high >= 1.0:
        return f"above the {low:.0%} quantile"
    return f"between the {low:.0%} and {high:.0%} quantiles"


def value_of_information(
    scenario: Scenario | str | os.PathLike[str],
    losses: LossPanel | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    question: DecisionQuestion | None = None,
    dates: Sequence[dt.date] = (),
    options: Sequence[str] = (),
    replications: int | None = None,
    **execution: Unpack[Execution],
) -> Information:
    """Value what could be learnt before a deadline is decided on.

    Parameters
    ----------
    scenario
        A scenario with the agent that decides, or the path or bundled name of one.
    losses
        A panel of losses; see `simlib.analysis.value.losses.load_losses`.
    question
        The deadline, and who decides on it; to be given.
    dates
        When it is decided; the scheduled meetings when none is given.
    options
        Options of the scenario that are compared too, at every date.
    replications
        How many; the scenario's number when not given.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        Nobody decides, a date lies outside, a loss weighs what is not there, or
        there are too few replications.
    """
    asked: DecisionQuestion = (
        default("value_of_information(question=)") if question is None else question
    )
    loaded = as_scenario(scenario)
    asked.deadline.refuse_without(loaded)
    panel = load_losses(loaded, losses)
    _refuse_options(loaded, options)
    n = n_replications(replications, loaded.replications)
    if n < FEWEST:
        rule = f"must be {FEWEST} or more (got {n})"
        raise ScenarioError([Problem("replications", rule)])
    names = {
        at: (HELD, *(extension_name(months, at) for months in asked.deadline.lengths), *options)
        for at in _dates(loaded, asked.deadline, dates)
    }
    where = execution_of(execution)
    forced = _run(asked.deadline.with_extensions(loaded, names), names, n, where)
    losses_of, shared = _losses(panel, forced, names)
    drawn = _drawn(loaded, forced, shared)
    sample = DecisionSample(
        losses=losses_of,
        drawn=drawn,
        groups=_groups(loaded, tuple(drawn)),
        reports=_reports(loaded, asked, tuple(names), (n, shared), where),
        folds=folds_of(len(shared), FOLDS, loaded.root_seed),
    )
    return Information(
        scenario=loaded.name,
        n=len(shared),
        panel=panel,
        options=names,
        rankings=_rankings(sample, names),
        unknowns=_with_regions(value_unknowns(sample, where), sample, names),
        n_unknowns=len(sample.drawn) + len(sample.groups),
    )


def _dates(scenario: Scenario, deadline: Deadline, dates: Sequence[dt.date]) -> tuple[dt.date, ...]:
    agreed = scenario.timeline[deadline.milestone].date
    found = tuple(sorted(set(dates))) or deadline.meetings(scenario)
    for date in found:
        if not scenario.start < date < agreed:
            rule = f"must lie after {scenario.start} and before {agreed} (got {date})"
            raise ScenarioError([Problem("dates", rule)])
    return found


def _refuse_options(scenario: Scenario, options: Sequence[str]) -> None:
    problems = [
        Problem(f"options.{name}", "no such option", near_or_all(name, scenario.options))
        for name in options
        if name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)


def _run(
    scenario: Scenario, names: Mapping[dt.date, tuple[str, ...]], n: int, where: Execution
) -> Ensemble:
    """Run every option of any date; results in a folder of their own."""
    folder = where.get("directory")
    return run(
        scenario,
        options=tuple(dict.fromkeys(name for each in names.values() for name in each)),
        replications=n,
        directory=None if folder is None else Path(folder) / "ensemble",
        jobs=where.get("jobs"),
        scheduler=where.get("scheduler"),
        progress=where.get("progress"),
    )


def _losses(
    panel: LossPanel, ensemble: Ensemble, names: Mapping[dt.date, tuple[str, ...]]
) -> tuple[dict[tuple[str, dt.date], NDArray[np.float64]], NDArray[np.intp]]:
    """Return losses by loss and date, of the replications that failed under no option."""
    wanted = list(panel.outcomes())
    tables = {name: ensemble.of(name).outcomes[wanted] for name in ensemble.options}
    shared = next(iter(tables.values())).index
    for table in tables.values():
        shared = shared.intersection(table.index)
    if len(shared) < FEWEST:
        rule = f"only {len(shared)} replications failed under no option"
        raise ScenarioError([Problem("replications", rule, f"{FEWEST} are needed")])
    by_option = {
        name: panel.values(lambda outcome, t=table: t.loc[shared, outcome].to_numpy(float))  # type: ignore[misc]
        for name, table in tables.items()
    }
    losses = {
        (loss, at): np.column_stack([by_option[name][loss] for name in each])
        for loss in panel.losses
        for at, each in names.items()
    }
    return losses, shared.to_numpy()


def _drawn(
    scenario: Scenario, ensemble: Ensemble, shared: NDArray[np.intp]
) -> dict[str, NDArray[np.float64]]:
    parameters = ensemble.of(HELD).parameters.loc[shared]
    return {name: parameters[name].to_numpy(float) for name in ParameterPlan(scenario).drawn}


def _reports(
    scenario: Scenario,
    question: DecisionQuestion,
    dates: tuple[dt.date, ...],
    replications: tuple[int, NDArray[np.intp]],
    where: Execution,
) -> dict[dt.date, NDArray[np.float64]]:
    """Return what is known at each date where the end is held: the past that all forks share.

    As columns of one scale, so that a ridge penalty weighs them alike; of all replications
    that are simulated those that are shared.
    """
    n, shared = replications
    held = [Answer(replication, NEVER) for replication in range(n)]
    times = [to_days(at) for at in dates]
    known = simulate_answers(scenario, held, question, times=times, **where).known
    channels = assemble(scenario).channels.channels
    observables = plan_observables(scenario, channels, question.public).all
    found = {}
    for i, at in enumerate(dates):
        _, columns = encoded(observables, known[shared, i])
        if columns.shape[1]:
            columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        found[at] = columns
    return found


def _groups(scenario: Scenario, drawn: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return groups of parameters: by the first part of their names, by what they rest on."""
    found: dict[str, list[str]] = {}
    for name in drawn:
        found.setdefault(f"{name.partition('.')[0]}.*", []).append(name)
        owner = name if name in scenario.parameters else name.rpartition(".")[0]
        is_sourced = scenario.parameters[owner].register is not None
        found.setdefault(f"of {'the register' if is_sourced else 'judgement'}", []).append(name)
    several = {group: tuple(members) for group, members in found.items() if len(members) > 1}
    return several | {ALL: drawn}


def _rankings(
    sample: DecisionSample, names: Mapping[dt.date, tuple[str, ...]]
) -> list[OptionRanking]:
    found = []
    for (loss, date), losses in sample.losses.items():
        means = losses.mean(axis=0)
        best = best_option(losses)
        less_best = losses - losses[:, [best]]
        errors = np.std(less_best, axis=0, ddof=1) / np.sqrt(len(losses))
        found.append(
            OptionRanking(
                loss=loss,
                date=date,
                options=names[date],
                means=tuple(means.tolist()),
                above_best=tuple((means - means[best]).tolist()),
                errors=tuple(errors.tolist()),
                best=names[date][best],
                p_incorrect=p_incorrect_selection(losses, best),
            )
        )
    return found


def _with_regions(
    unknowns: list[UnknownValue], sample: DecisionSample, names: Mapping[dt.date, tuple[str, ...]]
) -> list[UnknownValue]:
    """Say of the parameters worth most where in their range another option is best."""
    told: dict[tuple[str, dt.date, str], tuple[tuple[float, float, str], ...]] = {}
    for (loss, date), losses in sample.losses.items():
        best = best_option(losses)
        those = [
            each
            for each in unknowns
            if (each.loss, each.date, each.kind) == (loss, date, "parameter")
        ]
        those.sort(key=lambda each: -each.alone.estimate)
        for each in those[:MOST_REGIONS]:
            found = regions(losses, sample.drawn[each.name], best)
            told[loss, date, each.name] = tuple((a, b, names[date][d]) for a, b, d in found)
    return [
        dataclasses.replace(each, regions=told.get((each.loss, each.date, each.name), ()))
        for each in unknowns
    ]
