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
from simlib.analysis.columns import in_words
from simlib.analysis.selection.deadlines import HELD, extension_name
from simlib.analysis.selection.forced_runs import NEVER, GivenAnswer, simulate_answers
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
from simlib.scenario.spelling import heading, words
from simlib.scenario.wording import near_or_all
from simlib.simulation import assemble
from simlib.statistics.formatting import with_error
from simlib.statistics.intervals import standard_error
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
"""Parameters for which it is lines where in their range another option is best."""


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
    ranking
        A row for each loss, date and option: mean loss, mean paired difference to the best
        with its Monte Carlo error, and of the best a bound of the probability that its
        selection is incorrect.
    unknowns
        What learning each is worth, for every loss and date.
    n_unknowns
        Parameters and groups that were looked at for each of them.
    """

    stem: ClassVar[str] = "information"

    scenario: str
    n: int
    panel: LossPanel
    options: Mapping[dt.date, tuple[str, ...]]
    ranking: pd.DataFrame
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

    def brief(self, n_each: int = 3) -> pd.DataFrame:
        """What is worth most for each loss and date, ± Monte Carlo standard error.

        Parameters
        ----------
        n_each
            Parameters shown for each.
        """
        import pandas as pd

        rows = []
        for loss, date in self._decisions():
            those = self._of(loss, date)
            parameters = [each for each in those if each.kind == "parameter"][:n_each]
            others = [each for each in those if each.kind in {"everything", "reports"}]
            groups = [each for each in those if each.kind == "group"][:2]
            rows += [
                {
                    "loss": heading(loss),
                    "date": date.isoformat(),
                    "unknown": each.name,
                    "value": each.alone.shown + self._caution(each),
                    "beyond reports": each.beyond.shown if each.beyond else "",
                    "unit": self.panel.losses[loss].unit,
                }
                for each in (*others, *groups, *parameters)
            ]
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Say which option is best at each date, and what would be worth knowing."""
        lines = [f"{self._on_options(*of)} {self._on_unknowns(*of)}" for of in self._decisions()]
        lines.append(
            f"Values are estimated on {self.n} replications by rules learnt on others, so noise "
            f"adds nothing; ± is the Monte Carlo standard error. {self.n_unknowns} unknowns were "
            "looked at for each loss and date: one is named only where it stands out among them."
        )
        if self.panel.note:
            lines.append(f"Losses: {self.panel.note}")
        return lines

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The ranking, and what is worth most, under their titles."""
        return {
            "options, nothing learnt": in_words(self.ranking, {}),
            "value of learning, ± Monte Carlo standard error": self.brief(),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every unknown, and the ranking of options."""
        return {"information": self.table(), "ranking": self.ranking}

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

    def _decisions(self) -> dict[tuple[str, dt.date], None]:
        """Every loss and date, in order."""
        return dict.fromkeys((each.loss, each.date) for each in self.unknowns)

    def _of(self, loss: str, date: dt.date) -> list[UnknownValue]:
        """The unknowns of a loss and date, the most valuable first."""
        those = [each for each in self.unknowns if (each.loss, each.date) == (loss, date)]
        return sorted(those, key=lambda each: -each.alone.estimate)

    def _on_options(self, loss: str, date: dt.date) -> str:
        is_here = (self.ranking["loss"] == loss) & (self.ranking["date"] == date.isoformat())
        rows = self.ranking[is_here].sort_values(["is_best", "above_best"], ascending=[False, True])
        best, second = rows.iloc[0], rows.iloc[1]
        p = best["p_incorrect"]
        return (
            f"{heading(loss)}, {date}: {words(best['option'])} has the least loss, "
            f"{words(second['option'])} "
            f"{with_error(second['above_best'], second['error'])} {best['unit']} more; "
            f"P(another is better) {'< 0.001' if p < 0.001 else f'<= {p:.2g}'}."
        )

    def _on_unknowns(self, loss: str, date: dt.date) -> str:
        unit = self.panel.losses[loss].unit
        those = self._of(loss, date)
        reports = next(each for each in those if each.kind == "reports")
        parts = [f"The reports to that date are worth {reports.alone.shown} {unit}"]
        standing_out = [each for each in those if each.alone.is_clear(self.z_family)]
        single = [each for each in standing_out if each.kind == "parameter"]
        clear = single or [each for each in standing_out if each.kind == "group"]
        if not clear:
            parts.append("no unknown looked at stands out from 0")
        for each in clear[:3]:
            beyond = f", {each.beyond.shown} beyond the reports" if each.beyond else ""
            where = "; ".join(
                f"{words(option)} is best {_between(a, b)}" for a, b, option in each.regions
            )
            tail = f" ({where})" if where else ""
            parts.append(f"{each.label} is worth {each.alone.shown} {unit}{beyond}{tail}")
        return "; ".join(parts) + "."


def _between(low: float, high: float) -> str:
    """Part of a parameter's range by its quantiles."""
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
    if question is None:
        question = default("value_of_information(question=)")
    loaded = as_scenario(scenario)
    question.deadline.refuse_without(loaded)
    panel = load_losses(loaded, losses)
    _refuse_options(loaded, options)
    n = n_replications(replications, loaded.replications, FEWEST)
    names = {
        at: (HELD, *(extension_name(months, at) for months in question.deadline.lengths), *options)
        for at in _dates(loaded, question.deadline, dates)
    }
    sample = _sample(loaded, question, panel, names, n, execution_of(execution))
    unknowns = value_unknowns(sample, execution_of(execution))
    return Information(
        scenario=loaded.name,
        n=len(sample.folds),
        panel=panel,
        options=names,
        ranking=_ranking(panel, sample, names),
        unknowns=_with_regions(unknowns, sample, names),
        n_unknowns=len(sample.drawn) + len(sample.groups),
    )


def _dates(scenario: Scenario, deadline: Deadline, dates: Sequence[dt.date]) -> tuple[dt.date, ...]:
    agreed = deadline.agreed(scenario)
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


def _sample(
    scenario: Scenario,
    question: DecisionQuestion,
    panel: LossPanel,
    names: Mapping[dt.date, tuple[str, ...]],
    n: int,
    where: Execution,
) -> DecisionSample:
    """Run every option by force, and gather what each has of the replications they share."""
    ensemble = _run(question.deadline.with_extensions(scenario, names), names, n, where)
    losses, shared = _losses(panel, ensemble, names)
    parameters = ensemble.of(HELD).parameters.loc[shared]
    drawn = {name: parameters[name].to_numpy(float) for name in ParameterPlan(scenario).drawn}
    return DecisionSample(
        losses=losses,
        drawn=drawn,
        groups=_groups(scenario, tuple(drawn)),
        reports=_reports(scenario, question, tuple(names), shared, where),
        folds=folds_of(len(shared), FOLDS, scenario.root_seed),
    )


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
    """Losses by loss and date, of the replications that failed under no option."""
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


def _reports(
    scenario: Scenario,
    question: DecisionQuestion,
    dates: tuple[dt.date, ...],
    replications: NDArray[np.intp],
    where: Execution,
) -> dict[dt.date, NDArray[np.float64]]:
    """By date, columns of what is known where the end is held: all forks share this past.

    They are of one scale, so that a ridge penalty weighs them alike.
    """
    held = [GivenAnswer(int(replication), NEVER) for replication in replications]
    times = [to_days(at) for at in dates]
    bare = scenario.model_copy(update={"outcomes": {}})
    known = simulate_answers(bare, held, question, times=times, **where).known
    channels = assemble(scenario).channels.channels
    observables = plan_observables(scenario, channels, question.public).all
    found = {}
    for i, at in enumerate(dates):
        _, columns = encoded(observables, known[:, i])
        if columns.shape[1]:
            columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        found[at] = columns
    return found


def _groups(scenario: Scenario, drawn: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Groups of parameters: by the first part of their names, by what they rest on."""
    found: dict[str, list[str]] = {}
    for name in drawn:
        found.setdefault(f"{name.partition('.')[0]}.*", []).append(name)
        owner = name if name in scenario.parameters else name.rpartition(".")[0]
        is_sourced = scenario.parameters[owner].register is not None
        found.setdefault(f"of {'the register' if is_sourced else 'judgement'}", []).append(name)
    several = {group: tuple(members) for group, members in found.items() if len(members) > 1}
    return several | {ALL: drawn}


def _ranking(
    panel: LossPanel, sample: DecisionSample, names: Mapping[dt.date, tuple[str, ...]]
) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for (loss, date), losses in sample.losses.items():
        best = best_option(losses)
        for place, option in enumerate(names[date]):
            above_best = losses[:, place] - losses[:, best]
            rows.append(
                {
                    "loss": loss,
                    "unit": panel.losses[loss].unit,
                    "date": date.isoformat(),
                    "option": option,
                    "mean_loss": float(losses[:, place].mean()),
                    "above_best": float(above_best.mean()),
                    "error": standard_error(above_best),
                    "is_best": place == best,
                    "p_incorrect": math.nan,
                }
            )
            if place == best:
                rows[-1]["p_incorrect"] = round(p_incorrect_selection(losses, best), 6)
    return pd.DataFrame(rows)


def _with_regions(
    unknowns: list[UnknownValue], sample: DecisionSample, names: Mapping[dt.date, tuple[str, ...]]
) -> list[UnknownValue]:
    """Say of the parameters worth most where in their range another option is best."""
    ranges: dict[tuple[str, dt.date, str], tuple[tuple[float, float, str], ...]] = {}
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
            ranges[loss, date, each.name] = tuple((a, b, names[date][d]) for a, b, d in found)
    return [
        dataclasses.replace(each, regions=ranges.get((each.loss, each.date, each.name), ()))
        for each in unknowns
    ]
