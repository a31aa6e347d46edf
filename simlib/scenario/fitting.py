"""Nodes to models: what each place of a scenario wants, and what stands there instead.

Kinds (text, number, list, mapping, key) are judged here, because only here it is known how
a value was written; bounds and patterns are pydantic's, which is asked value by value, where
the line is at hand. What other names and the parameters' means decide is noted for later.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import os
import re
import types
from collections.abc import Callable
from collections.abc import Mapping as Mappable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel, TypeAdapter, ValidationError

from simlib.errors import Problem, ScenarioError
from simlib.scenario.nodes import (
    FileMark,
    Mapping,
    Node,
    Path,
    Scalar,
    Sequence,
    describe,
    find,
    from_python,
    mapping,
    number_hint,
    problem_at,
)
from simlib.scenario.schema import Quantity, Ref, Within
from simlib.scenario.wording import bare, near, near_or_all, shown
from simlib.scenario.yaml_text import MOST_PROBLEMS, Budget, read_file

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

NAME_RULE = "must be a name: a letter, then letters, digits, spaces or _ . ' & -, at most 80"
FIRST_YEAR, LAST_YEAR = 1900, 2200
ENOUGH = 40
"""Hints cost time to find: past so many problems they are left out."""

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NOTHING = mapping({}, {}, FileMark())


@dataclass(slots=True)
class ProblemLog:
    """What is wrong with a tree, and what to look up once all of it is known."""

    tree: Node = _NOTHING
    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    above_broken: set[Path] = field(default_factory=set)
    expressions: dict[Path, str] = field(default_factory=dict)
    references: dict[Path, tuple[Ref, str]] = field(default_factory=dict)
    """Names, and what they must refer to."""
    bounded: dict[Path, tuple[Within, Quantity]] = field(default_factory=dict)
    """Quantities, and between which bounds they must lie."""
    blamed: dict[Path, list[Problem]] = field(default_factory=dict)
    """What a file changes and what that breaks in other files, a problem for each place."""

    def add(self, node: Node, path: Path, rule: str, hint: str = "") -> None:
        """Note a problem that stands at a node."""
        self.note(problem_at(node.mark, path, rule, hint), path)

    def add_at(self, path: Path, rule: str, hint: str = "") -> None:
        """Note a problem of what stands at a path of the tree."""
        self.note(problem_at(find(self.tree, path)[0], path, rule, hint), path)

    def note(self, problem: Problem, path: Path) -> None:
        """Note a problem, and that what stands at a path is broken."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
            self.broken.add(path)
            self.above_broken.update(path[:i] for i in range(len(path) + 1))

    def is_under_broken(self, path: Path) -> bool:
        """Whether what stands at a path, or on the way to it, is broken."""
        return any(path[:i] in self.broken for i in range(len(path) + 1))

    def unwanted(self, node: Node, path: Path, wanted: str, hint: str = "") -> None:
        """Note that something else is wanted at a node."""
        if not hint and isinstance(node, Scalar) and wanted == "a mapping":
            hint = "missing space after ':'?" if ":" in node.text else ""
        self.add(node, path, f"must be {wanted} (got {describe(node)})", hint)

    def has_room(self) -> bool:
        """Whether there is still room for hints that take time to find."""
        return len(self.problems) < ENOUGH

    def refuse(self) -> None:
        """Raise what was noted as one `ScenarioError`, if anything was."""
        if self.problems:
            raise ScenarioError(self.problems)


Fitter: TypeAlias = Callable[[Node, Path, ProblemLog], Any]
_Fitted = TypeVar("_Fitted", bound=BaseModel)


def read_model(
    model: type[_Fitted], source: Mappable[str, Any] | str | os.PathLike[str]
) -> tuple[_Fitted, ProblemLog]:
    """The model that a mapping or a YAML file states, and what is wrong with it.

    Raises `ScenarioError` where there is no such file, it is no YAML, or holds what cannot be
    written as YAML.
    """
    if isinstance(source, Mappable):
        return fitted(model, from_python(source))
    path = FilePath(source)
    return fitted(model, read_file(path, str(path), Budget()))


def fitted(
    model: type[_Fitted], tree: Node, log: ProblemLog | None = None
) -> tuple[_Fitted, ProblemLog]:
    """The model that a tree states, stand-ins for what is wrong, and what that is."""
    log = ProblemLog() if log is None else log
    log.tree = tree
    found: _Fitted = fitter(model)(tree, (), log)
    return found, log


def _text(node: Node, path: Path, log: ProblemLog) -> str:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.text
    hint = "put it between quotes" if isinstance(node, Scalar) and node.text else ""
    log.unwanted(node, path, "text", hint)
    return ""


def _number(node: Node, path: Path, log: ProblemLog) -> float:
    if isinstance(node, Scalar):
        if isinstance(node.value, float):
            return _finite(node, node.value, path, log)
        if isinstance(node.value, str):
            hint = number_hint(node.text, quoted=node.quoted)
            log.unwanted(node, path, "a number", hint)
            return 1.0
    log.unwanted(node, path, "a number")
    return 1.0


def _finite(node: Node, value: float, path: Path, log: ProblemLog) -> float:
    if math.isfinite(value):
        return value
    log.unwanted(node, path, "a finite number")
    return 1.0


def _whole(node: Node, path: Path, log: ProblemLog) -> int:
    before = len(log.problems)
    value = _number(node, path, log)
    if len(log.problems) == before:
        if value == math.floor(value):
            # Text keeps the digits that a float would round.
            digits = node.text if isinstance(node, Scalar) else ""
            return int(digits) if digits.lstrip("+-").isdigit() else int(value)
        log.unwanted(node, path, "a whole number")
    return 1


def _truth(node: Node, path: Path, log: ProblemLog) -> bool:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    log.unwanted(node, path, "true or false")
    return False


def _date(node: Node, path: Path, log: ProblemLog) -> dt.date:
    parts = _DATE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if parts is None:
        hint = ""
        if isinstance(node, Scalar) and _DATE.match(node.text):
            hint = "times of day and time zones are not read"
        log.unwanted(node, path, "a date, YYYY-MM-DD", hint)
        return dt.date(2000, 1, 1)
    year, month, day = (int(part) for part in parts.groups())
    try:
        date = dt.date(year, month, day)
    except ValueError:
        log.unwanted(node, path, "a date that exists")
        return dt.date(2000, 1, 1)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        log.unwanted(node, path, f"a date from {FIRST_YEAR} to {LAST_YEAR}")
        return dt.date(2000, 1, 1)
    return date


def _quantity(node: Node, path: Path, log: ProblemLog) -> Quantity:
    if isinstance(node, Scalar) and isinstance(node.value, float):
        return _finite(node, node.value, path, log)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        log.unwanted(node, path, "a number or an expression")
        return 1.0
    hint = number_hint(node.text, quoted=node.quoted)
    if hint:
        log.unwanted(node, path, "a number", hint)
        return 1.0
    log.expressions[path] = node.text
    return node.text


_SCALARS: dict[Any, Fitter] = {
    str: _text,
    float: _number,
    int: _whole,
    bool: _truth,
    dt.date: _date,
}


def _union_members(wanted: Any) -> tuple[Any, ...]:
    """The members of a union, those of unions inside it included."""
    if get_origin(wanted) in {Union, types.UnionType}:
        return tuple(inner for member in get_args(wanted) for inner in _union_members(member))
    return (wanted,)


@functools.cache
def fitter(wanted: Any) -> Fitter:
    """The function that makes a node what a type of the schema wants."""
    makers: dict[Any, Callable[[], Fitter]] = {
        Annotated: lambda: _annotated(*get_args(wanted)),
        Union: lambda: _union(_union_members(wanted)),
        types.UnionType: lambda: _union(_union_members(wanted)),
        Literal: lambda: _choice(get_args(wanted)),
        dict: lambda: _dictionary(*get_args(wanted)),
        tuple: lambda: _list(get_args(wanted)),
    }
    origin = get_origin(wanted)
    if origin in makers:
        return makers[origin]()
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return _model(wanted)
    return _SCALARS[wanted]


def _choice(choices: tuple[Any, ...]) -> Fitter:
    names = [str(choice) for choice in choices]

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        met = node.value if isinstance(node, Scalar) else None
        if met in choices and not isinstance(met, bool):
            return choices[choices.index(met)]
        hint = near(met, names) if isinstance(met, str) else ""
        if isinstance(met, str) and met in names:
            hint = "remove the quotes"
        if isinstance(met, float) and choices == (1,) and met > 1:
            hint = "the file needs a newer simlib"
        log.unwanted(node, path, " or ".join(names), hint)
        return choices[0]

    return fit


def _annotated(wanted: Any, *metadata: Any) -> Fitter:
    """The fitter of a type with constraints, references or bounds."""
    inner = fitter(wanted)
    constraint = _constraint(wanted, metadata)
    references = [said for said in metadata if isinstance(said, Ref)]
    bounds = [said for said in metadata if isinstance(said, Within)]

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        before = len(log.problems)
        value = inner(node, path, log)
        if len(log.problems) > before:
            return value
        broken = constraint(value)
        if broken:
            log.add(node, path, f"{broken} (got {_got(node, broken)})")
        for reference in references:
            log.references[path] = reference, value
        for within in bounds:
            log.bounded[path] = within, value
        return value

    return fit


_BOUNDS = {
    "greater_than_equal": (">=", "ge"),
    "greater_than": (">", "gt"),
    "less_than_equal": ("<=", "le"),
    "less_than": ("<", "lt"),
}


def _constraint(wanted: Any, metadata: tuple[Any, ...]) -> Callable[[Any], str]:
    """A function from a value to the rule of pydantic's that it breaks, in our words."""
    constraints = [said for said in metadata if not isinstance(said, Ref | Within)]
    if not constraints:
        return lambda _value: ""
    adapter = TypeAdapter[Any](Annotated[wanted, *constraints])

    def broken(value: Any) -> str:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
        else:
            return ""
        if detail["type"] in _BOUNDS:
            sign, key = _BOUNDS[detail["type"]]
            bound = detail["ctx"][key]
            return f"must be {sign} {bound if sign == '<' else format(bound, '.15g')}"
        if detail["type"] in {"string_pattern_mismatch", "string_too_long"}:
            return NAME_RULE
        return bare(detail["msg"].lower())

    # Most names stand in many places.
    return functools.lru_cache(maxsize=4096)(broken) if wanted is str else broken


def _got(node: Node, rule: str) -> str:
    return bare(node.text) if isinstance(node, Scalar) and rule != NAME_RULE else describe(node)


def _dictionary(keys: Any, values: Any) -> Fitter:
    inner = fitter(values)
    metadata = get_args(keys)[1:]
    constraint = _constraint(str, metadata)
    references = [said for said in metadata if isinstance(said, Ref)]

    def fit(node: Node, path: Path, log: ProblemLog) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            is_listed = isinstance(node, Sequence) and node.items
            log.unwanted(node, path, "a mapping", "give each entry a name" if is_listed else "")
            return {}
        for key in node.items:
            here = (*path, key)
            broken = constraint(key)
            if broken:
                log.note(problem_at(node.keys[key], path, f"{broken} (got {shown(key)})"), here)
            for reference in references:
                log.references[here] = reference, key
        return {key: inner(item, (*path, key), log) for key, item in node.items.items()}

    return fit


def _list(members: tuple[Any, ...]) -> Fitter:
    length = None if members[-1] is Ellipsis else len(members)
    inner = fitter(members[0])

    def stand_ins() -> tuple[Any, ...]:
        return tuple(inner(_NOTHING, (), ProblemLog()) for _ in range(length or 0))

    def fit(node: Node, path: Path, log: ProblemLog) -> tuple[Any, ...]:
        if not isinstance(node, Sequence):
            log.unwanted(node, path, "a list")
            return stand_ins()
        if length is not None and len(node.items) != length:
            log.add(node, path, f"must have {length} items (got {len(node.items)})")
            return stand_ins()
        return tuple(inner(item, (*path, i), log) for i, item in enumerate(node.items))

    return fit


def _union(members: tuple[Any, ...]) -> Fitter:
    """The fitter of a union: the kind of node decides which member is meant."""
    models = [m for m in members if isinstance(m, type) and issubclass(m, BaseModel)]
    listing = next((fitter(m) for m in members if get_origin(m) is tuple), None)
    table = next((fitter(m) for m in members if get_origin(m) is dict), None)
    optional = type(None) in members
    if models:
        # A single model is told by its first key only where it must have that key.
        first = next(iter(models[0].model_fields.values()))
        is_certain = len(models) == 1 and not first.is_required()
        table = fitter(models[0]) if is_certain else _one_of(models)
    scalar = next((fitter(m) for m in members if m in _SCALARS or get_origin(m) is Annotated), None)
    if float in members and str in members:
        scalar = _quantity
    if dt.date in members and len([m for m in members if get_origin(m) is Annotated]) == 1:
        named = next(m for m in members if get_origin(m) is Annotated)
        scalar = _date_or(fitter(named))
    literal = next((m for m in members if get_origin(m) is Literal), None)
    words = frozenset(get_args(literal))
    if literal and not scalar:
        scalar = fitter(literal)

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        if isinstance(node, Scalar) and optional and node.value is None and not node.quoted:
            return None
        if isinstance(node, Scalar) and node.value in words:
            return node.value
        if isinstance(node, Sequence) and listing:
            return listing(node, path, log)
        if isinstance(node, Mapping) and table:
            return table(node, path, log)
        chosen = scalar or table or listing
        assert chosen is not None  # noqa: S101
        return chosen(node, path, log)

    return fit


def _date_or(named: Fitter) -> Fitter:
    """The fitter of a date, or of a name, which begins with a letter."""

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        is_name = isinstance(node, Scalar) and node.text[:1].isalpha()
        return named(node, path, log) if is_name else _date(node, path, log)

    return fit


def kind_keys(models: list[type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """The key that tells each model of a union: the name of its first field."""
    return {next(iter(model.model_fields)): model for model in models}


def _one_of(models: list[type[BaseModel]]) -> Fitter:
    kinds = kind_keys(models)

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        if not isinstance(node, Mapping):
            log.unwanted(node, path, "a mapping")
            return None
        found = [key for key in kinds if key in node.items]
        if len(found) == 1:
            return fitter(kinds[found[0]])(node, path, log)
        got = ", ".join(found or node.items) or "no key"
        rule = f"must have exactly one of {', '.join(kinds)} (got {shown(got)[1:-1]})"
        log.add(node, path, rule)
        return None

    return fit


def _model(model: type[BaseModel]) -> Fitter:
    infos = {info.alias or name: info for name, info in model.model_fields.items()}
    fields = {key: fitter(_wanted(info)) for key, info in infos.items()}
    required = [key for key, info in infos.items() if info.is_required()]

    def fit(node: Node, path: Path, log: ProblemLog) -> Any:
        if not isinstance(node, Mapping):
            log.unwanted(node, path, "a mapping")
            return fit(_NOTHING, (), ProblemLog())
        values = {}
        for key, item in node.items.items():
            if key in fields:
                values[key] = fields[key](item, (*path, key), log)
            else:
                known = fields if path else [*fields, "extends"]
                hint = near_or_all(key, known, "allowed") if log.has_room() else ""
                rule = f"unknown key (got {shown(key)})"
                log.note(problem_at(node.keys[key], path, rule, hint), (*path, key))
        for key in required:
            if key not in values:
                log.add(node, (*path, key), "must be given")
                values[key] = fields[key](_NOTHING, (), ProblemLog())
        return model.model_construct(**values)

    return fit


def _wanted(info: FieldInfo) -> Any:
    """The type of a field with all that is said of it."""
    wanted: Any = info.annotation
    return Annotated[wanted, *info.metadata] if info.metadata else wanted
