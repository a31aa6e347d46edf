"""What is said relative to what is inherited: ``{times: 2}``, ``{add: 0.1}``, or both.

A parameter keeps the family of its distribution, and its note says what it was taken times of.
So may a start of state, a level or elasticity of incidents, an intercept or weight of a decision
and a median stay of a posture be moved: numbers and expressions alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simlib.chance.distributions import check as broken_rules
from simlib.chance.rescaling import rescaled
from simlib.errors import ScenarioError
from simlib.scenario.canonical import flow
from simlib.scenario.nodes import (
    FileMark,
    Mapping,
    Node,
    Path,
    Scalar,
    Sequence,
    describe,
    mapping,
    problem_at,
    sequence,
)
from simlib.scenario.wording import near, shown

if TYPE_CHECKING:
    from simlib.errors import Problem

RELATIVE = ("times", "add")
DETERMINED_BY = ("value", "distribution", "expression")
"""A parameter has one of these; a child's replaces whichever its parent has."""
_MOVABLE = {
    "state": {"start"},
    "incidents": {
        *("level", "elasticity", "efficacy", "probability", "ratio", "decay_days", "own_place"),
        *("log_slope", "damping", "rho", "sd"),
    },
    "decisions": {"intercept", "weights"},
    "postures": {"median_months", "age_months", "shape"},
}
"""By section: keys at and below which quantities may be moved."""
_NOTHING = "nothing is inherited there that could be moved"
_NOT_SCALED = {"shares", "of"}
_OF_SHARES = ("share", "probability")
"""Units that begin so are of numbers between 0 and 1."""
_ENDS = ("low", "mode", "high", "value")


class _Change(NamedTuple):
    """How far something is moved, and where that is said."""

    times: float
    add: float
    mark: FileMark
    path: Path

    def refused(self, rule: str, hint: str = "") -> ScenarioError:
        """The error of a change that is not possible."""
        return ScenarioError([problem_at(self.mark, self.path, rule, hint)])

    def number(self, value: float) -> Scalar:
        """A number moved, as a node."""
        moved = value * self.times + self.add
        return Scalar(repr(moved), moved, self.mark)

    def of_text(self, text: str) -> Scalar:
        """An expression moved, as a node."""
        product = f"({text})" if self.times == 1 else f"{flow(self.times)} * ({text})"
        moved = f"{product} + {flow(self.add)}" if self.add > 0 else product
        moved = f"{product} - {flow(-self.add)}" if self.add < 0 else moved
        return Scalar(moved, moved, self.mark)

    def __str__(self) -> str:
        said = [f"times {flow(self.times)}"] if self.times != 1 else []
        said += [f"plus {flow(self.add)}"] if self.add else []
        return " ".join(said)


def is_share(unit: str) -> bool:
    """Whether numbers of a unit lie between 0 and 1."""
    return unit.startswith(_OF_SHARES)


def is_relative(node: Node) -> bool:
    """Whether a node says how something that is inherited moves."""
    return isinstance(node, Mapping) and bool(node.items) and set(node.items) <= set(RELATIVE)


def may_move(path: Path) -> bool:
    """Whether what stands at a path is a quantity, or several, that may be moved."""
    return not _MOVABLE.get(str(path[0]), set()).isdisjoint(path[2:])


def moved_quantity(before: Node | None, node: Node, path: Path) -> Node:
    """A quantity, or all quantities by place, moved as a relative node says.

    Raises `ScenarioError` where nothing is inherited that could move.
    """
    assert isinstance(node, Mapping)  # noqa: S101
    change = _read(node, node.mark, path)
    if before is None:
        raise change.refused(_NOTHING)
    return _moved(before, change)


def _moved(node: Node, change: _Change) -> Node:
    if isinstance(node, Scalar) and isinstance(node.value, float):
        return change.number(node.value)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return change.of_text(node.text)
    if change.add and not (isinstance(node, Mapping) and "total" in node.items):
        hint = "add to a place by its name"
        raise change.refused(f"must add to one number (got {describe(node)})", hint)
    if isinstance(node, Sequence):
        return sequence([_moved(item, change) for item in node.items], change.mark)
    if isinstance(node, Mapping):
        # What is added goes to the total, or else it would be added at every place.
        at_places = change._replace(add=0.0)
        items = {
            key: _moved(item, change if key == "total" else at_places)
            for key, item in node.items.items()
            if key not in _NOT_SCALED
        }
        items = {**node.items, **items}
        return node._replace(items=items)
    raise change.refused(f"must move a number or an expression (got {describe(node)})")


def moved_parameter(before: Mapping, child: Mapping, path: Path) -> Mapping:
    """A child's parameter whose value is the parent's, moved; it says so in its note.

    Raises `ScenarioError` where it has a value too, or where the family knows no such change.
    """
    given = [key for key in RELATIVE if key in child.items]
    change = _read(child, child.items[given[0]].mark, path)
    both = [key for key in DETERMINED_BY if key in child.items]
    if both:
        raise change.refused(f"must have {' and '.join(given)} or {both[0]}, not both")
    items = {key: node for key, node in child.items.items() if key not in RELATIVE}
    key = next(key for key in DETERMINED_BY if key in before.items)
    items |= _value(before, key, change)
    items |= _origin(before, child, f"{_said(before, key)}, here {change}", change.mark)
    return mapping(items, {**dict.fromkeys(items, change.mark), **child.keys}, child.mark)


def _value(before: Mapping, key: str, change: _Change) -> dict[str, Node]:
    """What determines the moved parameter; the parent's own where that is no value at all."""
    node = before.items[key]
    if change.times == 1 and change.add == 0:
        return {key: node}
    if key != "distribution":
        moved = _moved(node, change)
        _refuse_beyond_share(before, {key: moved}, change)
        return {key: moved}
    law = _law(node)
    if law is None:
        return {key: node}  # what is wrong with it is told where it stands
    kind, args = law
    try:
        kind, arguments = rescaled(kind, args, change.times, change.add)
    except ValueError as error:
        raise change.refused(f"{error}", f"inherited: {flow({law[0]: args})}") from None
    inner: dict[str, Node] = {
        name: Scalar(repr(x), x, change.mark) for name, x in arguments.items()
    }
    _refuse_beyond_share(before, inner, change)
    node = mapping(inner, dict.fromkeys(inner, change.mark), change.mark)
    return {key: mapping({kind: node}, {kind: change.mark}, change.mark)}


def _law(node: Node) -> tuple[str, dict[str, float]] | None:
    """The kind and arguments of a distribution; None where it is none."""
    if not isinstance(node, Mapping) or len(node.items) != 1:
        return None
    ((kind, inner),) = node.items.items()
    if not isinstance(inner, Mapping):
        return None
    args = {
        name: item.value
        for name, item in inner.items.items()
        if isinstance(item, Scalar) and isinstance(item.value, float)
    }
    is_whole = len(args) == len(inner.items) and not broken_rules(kind, args)
    return (kind, args) if is_whole else None


def _refuse_beyond_share(before: Mapping, after: dict[str, Node], change: _Change) -> None:
    """Refuse ends beyond 0 and 1 of what is a share by its unit."""
    unit = before.items.get("unit")
    if not isinstance(unit, Scalar) or not is_share(unit.text):
        return
    for name in _ENDS:
        node = after.get(name)
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, float) and not 0.0 <= value <= 1.0:
            raise change.refused(f"must stay between 0 and 1, as a share (got {name} {value:g})")


def _said(before: Mapping, key: str) -> str:
    """What the parent has, in words."""
    node = before.items[key]
    law = _law(node) if key == "distribution" else None
    text = flow({law[0]: law[1]}) if law else node.text if isinstance(node, Scalar) else key
    rows, fit = _words(before, "register"), _words(before, "fitted")
    basis = f" (register {rows})" if rows else " (fitted)" if fit else ""
    return f"inherited {text}{basis}"


def _origin(before: Mapping, child: Mapping, said: str, mark: FileMark) -> dict[str, Node]:
    """The note that says what was moved, and a judgement where none is inherited."""
    first = _words(child, "note") or _words(before, "note")
    text = f"{first}; {said}" if first else said
    found: dict[str, Node] = {"note": Scalar(text, text, mark)}
    if not _words(child, "judgement") and not _words(before, "judgement"):
        found["judgement"] = Scalar("a what-if", "a what-if", mark)
    return found


def _words(node: Mapping, key: str) -> str:
    """The text of a key; empty where it is not there, or null."""
    item = node.items.get(key)
    return item.text if isinstance(item, Scalar) and isinstance(item.value, str) else ""


def _read(node: Mapping, mark: FileMark, path: Path) -> _Change:
    """The change a relative node says; raises `ScenarioError` where it is no number."""
    found = {"times": 1.0, "add": 0.0}
    for key in RELATIVE:
        item = node.items.get(key)
        if item is None:
            continue
        value = item.value if isinstance(item, Scalar) else None
        if not isinstance(value, float) or not abs(value) < float("inf"):
            rule = f"must be a number (got {describe(item)})"
            raise ScenarioError([problem_at(item.mark, (*path, key), rule)])
        found[key] = value
    return _Change(found["times"], found["add"], mark, path)


def refuse_left(root: Mapping) -> None:
    """Refuse relative changes of what nothing has a value for."""
    known = root.items.get("parameters")
    names = set(known.items) if isinstance(known, Mapping) else set()
    problems = list(_left(known, ("parameters",), names))
    options = root.items.get("options")
    for option, node in options.items.items() if isinstance(options, Mapping) else ():
        given = node.items.get("parameters") if isinstance(node, Mapping) else None
        problems += _left(given, ("options", option, "parameters"), names)
    for section in _MOVABLE:
        problems += _unmoved(root.items.get(section), (section,))
    if problems:
        raise ScenarioError(problems)


def _unmoved(node: Node | None, path: Path) -> list[Problem]:
    """What is wrong with changes of quantities that met nothing inherited."""
    if not isinstance(node, Mapping):
        return []
    if len(path) > 2 and is_relative(node) and may_move(path):
        return [problem_at(node.mark, path, _NOTHING)]
    return [p for key, item in node.items.items() for p in _unmoved(item, (*path, key))]


def _left(section: Node | None, path: Path, known: set[str]) -> list[Problem]:
    if not isinstance(section, Mapping):
        return []
    left = [
        name
        for name, node in section.items.items()
        if isinstance(node, Mapping) and not set(RELATIVE).isdisjoint(node.items)
    ]
    return [
        problem_at(
            section.keys[name],
            (*path, name),
            f"no such parameter is inherited that could be moved (got {shown(name)})",
            near(name, known - set(left)),
        )
        for name in left
    ]
