"""Nodes to models: what each place of a scenario wants, and what stands there instead.

Kinds (text, number, list, mapping, key) are judged here, because only here it is known how
a value was written; bounds and patterns are judged by the models themselves.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simlib.scenario.findings import MOST_PROBLEMS, Findings
from simlib.scenario.nodes import (
    Mapping,
    Mark,
    Node,
    Path,
    Scalar,
    Sequence,
    describe,
    mapping,
    problem_at,
)
from simlib.scenario.scalars import number_hint
from simlib.scenario.wording import bare, near, near_or_all, shown

if TYPE_CHECKING:
    from simlib.scenario.models import Quantity

NAME_RULE = "must be a name: a letter, then letters, digits, spaces or _ . ' & -, at most 80"
FIRST_YEAR, LAST_YEAR = 1900, 2200
Fitter: TypeAlias = Callable[[Node, Path, "Findings"], Any]

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def _text(node: Node, path: Path, findings: Findings) -> str:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.text
    hint = "put it between quotes" if isinstance(node, Scalar) and node.text else ""
    findings.unwanted(node, path, "text", hint)
    return ""


def _number(node: Node, path: Path, findings: Findings) -> float:
    if isinstance(node, Scalar):
        if isinstance(node.value, float):
            return _finite(node, node.value, path, findings)
        if isinstance(node.value, str):
            hint = number_hint(node.text, quoted=node.quoted)
            findings.unwanted(node, path, "a number", hint)
            return 1.0
    findings.unwanted(node, path, "a number")
    return 1.0


def _finite(node: Node, value: float, path: Path, findings: Findings) -> float:
    if math.isfinite(value):
        return value
    findings.unwanted(node, path, "a finite number")
    return 1.0


def _whole(node: Node, path: Path, findings: Findings) -> int:
    before = len(findings.problems)
    value = _number(node, path, findings)
    if len(findings.problems) == before:
        if value == math.floor(value):
            # Text keeps the digits that a float would round.
            digits = node.text if isinstance(node, Scalar) else ""
            return int(digits) if digits.lstrip("+-").isdigit() else int(value)
        findings.unwanted(node, path, "a whole number")
    return 1


def _truth(node: Node, path: Path, findings: Findings) -> bool:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    findings.unwanted(node, path, "true or false")
    return False


def _date(node: Node, path: Path, findings: Findings) -> dt.date:
    parts = _DATE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if parts is None:
        hint = ""
        if isinstance(node, Scalar) and _DATE.match(node.text):
            hint = "times of day and time zones are not read"
        findings.unwanted(node, path, "a date, YYYY-MM-DD", hint)
        return dt.date(2000, 1, 1)
    year, month, day = (int(part) for part in parts.groups())
    try:
        date = dt.date(year, month, day)
    except ValueError:
        findings.unwanted(node, path, "a date that exists")
        return dt.date(2000, 1, 1)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        findings.unwanted(node, path, f"a date from {FIRST_YEAR} to {LAST_YEAR}")
        return dt.date(2000, 1, 1)
    return date


def _quantity(node: Node, path: Path, findings: Findings) -> Quantity:
    if isinstance(node, Scalar) and isinstance(node.value, float):
        return _finite(node, node.value, path, findings)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        findings.unwanted(node, path, "a number or an expression")
        return 1.0
    hint = number_hint(node.text, quoted=node.quoted)
    if hint:
        findings.unwanted(node, path, "a number", hint)
        return 1.0
    findings.expressions[path] = node.text
    return node.text


_SCALARS: dict[Any, Fitter] = {
    str: _text,
    float: _number,
    int: _whole,
    bool: _truth,
    dt.date: _date,
}


def _union_members(wanted: Any) -> tuple[Any, ...]:
    """Return the members of a union, those of unions inside it included."""
    if get_origin(wanted) in {Union, types.UnionType}:
        return tuple(inner for member in get_args(wanted) for inner in _union_members(member))
    return (wanted,)


@functools.cache
def fitter(wanted: Any) -> Fitter:
    """Return the function that makes a node what a type of the schema wants."""
    makers: dict[Any, Callable[[], Fitter]] = {
        Annotated: lambda: fitter(get_args(wanted)[0]),
        Union: lambda: _union(_union_members(wanted)),
        types.UnionType: lambda: _union(_union_members(wanted)),
        Literal: lambda: _choice(get_args(wanted)),
        dict: lambda: _dictionary(get_args(wanted)[1]),
        tuple: lambda: _list(get_args(wanted)),
    }
    origin = get_origin(wanted)
    if origin in makers:
        return makers[origin]()
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return _Model(wanted)
    return _SCALARS[wanted]


def _choice(choices: tuple[Any, ...]) -> Fitter:
    names = [str(choice) for choice in choices]

    def fit(node: Node, path: Path, findings: Findings) -> Any:
        met = node.value if isinstance(node, Scalar) else None
        if met in choices and not isinstance(met, bool):
            return choices[choices.index(met)]
        hint = near(met, names) if isinstance(met, str) else ""
        if isinstance(met, str) and met in names:
            hint = "remove the quotes"
        if isinstance(met, float) and choices == (1,) and met > 1:
            hint = "the file needs a newer simlib"
        findings.unwanted(node, path, " or ".join(names), hint)
        return choices[0]

    return fit


def _dictionary(wanted: Any) -> Fitter:
    inner = fitter(wanted)

    def fit(node: Node, path: Path, findings: Findings) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            findings.unwanted(node, path, "a mapping")
            return {}
        return {key: inner(item, (*path, key), findings) for key, item in node.items.items()}

    return fit


def _list(members: tuple[Any, ...]) -> Fitter:
    length = None if members[-1] is Ellipsis else len(members)
    inner = fitter(members[0])

    def stand_ins() -> tuple[Any, ...]:
        return tuple(inner(_NOTHING, (), Findings()) for _ in range(length or 0))

    def fit(node: Node, path: Path, findings: Findings) -> tuple[Any, ...]:
        if not isinstance(node, Sequence):
            findings.unwanted(node, path, "a list")
            return stand_ins()
        if length is not None and len(node.items) != length:
            findings.add(node, path, f"must have {length} items (got {len(node.items)})")
            return stand_ins()
        return tuple(inner(item, (*path, i), findings) for i, item in enumerate(node.items))

    return fit


def _union(members: tuple[Any, ...]) -> Fitter:
    """Return the fitter of a union: the kind of node decides which member is meant."""
    plain = {get_args(m)[0] if get_origin(m) is Annotated else m for m in members}
    models = [m for m in members if isinstance(m, type) and issubclass(m, BaseModel)]
    listing = next((fitter(m) for m in members if get_origin(m) is tuple), None)
    table = next((fitter(m) for m in members if get_origin(m) is dict), None)
    optional = type(None) in members
    if models:
        # A single model is told by its first key only where it must have that key.
        first = next(iter(models[0].model_fields.values()))
        is_certain = len(models) == 1 and not first.is_required()
        table = fitter(models[0]) if is_certain else _one_of(models)
    scalar = next((_SCALARS[m] for m in plain if m in _SCALARS), None)
    if float in plain and str in plain:
        scalar = _quantity
    literal = next((m for m in members if get_origin(m) is Literal), None)
    words = frozenset(get_args(literal))
    if literal and not scalar:
        scalar = fitter(literal)

    def fit(node: Node, path: Path, findings: Findings) -> Any:
        if isinstance(node, Scalar) and optional and node.value is None and not node.quoted:
            return None
        if isinstance(node, Scalar) and node.value in words:
            return node.value
        if isinstance(node, Sequence) and listing:
            return listing(node, path, findings)
        if isinstance(node, Mapping) and table:
            return table(node, path, findings)
        chosen = scalar or table or listing
        assert chosen is not None  # noqa: S101
        return chosen(node, path, findings)

    return fit


def kind_keys(models: list[type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """Return the key that tells each model of a union: the name of its first field."""
    return {next(iter(model.model_fields)): model for model in models}


def _one_of(models: list[type[BaseModel]]) -> Fitter:
    kinds = kind_keys(models)

    def fit(node: Node, path: Path, findings: Findings) -> Any:
        if not isinstance(node, Mapping):
            findings.unwanted(node, path, "a mapping")
            return None
        found = [key for key in kinds if key in node.items]
        if len(found) == 1:
            return fitter(kinds[found[0]])(node, path, findings)
        got = ", ".join(found or node.items) or "no key"
        rule = f"must have exactly one of {', '.join(kinds)} (got {shown(got)[1:-1]})"
        findings.add(node, path, rule)
        return None

    return fit


class _Model:
    """Fits a mapping to one model."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self._fields: dict[str, Fitter] | None = None
        self._required: dict[str, Any] = {}

    def _prepare(self) -> dict[str, Fitter]:
        fields: dict[str, Fitter] = {}
        for name, info in self._model.model_fields.items():
            key = info.alias or name
            wanted: Any = info.annotation
            fields[key] = fitter(wanted)
            if info.is_required():
                self._required[key] = wanted
        self._fields = fields
        return fields

    def __call__(self, node: Node, path: Path, findings: Findings) -> Any:
        fields = self._fields or self._prepare()
        if not isinstance(node, Mapping):
            findings.unwanted(node, path, "a mapping")
            return self._model.model_construct(**self._stand_ins({}))
        values = {}
        for key, item in node.items.items():
            if key in fields:
                values[key] = fields[key](item, (*path, key), findings)
            else:
                self._refuse(node, key, path, findings)
        for key in self._required:
            if key not in values:
                findings.add(node, (*path, key), "must be given")
        return self._validated(node, path, values, findings)

    def _refuse(self, node: Mapping, key: str, path: Path, findings: Findings) -> None:
        allowed = {*(self._fields or {}), *(() if path else ("extends",))}
        hint = near_or_all(key, allowed, "allowed") if findings.spare() else ""
        rule = f"unknown key (got {shown(key)})"
        findings.note(problem_at(node.keys[key], path, rule, hint), (*path, key))

    def _stand_ins(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return values with something of the right kind for each that is missing."""
        missing = {
            key: fitter(wanted)(_NOTHING, (), Findings())
            for key, wanted in self._required.items()
            if key not in values
        }
        return {**values, **missing}

    def _validated(
        self, node: Mapping, path: Path, values: dict[str, Any], findings: Findings
    ) -> BaseModel:
        try:
            return self._model.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                _translate(node, path, detail, findings)
            return self._model.model_construct(**self._stand_ins(values))


_NOTHING = mapping({}, {}, Mark())

_BOUNDS = {
    "greater_than_equal": (">=", "ge"),
    "greater_than": (">", "gt"),
    "less_than_equal": ("<=", "le"),
    "less_than": ("<", "lt"),
}


def _translate(root: Mapping, path: Path, detail: Any, findings: Findings) -> None:
    """Note what a model says in our words; what fitting has said already is left out."""
    node: Node = root
    mark = root.mark
    inner: Path = ()
    for step in detail["loc"]:
        if isinstance(node, Mapping) and step in node.items:
            mark, node = node.keys[step], node.items[step]
            inner = (*inner, step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            inner = (*inner, step)
    whole = (*path, *inner)
    if len(findings.problems) >= MOST_PROBLEMS:
        return
    if findings.is_under_broken(whole):
        return
    kind = str(detail["type"])
    if detail["loc"][-1] == "[key]":
        rule = f"{NAME_RULE} (got {shown(str(inner[-1]))})"
        findings.note(problem_at(mark, path + inner[:-1], rule), whole)
    elif kind in _BOUNDS:
        sign, bound = _BOUNDS[kind]
        got = node.text if isinstance(node, Scalar) else ""
        limit = f"{detail['ctx'][bound]:.15g}" if sign != "<" else str(detail["ctx"][bound])
        findings.add(node, whole, f"must be {sign} {limit} (got {bare(got)})")
    elif kind in {"string_pattern_mismatch", "string_too_long"}:
        findings.add(node, whole, f"{NAME_RULE} (got {describe(node)})")
    elif whole not in findings.above_broken:
        rule = f"{bare(str(detail['msg']).lower())} (got {describe(node)})"
        findings.add(node, whole, rule)
