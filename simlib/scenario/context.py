"""What every rule looks at: the scenario, its names, and where things stand in the file."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from simlib.chance.distributions import KINDS
from simlib.chance.distributions import check as broken_rules
from simlib.errors import SimulationError
from simlib.journal import MARKS
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.nodes import find, problem_at
from simlib.scenario.variants import option_lineage
from simlib.scenario.wording import dotted, listed, near_or_all, shown
from simlib.scenario.yaml_text import MOST_PROBLEMS

if TYPE_CHECKING:
    from simlib.scenario.fitting import ProblemLog
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Model, Quantity, Scenario, Within

MONTH = "calendar.month"
MONTHS = tuple(str(month) for month in range(1, 13))
CLASSES = ("met", "formally_extended", "slipped", "relabelled", "cancelled", "open")
"""The classes a deadline may end in."""


@dataclass
class Context:
    """A scenario under inspection."""

    scenario: Scenario
    log: ProblemLog
    means: dict[str, float] = field(default_factory=dict)
    highs: dict[str, float] = field(default_factory=dict)
    option: str = ""
    """The option whose parameters the scenario has; empty for those it is written with."""
    moot: set[Path] = field(default_factory=set)
    """Names that refer to nothing, and entries that may be one thing or another."""
    unreached: dict[tuple[str, str, tuple[str, ...]], str | None] = field(default_factory=dict)
    """First place of a group without a value: by what a variable is over, `at`, places."""

    def add(self, path: Path, rule: str, hint: str = "", by: Iterable[Path] = ()) -> None:
        """Note a problem, unless something on its way or below it is broken already.

        Where it stands in another file, what the file itself gives is to blame, if it is among
        what the rule is about (`by`): all that it breaks is one problem, at its own line.
        """
        if len(self.log.problems) >= MOST_PROBLEMS:
            return
        if path in self.log.above_broken or self.log.is_under_broken(path):
            return
        mark, _ = find(self.log.tree, path)
        if self.option:
            rule = f"{rule} under option {shown(self.option)}"
        own = self._own(by) if mark.file != self.log.tree.mark.file else None
        if own is None:
            self.log.problems.append(problem_at(mark, path, rule, hint))
        else:
            rule = f"breaks {dotted(path)}, which {rule}"
            self.blame(own, rule)

    def _own(self, paths: Iterable[Path]) -> Path | None:
        """The first of some paths that the file itself gives."""
        root = self.log.tree
        marks = ((path, *find(root, path)) for path in paths)
        return next(
            (p for p, mark, is_there in marks if is_there and mark.file == root.mark.file), None
        )

    def blame(self, own: Path, rule: str) -> None:
        """Note what something that the file itself gives breaks in another file."""
        mark, _ = find(self.log.tree, own)
        self.log.blamed.setdefault(own, []).append(problem_at(mark, own, rule))

    def tell_blamed(self) -> None:
        """Make one problem of all that one thing breaks; none where it is wrong by itself."""
        told = {(p.file, p.path) for p in self.log.problems}
        for problems in self.log.blamed.values():
            first, n_more = problems[0], len({p.rule for p in problems}) - 1
            more = f", and {n_more} more" if n_more else ""
            if (first.file, first.path) not in told:
                self.log.problems.append(replace(first, rule=f"{first.rule}{more}"))
        self.log.blamed.clear()

    def is_moot(self, path: Path) -> bool:
        """Whether what stands at a path, or on the way to it, is not judged any further."""
        return bool(self.moot) and any(path[:i] in self.moot for i in range(len(path) + 1))

    @property
    def has_span(self) -> bool:
        """Whether start and end could be read, so that dates can be judged by them."""
        return not {("start",), ("end",)}.intersection(self.log.broken)

    def undefined(self, path: Path, what: str, name: str, known: Collection[str]) -> None:
        """Note a name that refers to nothing."""
        hint = near_or_all(name, known) if self.log.has_room() else ""
        self.add(path, f"undefined {what} (got {shown(name)})", hint)

    def expect(self, path: Path, what: str, name: str, known: Collection[str]) -> bool:
        """Note a name that refers to nothing; return whether it is known."""
        if name not in known:
            self.undefined(path, what, name, known)
            self.moot.add(path)
        return name in known

    def expect_all(
        self, path: Path, what: str, wanted: Iterable[str], known: Iterable[str]
    ) -> None:
        """Note it when not everything that is wanted is there."""
        missing = list(islice((name for name in wanted if name not in known), 5))
        if missing:
            self.add(path, f"must name every {what} (missing: {listed(missing)})")

    def expect_one(self, path: Path, model: Model, keys: tuple[str, ...]) -> str | None:
        """The only key of several that a model is given, or note that it has not one."""
        given = [key for key in keys if getattr(model, key) is not None]
        if len(given) == 1:
            return given[0]
        got = ", ".join(given) or "none"
        self.add(path, f"must have exactly one of {', '.join(keys)} (got {got})")
        self.moot.add(path)
        return None

    def kind_of_law(
        self, path: Path, what: str, law: Mapping[str, Any], known: Collection[str]
    ) -> str | None:
        """The kind of a law or distribution, or note that it has not one that is known."""
        if len(law) != 1:
            self.add(path, f"must name one {what} (got {', '.join(law) or 'none'})")
            return None
        (kind,) = law
        if kind not in known:
            self.add(path, f"unknown {what} (got {shown(kind)})", near_or_all(kind, known))
            return None
        return kind

    def check_distribution(self, path: Path, given: Mapping[str, Mapping[str, float]]) -> None:
        """Note what is wrong with a distribution."""
        kind = self.kind_of_law(path, "distribution", given, KINDS)
        if kind is not None:
            for rule in broken_rules(kind, given[kind]):
                self.add((*path, kind), rule)

    def value(self, quantity: Quantity) -> float | None:
        """A quantity at the parameters' means, or None where it has no value."""
        return _evaluated(quantity, self.means)

    def high_value(self, quantity: Quantity) -> float | None:
        """A quantity at the parameters' 95 % points."""
        return _evaluated(quantity, self.highs)

    def check_within(self, path: Path, quantity: Quantity, within: Within) -> None:
        """Note a quantity that lies outside its bounds at the parameters' means."""
        value = self.value(quantity)
        if value is not None and not within.low <= value <= within.high:
            at = " at the parameters' means" if isinstance(quantity, str) else ""
            by = [self.parameter_path(name) for name in self.basis(quantity)]
            self.add(path, f"must be {within.rule}{at} (got {value:.10g})", by=by)

    def basis(self, quantity: Quantity) -> list[str]:
        """The parameters a quantity mentions, those these mention, and so on."""
        found: dict[str, None] = {}
        waiting = sorted(names(quantity))
        while waiting:
            name = self.value_names.get(waiting.pop(), "")
            parameter = self.scenario.parameters.get(name)
            if parameter is not None and name not in found:
                found[name] = None
                waiting += sorted(names(parameter.expression or 0.0))
        return list(found)

    def parameter_path(self, name: str) -> Path:
        """Where a parameter stands that the scenario has, under the option at hand."""
        if self.option:
            written = self.scenario.options
            for option in reversed(option_lineage(self.scenario, self.option)):
                if name in option.parameters:
                    of = next(n for n, other in written.items() if other is option)
                    return ("options", of, "parameters", name)
        return ("parameters", name)

    @functools.cached_property
    def vocabularies(self) -> dict[str, Collection[str]]:
        """The names that references may use, by what they are among."""
        scenario = self.scenario
        countries = {place.country for place in scenario.places.values() if place.country}
        decisions = {name for agent in scenario.agents.values() for name in agent.decisions}
        return {
            "agent": scenario.agents,
            "class": CLASSES,
            "decision": decisions | scenario.decisions.keys(),
            "governorate": [n for n, p in scenario.places.items() if p.kind == "governorate"],
            "incident type": scenario.incidents,
            "mark": MARKS,
            "milestone": scenario.timeline,
            "option": scenario.options,
            "outcome": scenario.outcomes,
            "parameter": scenario.parameters,
            "place": scenario.places,
            "place or country": scenario.places.keys() | countries,
            "posture": scenario.postures,
            "postures and months": {MONTH, *scenario.postures},
            "series": scenario.series,
            "state": scenario.state,
            "state variable": self.places_of,
            "values": {*self.value_names, *scenario.parameters},
            "written": {*self.places_of, *scenario.timeline},
        }

    @functools.cached_property
    def value_names(self) -> dict[str, str]:
        """Every name that expressions may mention, with the parameter that gives it."""
        return self.scenario.value_names()

    @functools.cached_property
    def places_of(self) -> dict[str, frozenset[str]]:
        """State variable -> the places it has values at; none for a national scalar."""
        grouped: dict[str, set[str]] = {}
        for name, place in self.scenario.places.items():
            grouped.setdefault(place.kind, set()).add(name)
        by_kind = {kind: frozenset(names) for kind, names in grouped.items()}
        none = frozenset[str]()
        known = {
            name: by_kind.get(variable.over, none) for name, variable in self.scenario.state.items()
        }
        return {**dict.fromkeys(self._automatic(), none), **known}

    def _automatic(self) -> set[str]:
        """The state variables that simlib keeps by itself."""
        names = {MONTH, *self.scenario.postures}
        names |= {f"present.{name}" for name in self.scenario.removable()}
        for type_, incident in self.scenario.incidents.items():
            for name, group in incident.groups.items():
                if group.trend:
                    names.add(f"trend.{type_}.{name}")
                if group.tempo:
                    names.add(f"tempo.{group.tempo.series}")
        return names

    @functools.cached_property
    def neighbors(self) -> dict[str, set[str]]:
        """Place -> its neighbors."""
        found: dict[str, set[str]] = {}
        for first, second in self.scenario.neighbors:
            found.setdefault(first, set()).add(second)
            found.setdefault(second, set()).add(first)
        return found

    @functools.cached_property
    def targets(self) -> dict[str, frozenset[str]]:
        """Incident type -> the targets of its groups."""
        return {
            name: frozenset(group.target for group in incident.groups.values())
            for name, incident in self.scenario.incidents.items()
        }

    def is_national(self, variable: str) -> bool:
        """Whether a known variable is one number for all places."""
        declared = self.scenario.state.get(variable)
        return declared is None or declared.over == "national"

    def states_of(self, variable: str | None) -> tuple[str, ...]:
        """The states of a posture, or the months; none for other variables."""
        if variable == MONTH:
            return MONTHS
        posture = self.scenario.postures.get(variable or "")
        return tuple(posture.states) if posture else ()


def _evaluated(quantity: Quantity, values: dict[str, float]) -> float | None:
    if not isinstance(quantity, str):
        return float(quantity)
    try:
        return compile_quantity(quantity)(values)
    except (ExpressionError, SimulationError):
        return None
