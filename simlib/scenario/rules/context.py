"""What every rule looks at: the scenario, its names, and where things stand in the file."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.scenario.expressions import ExpressionError, compile_quantity
from simlib.scenario.findings import MOST_PROBLEMS
from simlib.scenario.nodes import find, problem_at
from simlib.scenario.parameters import value_names
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.findings import Findings
    from simlib.scenario.models import Quantity
    from simlib.scenario.nodes import Mapping, Path
    from simlib.scenario.schema import Scenario

MONTH = "calendar.month"
MONTHS = tuple(str(month) for month in range(1, 13))


@dataclass
class Context:
    """A scenario under inspection."""

    scenario: Scenario
    tree: Mapping
    findings: Findings
    means: dict[str, float] = field(default_factory=dict)
    highs: dict[str, float] = field(default_factory=dict)
    option: str = ""
    """The option whose parameters the scenario has; empty for those it is written with."""
    unreached: dict[tuple[str, str, tuple[str, ...]], str | None] = field(default_factory=dict)
    """First place of a group without a value: by what a variable is over, `at`, places."""

    def add(self, path: Path, rule: str, hint: str = "") -> None:
        """Note a problem, unless something on its way or below it is broken already."""
        if len(self.findings.problems) >= MOST_PROBLEMS:
            return
        if path in self.findings.above_broken or self.findings.is_under_broken(path):
            return
        mark, _ = find(self.tree, path)
        if self.option:
            rule = f"{rule} under option {shown(self.option)}"
        self.findings.problems.append(problem_at(mark, path, rule, hint))

    @property
    def has_span(self) -> bool:
        """Whether start and end could be read, so that dates can be judged by them."""
        return not {("start",), ("end",)}.intersection(self.findings.broken)

    def undefined(self, path: Path, what: str, name: str, known: Iterable[str]) -> None:
        """Note a name that stands for nothing."""
        hint = near_or_all(name, known) if self.findings.spare() else ""
        self.add(path, f"undefined {what} (got {shown(name)})", hint)

    def expect(self, path: Path, what: str, name: str | None, known: Collection[str]) -> bool:
        """Note it when a name that is given is unknown; return whether it is known."""
        if name is None or name in known:
            return name is not None
        self.undefined(path, what, name, known)
        return False

    def value(self, quantity: Quantity) -> float | None:
        """Return a quantity at the parameters' means, or None where it has no value."""
        return _evaluated(quantity, self.means)

    def high_value(self, quantity: Quantity) -> float | None:
        """Return a quantity at the parameters' 95 % points."""
        return _evaluated(quantity, self.highs)

    def bounded(
        self,
        path: Path,
        quantity: Quantity | None,
        rule: str,
        low: float,
        high: float,
    ) -> None:
        """Note a quantity that is below low or above high (at the parameters' means)."""
        value = None if quantity is None else self.value(quantity)
        if value is not None and not low <= value <= high:
            at = " at the parameters' means" if isinstance(quantity, str) else ""
            self.add(path, f"must be {rule}{at} (got {value:.10g})")

    def positive(self, path: Path, quantity: Quantity | None) -> None:
        """Note a quantity that is not above 0."""
        self.bounded(path, quantity, "> 0", 5e-324, float("inf"))

    def stock(self, path: Path, quantity: Quantity | None) -> None:
        """Note a quantity that is below 0."""
        self.bounded(path, quantity, ">= 0", 0.0, float("inf"))

    def probability(self, path: Path, quantity: Quantity | None) -> None:
        """Note a quantity that is no probability."""
        self.bounded(path, quantity, "between 0 and 1", 0.0, 1.0)

    @functools.cached_property
    def value_names(self) -> dict[str, str]:
        """Every name that expressions may mention, with the parameter that gives it."""
        return value_names(self.scenario.parameters)

    @functools.cached_property
    def countries(self) -> frozenset[str]:
        """The countries that places lie in."""
        found = (place.country for place in self.scenario.places.values())
        return frozenset(country for country in found if country)

    @functools.cached_property
    def regions(self) -> frozenset[str]:
        """Places and countries."""
        return self.countries | self.scenario.places.keys()

    def names_of(self, place: str) -> frozenset[str]:
        """Return a place and what it lies in: a segment in the country where it arrives."""
        places = self.scenario.places
        known = places.get(place)
        if known is None:
            return frozenset({place})
        around = known.within or (known.ends and known.ends[1])
        home = places.get(around) if around else None
        names = (place, known.within, known.country or (home and home.country))
        return frozenset(name for name in names if name)

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

    @functools.cached_property
    def governorates(self) -> frozenset[str]:
        """The places that are governorates."""
        places = self.scenario.places.items()
        return frozenset(name for name, place in places if place.kind == "governorate")

    @functools.cached_property
    def neighbors(self) -> dict[str, set[str]]:
        """Place -> its neighbors."""
        found: dict[str, set[str]] = {}
        for first, second in self.scenario.neighbors:
            found.setdefault(first, set()).add(second)
            found.setdefault(second, set()).add(first)
        return found

    @functools.cached_property
    def with_states(self) -> frozenset[str]:
        """Postures and the calendar: the variables whose values have names."""
        return frozenset({MONTH, *self.scenario.postures})

    @functools.cached_property
    def decisions(self) -> frozenset[str]:
        """The decisions that agents take or that have a logit."""
        taken = {name for agent in self.scenario.agents.values() for name in agent.decisions}
        return frozenset(taken | self.scenario.decisions.keys())

    @functools.cached_property
    def targets(self) -> dict[str, frozenset[str]]:
        """Incident type -> the targets of its groups."""
        return {
            name: frozenset(group.target for group in incident.groups.values())
            for name, incident in self.scenario.incidents.items()
        }

    @functools.cached_property
    def all_targets(self) -> frozenset[str]:
        """The targets of all incident types."""
        return frozenset().union(*self.targets.values())

    def _automatic(self) -> set[str]:
        """Return the state variables that simlib keeps by itself."""
        names = {MONTH, *self.scenario.postures}
        for type_, incident in self.scenario.incidents.items():
            for name, group in incident.groups.items():
                if group.trend:
                    names.add(f"trend.{type_}.{name}")
                if group.tempo:
                    names.add(f"tempo.{group.tempo.series}")
        return names

    def is_national(self, variable: str) -> bool:
        """Whether a known variable is one number for all places."""
        declared = self.scenario.state.get(variable)
        return declared is None or declared.over == "national"

    def states_of(self, variable: str) -> tuple[str, ...]:
        """Return the states of a posture, or the months; none for other variables."""
        if variable == MONTH:
            return MONTHS
        posture = self.scenario.postures.get(variable)
        return tuple(posture.states) if posture else ()

    def unique(self, path: Path, names: Iterable[str]) -> None:
        """Note names that differ only in case or in how letters are composed."""
        seen: dict[str, str] = {}
        for name in names:
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
            if folded in seen:
                rule = f"two names differ only in case (got {shown(seen[folded])}, {shown(name)})"
                self.add((*path, name), rule)
            seen.setdefault(folded, name)


def _evaluated(quantity: Quantity, values: dict[str, float]) -> float | None:
    if not isinstance(quantity, str):
        return float(quantity)
    try:
        return compile_quantity(quantity)(values)
    except (ExpressionError, SimulationError):
        return None
