"""Rows of the register, ``seeds/parameters.csv``: what numbers rest on, and how firmly.

Its column ``basis`` says whether a number was read in a source or judged; a parameter that
names no row is a judgement. One that says what it was fitted to is neither, and one that
follows from others is derived.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from simlib.chance.distributions import KINDS, mean, quantile
from simlib.errors import Problem, ScenarioError
from simlib.scenario.bundled import REGISTER, seed_table

if TYPE_CHECKING:
    from simlib.scenario.schema import Parameter

GRADES = {
    "S": "source",
    "F": "fitted",
    "S2": "weak source",
    "D": "derived",
    "G": "general knowledge",
    "J": "judgement",
}
"""Words for the column ``basis`` of the register, from the firmest on; F is no row's."""
POINTS = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
"""Points of a distribution that cards show and derivations may name."""

_SPELT = re.compile(r"(?P<kind>[a-z_]+)\((?P<arguments>[^()]*)\)")

Arguments = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A row of the register: what is counted, of whom and where.

    Figures are as they are written, empty where there is none. The distribution is its kind and
    arguments; nothing where none is drawn. The basis, a key of `GRADES`, says how firm it is, the
    note what is in doubt.
    """

    id: str
    name: str
    agent: str
    quantity: str
    place: str
    unit: str
    central: str
    low: str
    high: str
    distribution: tuple[str, Arguments] | None
    date: str
    basis: str
    source: str
    url: str
    note: str

    @property
    def grade(self) -> str:
        """How firm the figure is, in words."""
        return GRADES[self.basis]

    def text(self, what: str) -> str:
        """``central``, ``low`` or ``high`` as written; raises `KeyError` where the row has none."""
        written = {"central": self.central, "low": self.low, "high": self.high}[what]
        if not written:
            raise KeyError(what)
        return written

    def point(self, what: str) -> float:
        """The mean or a 5, 50 or 95 % point of what is drawn, by its key in `POINTS`.

        Raises `KeyError` where nothing is drawn, or there is no such point.
        """
        if self.distribution is None:
            raise KeyError(what)
        kind, arguments = self.distribution
        if what == "mean":
            return float(mean(kind, arguments))
        return float(quantile(kind, arguments, POINTS[what]))


@functools.cache
def register_rows() -> Mapping[str, RegisterRow]:
    """Every row of the register by its id, in the order of the file.

    Raises `ScenarioError` where a row has no known grade, or no distribution that can be read.
    """
    lines = enumerate(seed_table(REGISTER), start=2)
    return MappingProxyType({line["id"]: _row(line, number) for number, line in lines})


def grade_of(name: str, parameter: Parameter) -> str:
    """The grade of the evidence behind a parameter, a value of `GRADES`.

    Raises `ScenarioError` where it names a row that the register does not have.
    """
    if parameter.expression is not None:
        return GRADES["D"]
    if parameter.fitted is not None:
        return GRADES["F"]
    if parameter.register_id is None:
        return GRADES["J"]
    row = register_rows().get(parameter.register_id)
    if row is None:
        rule = f"its register row has no grade of evidence (got {parameter.register_id})"
        raise ScenarioError([Problem(f"parameters.{name}.register", rule)])
    return row.grade


def _row(line: Mapping[str, str], number: int) -> RegisterRow:
    place = f"{REGISTER} line {number} ({line['id']})"
    if line["basis"] not in GRADES:
        rule = f"basis must be one of {', '.join(GRADES)} (got {line['basis']})"
        raise ScenarioError([Problem(place, rule)])
    return RegisterRow(
        **{key: line[key] for key in ("id", "name", "agent", "quantity", "place", "unit")},
        **{key: line[key] for key in ("central", "low", "high", "date", "basis", "note")},
        distribution=_distribution(line["distribution"], place),
        source=line["source_title"],
        url=line["source_url"],
    )


def _distribution(text: str, place: str) -> tuple[str, Arguments] | None:
    """Kind and arguments of ``beta(4,16)`` or ``gamma(shape=1, rate=10)``."""
    if not text:
        return None
    found = _SPELT.fullmatch(text)
    if found is None or found["kind"] not in KINDS:
        raise ScenarioError([Problem(place, f"must be a distribution (got {text!r})")])
    parts = [part.strip() for part in found["arguments"].split(",")]
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    if not named:
        fitting = [names for names in KINDS[found["kind"]] if len(names) == len(parts)]
        named = dict(zip(fitting[0], parts, strict=True)) if fitting else {}
    try:
        arguments = {name: float(value) for name, value in named.items()}
    except ValueError:
        arguments = {}
    if not arguments:
        raise ScenarioError([Problem(place, f"must be a distribution (got {text!r})")])
    return found["kind"], arguments
