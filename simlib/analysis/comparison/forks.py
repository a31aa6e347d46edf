"""Forks: an ensemble taken up at a date and continued under other options.

A fork is an option like any other, of which nothing is known before its date: it is
simulated from the start, and what is past comes out again bit for bit, because every random
number stands at its address; that it does is verified. So it is stored, resumed and replayed
as every option is.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.comparison.comparison import Comparison, refuse_empty
from simlib.ensemble import Ensemble, run
from simlib.ensemble.manifest import refuse_missing_agents
from simlib.ensemble.store import MANIFEST
from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.journal import to_days
from simlib.scenario import as_scenario, from_dict, load_text, option_lineage
from simlib.scenario.canonical import explicit
from simlib.scenario.requests import day
from simlib.scenario.schema import Option, Scenario
from simlib.scenario.spelling import words
from simlib.scenario.wording import AS_WRITTEN, near_or_all, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from simlib.ensemble.execution import Running
    from simlib.scenario.schema import Event, MilestoneChange


def fork(
    source: Scenario | str | os.PathLike[str] | Ensemble,
    at: dt.date | str,
    options: Sequence[str],
    *,
    of: str | None = None,
    replications: int | range | None = None,
    **running: Unpack[Running],
) -> Comparison:
    """Continue replications from a date on under other options, and compare.

    Until `at` all of them have the past of one option, the baseline, which also goes on as
    it is. From that date on what a fork's option changes is known, and what the baseline
    would have announced later does not hold; what was announced before stays. That the
    past is the same is verified in every replication.

    Parameters
    ----------
    source
        A scenario, or the path or bundled name of one; or an ensemble, whose scenario, root
        seed and replications are taken.
    at
        The date of the fork, or its text (YYYY-MM-DD); what happens on it is no past.
    options
        Options of the scenario that the replications are continued under.
    of
        The option whose past they have; when not given, the only one of the ensemble, or
        the scenario as it is written.
    replications
        How many, or which: ``range(17, 18)`` is the replication 17 alone.
    running
        What else `simlib.run` takes; see `compare`.

    Returns
    -------
    Comparison
        Of the forks, named such as ``extend_12m_from_2025-06-30``, with the baseline.

    Raises
    ------
    ScenarioError
        There is no such option, an option replaces parameters, or changes a date that has
        passed; or the ensemble has none of the replications.
    SimulationError
        A past is not the same, or no pair is left.
    """
    at = day("at", at)
    if isinstance(source, Ensemble):
        scenario = load_text(source.manifest["scenario"])
        if "map" in source.manifest:
            outlines = str(source.path / MANIFEST)
            scenario = scenario.model_copy(update={"borders": outlines})
        of = source.options[0] if of is None and len(source.options) == 1 else of
        if of is None:
            known = ", ".join(name or "(as written)" for name in source.options)
            raise ScenarioError([Problem("of", "say whose past", f"one of {known}")])
        base = source.of(of)
        refuse_missing_agents(source.manifest, running.get("agents", ()))
        replications = _held(base) if replications is None else replications
        _refuse_not_held(base, replications)
        running.setdefault("without", tuple(source.manifest["without"]))
    else:
        scenario, base = as_scenario(source), None
    past = of or ""
    forked, names = with_forks(scenario, at, options, of=past)
    ensemble = run(forked, options=[past, *names], replications=replications, **running)
    checked = [refuse_other_past(ensemble, past, ensemble, name, at) for name in names]
    if base is not None:
        _refuse_other(base, ensemble, past, forked.end + dt.timedelta(days=1))
    checked += [line for name in names for line in _too_late(ensemble.of(past), name, at)]
    return refuse_empty(Comparison(ensemble, past, tuple(names), at, tuple(checked)))


def with_forks(
    scenario: Scenario, at: dt.date, options: Sequence[str], *, of: str = ""
) -> tuple[Scenario, list[str]]:
    """A scenario with options that go on from another at a date, and their names.

    Arguments are those of `fork`, and refused alike; `of` empty: the scenario as it is
    written.
    """
    asked = tuple(dict.fromkeys(options))
    problems = [
        Problem(
            "options", f"no such option (got {shown(name)})", near_or_all(name, scenario.options)
        )
        for name in (*asked, *([of] if of else []))
        if name not in scenario.options
    ]
    if not asked:
        problems.append(Problem("options", "name one or more to continue under"))
    if problems:
        raise ScenarioError(problems)
    maker = _Forks(scenario, at, of)
    names = [maker.fork(name) for name in asked]
    return maker.scenario(), names


def continued(scenario: Scenario, name: str) -> tuple[str, dt.date] | None:
    """The option that a fork goes on under, and from when; nothing of an option that is none."""
    fork = scenario.options.get(name)
    if fork is None or fork.at is None:
        return None
    option = name.removesuffix(_since(fork.at))
    return (option, fork.at) if option != name and option in scenario.options else None


def _since(at: dt.date) -> str:
    return f"_from_{at}"


class _Forks:
    """Adds forks of one past to the options of a scenario."""

    def __init__(self, scenario: Scenario, at: dt.date, of: str) -> None:
        self._written, self._at = scenario, at
        self._options = dict(scenario.options)
        self._lineage = {id(each) for each in option_lineage(scenario, of)} if of else set()
        self._past = self._until(of)

    def scenario(self) -> Scenario:
        """The scenario with the forks, checked as if it had been written so."""
        mapping: dict[str, Any] = explicit(self._written)
        mapping["options"] = {name: explicit(option) for name, option in self._options.items()}
        return from_dict(mapping).model_copy(update={"borders": self._written.borders})

    def fork(self, name: str) -> str:
        """Add the fork under an option, after the forks under those it goes on from."""
        option = self._written.options[name]
        is_known = id(option) in self._lineage
        if option.parameters and not is_known:
            rule = "cannot be replaced at a fork: what is past would have been another"
            raise ScenarioError([Problem(f"options.{name}.parameters", rule)])
        before = self.fork(option.of) if option.of else self._past
        timeline = {
            milestone: change
            for milestone, change in option.timeline.items()
            if not (is_known and self._is_past(option, change))
        }
        at = max(self._at, option.at or self._at)
        events = {
            each: event.model_copy(update={"announced": max(event.announced or at, at)})
            if event.announced
            else event
            for each, event in option.events.items()
            if not (is_known and self._has_come(option, event))
        }
        fork = Option(
            description=option.description,
            of=before or None,
            at=at,
            timeline=timeline,
            events=events,
            remove=() if is_known and self._has_left(option) else option.remove,
        )
        return self._add(f"{name}{_since(self._at)}", fork)

    def _until(self, name: str) -> str:
        """An option without what it announces from the fork on."""
        if not name:
            return ""
        option = self._written.options[name]
        before = self._until(option.of or "")
        timeline = {
            milestone: change
            for milestone, change in option.timeline.items()
            if self._is_past(option, change)
        }
        events = {
            each: event for each, event in option.events.items() if self._has_come(option, event)
        }
        remove = option.remove if self._has_left(option) else ()
        change = {"of": before or None, "timeline": timeline, "events": events, "remove": remove}
        if all(getattr(option, key) == value for key, value in change.items()):
            return name
        return self._add(f"{name}_until_{self._at}", option.model_copy(update=change))

    def _is_past(self, option: Option, change: MilestoneChange) -> bool:
        start = self._written.start
        return max(change.announced or start, option.at or start) < self._at

    def _has_come(self, option: Option, event: Event) -> bool:
        """Whether an event is known before the fork; who gives no date knows it on its own."""
        start = self._written.start
        return max(event.announced or event.on or start, option.at or start) < self._at

    def _has_left(self, option: Option) -> bool:
        """Whether actors that an option removes are gone before the fork."""
        return (option.at or self._written.start) < self._at

    def _add(self, name: str, option: Option) -> str:
        """Add an option, under another name where that is taken by another option."""
        free, number = name, 1
        while self._options.get(free, option) != option:
            number += 1
            free = f"{name}_{number}"
        self._options[free] = option
        return free


def refuse_other_past(
    one: Ensemble, baseline: str, other: Ensemble, option: str, at: dt.date
) -> str:
    """Verify that an option has the past of another up to a date; say what was found the same.

    Compared are, from the stored tables and in every replication: parameters, decisions
    before the date with what woke each and its probability, incidents of the whole months
    before it by month, type and place, milestones completed before it, and failures before
    it. What happens on the date itself is no past.

    Raises
    ------
    SimulationError
        The first replication whose past is not the same, and in what.
    """
    import pandas as pd

    first, second = one.of(baseline), other.of(option)
    both = np.intersect1d(_replications(first), _replications(second))
    n_rows = {}
    for table, keep in _PAST.items():
        prints = [
            pd.concat([_prints_of(keep(part, at)) for part in each.parts(table)])
            for each in (first, second)
        ]
        rows = [found.reindex(both, fill_value=0) for found in prints]
        differing = both[(rows[0] != rows[1]).any(axis=1).to_numpy()]
        if len(differing):
            raise SimulationError(
                f"replication {differing[0]}: {table} before {at} are not the same under "
                f"{baseline or AS_WRITTEN} and {option} "
                f"({len(differing)} of {len(both)} replications)",
                date=str(at),
            )
        n_rows[table] = int(rows[0]["n"].sum())
    many = f"all {len(both):,} replications" if len(both) > 1 else f"replication {both[0]}"
    return (
        f"{option}: in {many} the past before {at} is that of "
        f"{baseline or AS_WRITTEN}: {n_rows['decisions']:,} decisions, "
        f"{n_rows['monthly']:,} counts of incidents by month, type and place, and "
        f"{n_rows['milestones']:,} milestones completed are the same to the last bit"
    )


def _whole_months(rows: pd.DataFrame, at: dt.date) -> pd.DataFrame:
    # The last month that is whole before the date ends with the month before the date's.
    first_open = np.datetime64(at.replace(day=1), "D")
    return rows[rows["month"].to_numpy().astype("datetime64[D]") < first_open]


_PAST: dict[str, Callable[[pd.DataFrame, dt.date], pd.DataFrame]] = {
    "parameters": lambda rows, _: rows,
    "decisions": lambda rows, at: rows[rows["time"] < to_days(at)],
    "monthly": _whole_months,
    "milestones": lambda rows, at: rows[rows["completed_at"] < to_days(at)],
    "failures": lambda rows, at: rows.loc[rows["date"] < str(at), ["agent", "date", "error"]],
}
"""Of each stored table: what of it is past at a date."""


def _prints_of(rows: pd.DataFrame) -> pd.DataFrame:
    """How many rows each replication has, and a fingerprint of them in their order."""
    import pandas as pd

    place = rows.groupby(level="replication").cumcount().to_numpy().astype(np.uint64)
    hashed = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    # Odd multipliers lose no bit, and tell rows in another order apart.
    prints = pd.DataFrame({"n": 1, "print": hashed * (2 * place + 1)}, index=rows.index)
    return prints.groupby(level="replication").sum()


def _replications(ensemble: Ensemble) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Every replication an ensemble of one option has, those that failed included."""
    return np.concatenate([np.arange(e.first, e.stop, dtype=np.int64) for e in ensemble.entries()])


def _refuse_other(base: Ensemble, ensemble: Ensemble, option: str, end: dt.date) -> None:
    """Refuse to continue replications that do not come out again as they are stored."""
    try:
        refuse_other_past(base, option, ensemble, option, end)
    except SimulationError as error:
        rule = f"{base.path}: its replications do not come out again: {error}"
        raise SimulationError(rule) from error


def _too_late(base: Ensemble, name: str, at: dt.date) -> Iterator[str]:
    """Tell in how many replications a fork finds a milestone completed, and cannot move it."""
    scenario = load_text(base.manifest["scenario"])
    moved = sorted({m for option in option_lineage(scenario, name) for m in option.timeline})
    rows = base.milestones
    for milestone in moved:
        completed = rows.loc[rows["milestone"] == milestone, "completed_at"]
        n_done = int((completed < to_days(at)).sum())
        if n_done:
            yield (
                f"{name}: {words(milestone)} is completed before {at} in {n_done:,} of "
                f"{len(completed):,} replications, where nothing can move it any more"
            )


def _held(ensemble: Ensemble) -> range:
    """Which replications an ensemble of one option has."""
    entries = list(ensemble.entries())
    return range(min(e.first for e in entries), max(e.stop for e in entries))


def _refuse_not_held(ensemble: Ensemble, replications: int | range) -> None:
    """Refuse replications none of which an ensemble has: their past would be nobody's."""
    held = _held(ensemble)
    if isinstance(replications, range) and not range(
        max(held.start, replications.start), min(held.stop, replications.stop)
    ):
        wanted = replications.start if len(replications) == 1 else replications
        rule = f"{ensemble.path} holds {held.start} to {held.stop - 1} (got {wanted})"
        raise ScenarioError([Problem("replications", rule)])
