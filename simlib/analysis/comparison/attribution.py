"""What differs between two scenarios, and the gap of their outcomes split over it.

A change is the smallest thing that means something alone: a parameter with its whole
distribution, a group of an incident type, a posture. Words (descriptions, sources,
judgements) and what only says how a scenario is run change no number; they are listed.
Changes come in groups; scenarios that have some of them are hybrids.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.columns import columns_of, labels_of, reader_of
from simlib.ensemble.map_runs import map_runs
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.outcomes.planning import kind_of, unit_of
from simlib.scenario import as_scenario, differences, digest, from_dict
from simlib.scenario.canonical import explicit
from simlib.scenario.requests import whole
from simlib.scenario.schema import MOST_REPLICATIONS
from simlib.scenario.spelling import words
from simlib.simulation import simulate
from simlib.statistics import shapley
from simlib.statistics.formatting import estimate, number
from simlib.statistics.intervals import Z95
from simlib.statistics.moments import difference
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.columns import Column, OutcomeReader
    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays
    from simlib.scenario import Difference
    from simlib.scenario.schema import Outcome, Scenario
    from simlib.statistics.summaries import Summary

    Keys = tuple[str, ...]

MOST_GROUPS = 8
MOST_TOLD = 8
"""Gaps that a screen shows, the clearest first."""
MOST_LINES = 12
"""Changes that a screen shows."""
OTHER = "all else"
_WORDS = frozenset({"description", "note", "source", "judgement", "register", "unit", "used_by"})
_RUNNING = frozenset(
    {"simlib", "name", "context_of_use", "as_of", "replications", "root_seed", "design"}
    | {"outcomes", "question"}
)
_NAMED = frozenset(
    {"places", "state", "parameters", "postures", "decisions", "agents"}
    | {"timeline", "options", "series"}
)


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes that are taken together."""

    name: str
    changes: tuple[tuple[str, ...], ...]
    """Where each stands in the explicit form."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What differs between two scenarios.

    Attributes
    ----------
    listed
        Differences that change no number, as lines.
    found
        Differences that may, field by field.
    groups
        These, in at most `MOST_GROUPS` groups.
    outcomes
        Outcomes that both scenarios declare alike.
    """

    listed: tuple[str, ...]
    found: tuple[Difference, ...]
    groups: tuple[ChangeGroup, ...]
    outcomes: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def hybrid(self, chosen: Iterable[str]) -> Scenario:
        """The first scenario with some groups as in the second.

        Its outcomes are those that both declare alike.

        Raises
        ------
        ScenarioError
            The two do not go together.
        """
        return _hybrid(self, frozenset(chosen))


@functools.lru_cache(maxsize=2 * MOST_GROUPS + 2)
def _hybrid(changes: Changes, chosen: frozenset[str]) -> Scenario:
    """A hybrid, made once: none, all, and each group alone or left out are asked for again."""
    tree = _copied(changes.before)
    for group in changes.groups:
        if group.name in chosen:
            for keys in group.changes:
                _take(tree, changes.after, keys)
    tree["outcomes"] = {name: changes.before["outcomes"][name] for name in changes.outcomes}
    return from_dict(tree)


def changes_between(
    before: Scenario, after: Scenario, given: Mapping[str, Sequence[str]] | None = None
) -> Changes:
    """Compare two scenarios and group the changes.

    What the given groups leave out is grouped by where it stands; where none is given, up to
    `MOST_GROUPS` changes are groups of their own.

    Raises
    ------
    ScenarioError
        A given group has no change, or there are more than `MOST_GROUPS`; or parts hang
        together so that only all of them at once are a scenario.
    """
    found = differences(before, after)
    counted = [each for each in found if not _is_listed(each.keys)]
    changes = list(dict.fromkeys(_unit(each.keys) for each in counted))
    first, second = explicit(before), explicit(after)
    theirs = {name: _wordless(outcome) for name, outcome in after.outcomes.items()}
    alike = [name for name, o in before.outcomes.items() if theirs.get(name) == _wordless(o)]
    grouped = Changes(
        listed=tuple(str(each) for each in found if _is_listed(each.keys)),
        found=tuple(counted),
        groups=tuple(_grouped(changes, given or {})),
        outcomes=tuple(alike),
        before=first,
        after=second,
    )
    return _sound(grouped)


def _wordless(outcome: Outcome) -> Outcome:
    """An outcome without what only people read."""
    return outcome.model_copy(update={"label": "", "topic": "", "description": ""})


def _is_listed(keys: Keys) -> bool:
    return keys[0] in _RUNNING or keys[-1] in _WORDS


def _unit(keys: Keys) -> Keys:
    """The place of the smallest thing a field belongs to."""
    if keys[0] == "incidents":
        return keys[: 4 if keys[2:3] == ("groups",) else 3]
    return keys[: 2 if keys[0] in _NAMED else 1]


def _usual(keys: Keys) -> str:
    """The group a change belongs to by where it stands."""
    # A section that only one of the two has differs as a whole.
    if keys[0] == "parameters":
        return " ".join(key.split(".")[0] for key in keys[:2])
    return " ".join(keys[: 2 if keys[0] in {"incidents", "postures"} else 1])


def _grouped(changes: Sequence[Keys], given: Mapping[str, Sequence[str]]) -> list[ChangeGroup]:
    gathered: dict[str, list[Keys]] = {name: [] for name in given}
    are_few = len(changes) <= MOST_GROUPS and not given
    # A dot after each, so that no path begins with a part of a name.
    begun = {name: tuple(f"{path}." for path in paths) for name, paths in given.items()}
    for keys in changes:
        path = ".".join(keys)
        named = (name for name, starts in begun.items() if f"{path}.".startswith(starts))
        usual = path if are_few else _usual(keys)
        gathered.setdefault(next(named, usual), []).append(keys)
    empty = [name for name, members in gathered.items() if not members]
    if empty:
        rule = f"no change in it (got {', '.join(given[empty[0]])})"
        raise ScenarioError([Problem(f"group {empty[0]}", rule, "paths as simlib diff lists them")])
    if len(given) > MOST_GROUPS - 1 and len(gathered) > MOST_GROUPS:
        raise ScenarioError([Problem("group", f"at most {MOST_GROUPS - 1} (got {len(given)})")])
    return _few(gathered, set(given))


def _few(gathered: dict[str, list[Keys]], kept: set[str]) -> list[ChangeGroup]:
    """Put the smallest groups together until there are few enough to try all sets."""
    while len(gathered) > MOST_GROUPS:
        free = [name for name in gathered if name not in kept and name != OTHER]
        least = min(free, key=lambda name: len(gathered[name]))
        gathered.setdefault(OTHER, []).extend(gathered.pop(least))
    return [ChangeGroup(name, tuple(members)) for name, members in gathered.items()]


def _sound(changes: Changes) -> Changes:
    """Merge groups that are no scenario without one another."""
    if changes.groups:
        changes.hybrid([group.name for group in changes.groups])  # says what is wrong
    while (pair := _torn(changes)) is not None:
        one, other = pair
        merged = ChangeGroup(f"{one.name} and {other.name}", (*one.changes, *other.changes))
        rest = [group for group in changes.groups if group not in pair]
        changes = replace(changes, groups=(*rest, merged))
    return changes


def _torn(changes: Changes) -> tuple[ChangeGroup, ChangeGroup] | None:
    """Two groups of which one, alone or alone left out, is no scenario."""
    names = {group.name for group in changes.groups}
    for group in changes.groups:
        for is_in in (True, False):
            alone = {group.name} if is_in else names - {group.name}
            if _stands(changes, alone):
                continue
            others = [other for other in changes.groups if other is not group]
            fits = (
                other
                for other in others
                if _stands(changes, alone | {other.name} if is_in else alone - {other.name})
            )
            return group, next(fits, others[0])
    return None


def _stands(changes: Changes, chosen: Iterable[str]) -> bool:
    try:
        changes.hybrid(chosen)
    except ScenarioError:
        return False
    return True


def _copied(tree: Any) -> Any:
    return {key: _copied(item) for key, item in tree.items()} if isinstance(tree, dict) else tree


def _take(tree: dict[str, Any], other: Mapping[str, Any], keys: Keys) -> None:
    """Let one place be as it is in another tree, absent where it is absent there."""
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        other = other.get(key, {})
    if keys[-1] in other:
        tree[keys[-1]] = _copied(other[keys[-1]])
    else:
        tree.pop(keys[-1], None)


@dataclass(frozen=True, slots=True)
class OutcomeGap:
    """One outcome's gap between two scenarios, and each group's share of it.

    Attributes
    ----------
    column, label
        The outcome, or whether it ended in a class; and what people read in its place.
    unit
        Its unit; empty for yes/no and classes.
    before, after
        Means over replications in the first and in the second scenario.
    gap
        Mean paired difference, with its Monte Carlo error and 95 % interval.
    shares
        By group, the mean Shapley value with its error; they sum to the gap. Empty where
        the interval of the gap includes 0.
    """

    column: Column
    label: str
    unit: str
    is_share: bool
    """Whether it is a class or a yes/no, whose mean is a probability."""
    before: float
    after: float
    gap: Summary
    shares: dict[str, Summary]

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the gap leaves 0 out."""
        return self.gap.low > 0.0 or self.gap.high < 0.0

    @property
    def clearness(self) -> float:
        """The gap in its Monte Carlo errors."""
        error = self.gap.mc_error
        return abs(self.gap.mean) / error if error > 0.0 else math.inf

    def sentence(self, *, is_named: bool = False) -> str:
        """The gap, and each group's part of it, largest first, where there are several.

        Named: with the name of the outcome that commands take.
        """
        low, high = self.gap.low, self.gap.high
        if self.is_share:
            points = (100.0 * x for x in (self.gap.mean, low, high))
            sides = f"{100.0 * self.before:.0f} to {100.0 * self.after:.0f} %"
            gap = f"{estimate(*points, is_signed=True)} percentage points"
        else:
            sides = f"{number(self.before)} to {number(self.after)} {self.unit}".rstrip()
            gap = estimate(self.gap.mean, low, high, is_signed=True)
        parts = self._parts()
        name = f" [{self.column}]" if is_named else ""
        return f"{self.label}{name}: {sides}, a gap of {gap}" + (
            f"; of it {', '.join(parts)}" if parts else ""
        )

    def _parts(self) -> list[str]:
        """Each group's part of the gap in percent; of a single one, and of none, nothing."""
        if len(self.shares) < 2:
            return []
        parts = []
        for name, each in sorted(self.shares.items(), key=lambda item: -abs(item[1].mean)):
            part = 100.0 * each.mean / self.gap.mean
            half = 100.0 * Z95 * each.mc_error / abs(self.gap.mean)
            # Less than half a percent, within half a percent: it prints as nothing.
            if abs(part) >= 0.5 or half >= 0.5:
                sign = "\N{MINUS SIGN}" if round(part) < 0 else ""
                parts.append(f"{sign}{abs(part):.0f} % ± {half:.0f} % {words(name)}")
        return parts


@dataclass(frozen=True, slots=True)
class Attribution(Finding):
    """What differs between two scenarios and what it does to their outcomes."""

    stem = "gaps"

    names: tuple[str, str]
    changes: Changes
    gaps: tuple[OutcomeGap, ...]
    n: int
    """Replications of each hybrid; 0 where only the files were compared."""
    is_whole: bool = False
    """Whether sentences and screen leave nothing out."""

    def whole(self) -> Attribution:
        """The same, with every clear gap in its sentences, and every change."""
        return replace(self, is_whole=True)

    def gap(self, outcome: str) -> OutcomeGap:
        """The gap of an outcome (``OUTCOME`` or ``OUTCOME.CLASS``).

        Raises
        ------
        KeyError
            It was not compared.
        """
        for gap in self.gaps:
            if str(gap.column) == outcome:
                return gap
        raise KeyError(f"no outcome {outcome!r} was compared")

    def table(self) -> pd.DataFrame:
        """Gaps and shares: a row for each outcome, and for each group's share of it.

        Columns ``outcome``, ``unit``, ``part`` (``gap`` or the group), ``mean``,
        ``mc_error``, ``low``, ``high`` (95 %), ``share_of_gap`` (nan for the gap), ``n``.
        """
        import pandas as pd

        rows = [
            {
                "outcome": str(gap.column),
                "unit": gap.unit,
                "part": part,
                "mean": found.mean,
                "mc_error": found.mc_error,
                "low": found.low,
                "high": found.high,
                "share_of_gap": math.nan if part == "gap" else found.mean / gap.gap.mean,
                "n": found.n,
            }
            for gap in self.gaps
            for part, found in {"gap": gap.gap, **gap.shares}.items()
        ]
        return pd.DataFrame(rows)

    def changes_table(self) -> pd.DataFrame:
        """The differences, a row each: ``group``, ``path``, ``before``, ``after``."""
        import pandas as pd

        rows = [
            (group.name, each.path, each.before, each.after)
            for group in self.changes.groups
            for each in self.changes.found
            if any(each.keys[: len(keys)] == keys for keys in group.changes)
        ]
        return pd.DataFrame(rows, columns=["group", "path", "before", "after"])

    def briefs(self) -> dict[str, pd.DataFrame]:
        """What differs; the gaps stand in the sentences."""
        changes = self.changes_table()
        n = len(changes) if self.is_whole else MOST_LINES
        title = "what differs" if len(changes) <= n else f"what differs, {n} of {len(changes)}"
        return {title: changes.head(n)} if self.changes.found else {}

    def tables(self) -> dict[str, pd.DataFrame]:
        """What differs and, where it was simulated, gaps and shares."""
        return {"changes": self.changes_table()} | ({"gaps": self.table()} if self.n else {})

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """What draws each clear gap: its whole way, group by group."""
        clear = (str(gap.column) for gap in self.gaps if gap.is_clear)
        draw = plot_room().attribution
        return {
            f"gap_{name}": functools.partial(draw, self, outcome)
            for outcome, name in distinct(clear, as_they_are=True).items()
        }

    def sentences(self) -> list[str]:
        """Say what differs without a number resting on it, then the gaps, clearest first."""
        said = [f"changes no number: {line}" for line in self.changes.listed]
        if not self.changes.found:
            return [*said, "no difference that a number rests on"]
        return said + (self._gap_sentences() if self.n else [])

    def _gap_sentences(self) -> list[str]:
        a, b = self.names
        clear = sorted((gap for gap in self.gaps if gap.is_clear), key=lambda gap: -gap.clearness)
        n_groups = len(self.changes.groups)
        shares = "; shares are Shapley values and sum to the gap" if n_groups > 1 else ""
        groups = "group" if n_groups == 1 else "groups"
        head = (
            f"{b} against {a}: {n_groups} {groups} of changes, {self.n:,} replications under the "
            f"same luck{shares}"
        )
        told = clear if self.is_whole else clear[:MOST_TOLD]
        said = [head, *(gap.sentence(is_named=self.is_whole) for gap in told)]
        if len(told) < len(clear):
            said.append(f"and {len(clear) - len(told)} more outcomes with a clear gap")
        n_unclear = len(self.gaps) - len(clear)
        if n_unclear:
            said.append(
                f"{n_unclear} of {len(self.gaps)} outcomes: the interval of the gap includes 0, "
                "so it is not split"
            )
        return said


def diff(
    before: Scenario | str | os.PathLike[str],
    after: Scenario | str | os.PathLike[str],
    *,
    outcomes: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    replications: int = 100,
    **execution: Unpack[Execution],
) -> Attribution:
    """Compare two scenarios, and split the gap of their outcomes over what differs.

    Every set of groups is a scenario of its own: the first, with those groups as in the
    second. All are simulated under common random numbers, of the root seed of the first, so
    a changed distribution swaps by quantile: a parameter stands at the same quantile of
    both. Shares are exact Shapley values over all sets, replication by replication.

    Parameters
    ----------
    before, after
        Scenarios, or paths or bundled names of them, compared in their explicit form.
    outcomes
        Which (``OUTCOME`` or ``OUTCOME.CLASS``), of those both declare alike; all of
        them when not given.
    groups
        Groups by name: the beginnings of the paths of their changes. By default changes
        are grouped by where they stand, in at most `MOST_GROUPS` groups.
    replications
        Of each set of groups; 0 compares the files only.
    execution
        Where it runs: `simlib.ensemble.execution.Execution`.

    Raises
    ------
    ScenarioError
        A scenario is wrong, an outcome or a group is not there, or the two share no place
        or no outcome.
    """
    first, second = as_scenario(before), as_scenario(after)
    replications = whole("replications", replications, 0, MOST_REPLICATIONS)
    _refuse_strangers(first, second)
    changes = changes_between(first, second, groups)
    names = (first.name, second.name) if first.name != second.name else ("first", "second")
    columns = columns_of(changes.hybrid(()), outcomes)
    if not replications or not changes.groups:
        return Attribution(names, changes, (), 0)
    if not columns:
        rule = f"{first.name} and {second.name} declare none alike: there is no gap to split"
        raise ScenarioError([Problem("outcomes", rule)])
    found = map_runs(
        _values,
        (changes, columns, replications),
        2 ** len(changes.groups) * replications,
        identity={
            "scenarios": [digest(first), digest(second)],
            "groups": [(group.name, group.changes) for group in changes.groups],
            "columns": [str(column) for column in columns],
            "replications": replications,
        },
        **execution,
    )
    worth = found["values"].reshape(-1, replications, len(columns))
    return Attribution(names, changes, _gaps(changes, columns, worth), replications)


def _refuse_strangers(first: Scenario, second: Scenario) -> None:
    """Refuse scenarios of different theatres: nothing of one has a counterpart in the other."""
    if first.places.keys().isdisjoint(second.places):
        rule = f"{first.name} and {second.name} share none: they cannot be compared"
        raise ScenarioError([Problem("places", rule)])


def _values(job: tuple[Changes, tuple[Column, ...], int], rows: range) -> Arrays:
    """The outcomes of some rows: set by set of groups, the replications of each."""
    changes, columns, replications = job
    values = np.empty((len(rows), len(columns)))
    for i, row in enumerate(rows):
        bits, replication = divmod(row, replications)
        reader = _reader(changes, columns, bits)
        values[i] = reader.numbers(simulate(reader.blueprint, replication))
    return {"values": values}


@functools.lru_cache(maxsize=2)
def _reader(changes: Changes, columns: tuple[Column, ...], bits: int) -> OutcomeReader:
    chosen = [group.name for i, group in enumerate(changes.groups) if bits >> i & 1]
    return reader_of(changes.hybrid(chosen), columns=columns)


def _gaps(
    changes: Changes, columns: Sequence[Column], worth: NDArray[np.float64]
) -> tuple[OutcomeGap, ...]:
    """Split the gap of each column; `worth` has the shape (sets, replications, columns)."""
    # A set's place is the sum of the bits of its groups, as `_values` has simulated them.
    bits = {group.name: 1 << i for i, group in enumerate(changes.groups)}
    shares = shapley.exact(list(bits), lambda chosen: worth[sum(bits[name] for name in chosen)])
    common = changes.hybrid(())
    return tuple(
        _gap(common, column, worth[[0, -1], :, i], {p: v[:, i] for p, v in shares.items()})
        for i, column in enumerate(columns)
        if not column.category or worth[[0, -1], :, i].any()
    )


def _gap(
    scenario: Scenario,
    column: Column,
    ends: NDArray[np.float64],
    shares: Mapping[str, NDArray[np.float64]],
) -> OutcomeGap:
    """Sum up an outcome over the replications in which it was seen in every hybrid."""
    outcome = scenario.outcomes[column.outcome]
    unit = unit_of(outcome, scenario) if kind_of(outcome) == "number" else ""
    is_seen = ~np.isnan(sum(shares.values(), ends[0] + ends[1]))
    before, after = ends[0, is_seen], ends[1, is_seen]
    n_asked = ends.shape[1]
    gap = of_number(str(column), unit, difference(before, after), n_asked)
    has_gap = gap.low > 0.0 or gap.high < 0.0
    split = {
        part: of_number(part, unit, values[is_seen], n_asked) for part, values in shares.items()
    }
    return OutcomeGap(
        column=column,
        label=labels_of(scenario, [column])[str(column)],
        unit=unit,
        is_share=kind_of(outcome) != "number",
        before=float(before.mean()) if len(before) else math.nan,
        after=float(after.mean()) if len(after) else math.nan,
        gap=gap,
        shares=split if has_gap else {},
    )
