"""Figures that are arithmetic on others: ``seeds/derivations.yaml``, re-derived."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError, SimulationError
from simlib.evidence.register.figures import figure_text, figure_value
from simlib.scenario.bundled import folder
from simlib.scenario.expressions import ExpressionError, compile_quantity
from simlib.scenario.fitting import read_model
from simlib.scenario.schema import Model

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

_NAMED = re.compile(r"\[([^\[\]]+)\]")
_SLACK = 1e-9
"""Of a tolerance: what binary fractions lose at a figure's last digit."""


class Derivation(Model):
    """How one figure follows from others.

    The expression is arithmetic over numbers and over figures in brackets, by the names of
    `simlib.evidence.register.figures`.
    """

    figure: str
    expression: str
    tolerance: float | None = None
    """Largest difference that rounding explains; half of the last digit when not given."""
    note: str = ""
    apart: bool = False
    """The arithmetic that is told with the figure does not give it, and `note` says why."""


class Underived(Model):
    """Rows of basis D that nothing here re-derives, each with the reason."""

    why: str
    rows: tuple[str, ...]


class Derivations(Model):
    """What ``seeds/derivations.yaml`` holds."""

    derivations: tuple[Derivation, ...]
    underived: tuple[Underived, ...] = ()


@dataclass(frozen=True, slots=True)
class Rederived:
    """A derivation, worked out.

    Attributes
    ----------
    derivation
        What was worked out.
    stated, found
        The figure as it is written, and what the expression gives.
    tolerance
        Largest difference that rounding explains.
    """

    derivation: Derivation
    stated: float
    found: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than rounding explains."""
        return abs(self.stated - self.found) <= self.tolerance * (1 + _SLACK)

    def sentence(self) -> str:
        """Return the arithmetic and what it gives, in words."""
        text = f"{self.derivation.expression} = {self.found:.4g}"
        if self.derivation.apart:
            text += f", not {self.stated:.6g}"
        return f"{text} ({self.derivation.note})" if self.derivation.note else text


@functools.cache
def _read(path: Path) -> Derivations:
    found, log = read_model(Derivations, path)
    log.refuse()
    return found


def load_derivations(path: str | os.PathLike[str] | None = None) -> Derivations:
    """Return the derivations of a file, those that come with simlib when none is given.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    return _read(folder("seeds") / "derivations.yaml" if path is None else Path(path))


def rederive(derivation: Derivation, scenario: Scenario) -> Rederived:
    """Work out a derivation.

    Raises
    ------
    ScenarioError
        A figure is not there, or the expression cannot be worked out.
    """
    values: dict[str, float] = {}

    def symbol(found: re.Match[str]) -> str:
        name = f"figure{len(values)}"
        values[name] = figure_value(found[1], scenario)
        return name

    written = figure_text(derivation.figure, scenario)
    try:
        found = compile_quantity(_NAMED.sub(symbol, derivation.expression))(values)
    except (ExpressionError, SimulationError) as error:
        place = f"derivations: {derivation.figure}"
        raise ScenarioError([Problem(place, str(error))]) from None
    tolerance = derivation.tolerance
    if tolerance is None:
        tolerance = 0.5 * 10.0 ** -len(written.partition(".")[2])
    return Rederived(derivation, float(written), found, tolerance)


def figures_named(derivation: Derivation) -> list[str]:
    """Return the figures that an expression names, in its order, each once."""
    return list(dict.fromkeys(_NAMED.findall(derivation.expression)))
