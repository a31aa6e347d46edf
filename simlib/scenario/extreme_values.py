"""Values that leave an expression no number: a share of nothing is refused before the run.

Each parameter is looked at alone, at both ends of what is drawn, the others at their means. What
is wrong is told where the file itself says it: at the expression, or at the parameter that it
divides by.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from simlib.chance.distributions import quantile
from simlib.errors import SimulationError
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.nodes import find
from simlib.scenario.parameter_values import ENDS, ordered
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Parameter

MOST_LINKS = 100_000
"""From what to what is followed: a file of a megabyte must not take seconds."""


class _Written(NamedTuple):
    """An expression, and where it stands."""

    path: Path
    text: str


class _Web:
    """Which expressions rest on which parameters that follow from no others."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rests_on: dict[str, frozenset[str]] = {}
        self.n_links = 0
        self.derived: dict[str, dict[str, _Written]] = defaultdict(dict)
        """Parameter -> those that follow from it, each after what it follows from itself."""
        self.others: dict[str, list[_Written]] = defaultdict(list)
        """Parameter -> expressions of no parameter."""
        for name in ordered(context.scenario):
            self._add(name, context.scenario.parameters[name])
        seen = set()
        for path, text in context.log.expressions.items():
            mentioned = _mentioned(text)
            if text not in seen and mentioned <= self._rests_on.keys():
                for basis in self._basis(mentioned):
                    self.others[basis].append(_Written(path, text))
            seen.add(text)

    def _add(self, name: str, parameter: Parameter) -> None:
        bases = frozenset({name})
        if parameter.expression is not None:
            bases = self._basis(_mentioned(parameter.expression))
            path = (*self._context.parameter_path(name), "expression")
            for basis in bases:
                self.derived[basis][name] = _Written(path, parameter.expression)
        self._rests_on.update(dict.fromkeys(parameter.value_names(name), bases))

    def _basis(self, mentioned: set[str]) -> frozenset[str]:
        """The parameters that names rest on in the end; none where there are too many."""
        found = frozenset().union(*(self._rests_on.get(n, frozenset()) for n in mentioned))
        self.n_links += len(found)
        return found if self.n_links <= MOST_LINKS else frozenset()


def _mentioned(text: str) -> set[str]:
    try:
        return names(text)
    except ExpressionError:
        return set()  # noted where it is read


def check(context: Context) -> None:
    """Note parameters that leave an expression no number at an end of what is drawn."""
    web = _Web(context)
    for name, parameter in context.scenario.parameters.items():
        derived, others = web.derived.get(name, {}), web.others.get(name, [])
        for end in _ends(parameter) if derived or others else ():
            values = ChainMap({name: end}, context.means)
            broken = _first_broken(values, derived, others)
            if broken is not None:
                expression, why = broken
                refuse(context, expression.path, [name], why, f"where {name} is {end:.6g}")
                break


def _ends(parameter: Parameter) -> tuple[float, ...]:
    """The ends of what is drawn, where it is one number."""
    if parameter.distribution is None:
        return ()
    ((kind, args),) = parameter.distribution.items()
    return () if kind == "dirichlet" else tuple(quantile(kind, args, u) for u in ENDS)


def _first_broken(
    values: MutableMapping[str, float],
    derived: Mapping[str, _Written],
    others: Iterable[_Written],
) -> tuple[_Written, str] | None:
    """The first expression that is no number, and why; those before it are worked out."""
    for name, expression in derived.items():
        try:
            values[name] = compile_quantity(expression.text)(values)
        except SimulationError as error:
            return expression, str(error)
    for expression in others:
        try:
            compile_quantity(expression.text)(values)
        except SimulationError as error:
            return expression, str(error)
    return None


def refuse(context: Context, path: Path, parameters: Iterable[str], why: str, where: str) -> None:
    """Note an expression that is no number, at the line that the file itself has of it.

    Where the expression stands in another file, it is one of the parameters that it rests on.
    """
    root = context.log.tree.mark.file
    rule = f"must be a number {where} ({why})"
    if find(context.log.tree, path)[0].file != root:
        nothing_first = sorted(parameters, key=lambda n: not _is_nothing(context, n))
        paths = (context.parameter_path(name) for name in nothing_first)
        own = [p for p in paths if find(context.log.tree, p)[0].file == root]
        if own:
            rule = f"must leave {shown('.'.join(map(str, path[:-1])))} a number ({why})"
            context.blame(own[0], rule)
            return
    context.add(path, rule)


def _is_nothing(context: Context, name: str) -> bool:
    """Whether a parameter is given as 0."""
    given = context.scenario.parameters[name]
    return given.value == 0.0 or given.distribution == {"fixed": {"value": 0.0}}
