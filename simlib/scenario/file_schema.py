"""The JSON Schema of scenario files, for editors: keys, what they mean, and what may stand there.

It says less than `simlib check`: what a file says of one that it extends is told only in part, so
nothing need be given, and names are looked up nowhere.
"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from simlib.scenario import schema
from simlib.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_Schema = dict[str, Any]
_QUANTITY = [{"type": "number"}, {"type": "string"}]
_DROPPED = (
    *("required", "pattern", "propertyNames", "title", "default", "maxLength"),
    "exclusiveMaximum",
)
"""What editors would judge otherwise than simlib: letters of names, what another file gives."""
_BY_PLACE = ("level", "start", "reference", "probability")
"""Keys with numbers by place, which have short forms: totals with shares, countries, sums."""
_OF_FILES: _Schema = {
    "extends": {"type": "string", "description": "The scenario that this one goes on from."},
    "includes": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Files that are parts of this one.",
    },
}
_MOVES: _Schema = {
    "times": {"type": "number", "description": "What is inherited, times this."},
    "add": {"type": "number", "description": "What is inherited, and this."},
}


def file_schema() -> _Schema:
    """The JSON Schema of scenario files, with the descriptions that the models give."""
    whole = Scenario.model_json_schema(by_alias=True)
    defined: dict[str, _Schema] = whole.pop("$defs")
    for name, of in (*defined.items(), ("Scenario", whole)):
        _describe(of, name)
    whole["properties"] |= _OF_FILES
    whole["properties"]["neighbors"] = _or(whole["properties"]["neighbors"], {"type": "string"})
    defined["Parameter"]["properties"] |= _MOVES
    _add_dotted(defined["Option"])
    found: _Schema = _loosened(whole)
    relative = {"type": "object", "properties": _MOVES, "additionalProperties": False}
    found["$defs"] = {name: _loosened(of) for name, of in sorted(defined.items())}
    found["$defs"]["Quantity"] = {"anyOf": [*_QUANTITY, relative]}
    return {"$schema": DIALECT, "title": "simlib scenario", **found}


def _or(one: _Schema, other: _Schema) -> _Schema:
    """Either of two, with the description of the first."""
    about = {"description": one["description"]} if "description" in one else {}
    return {"anyOf": [one, other], **about}


def _describe(of: _Schema, name: str) -> None:
    """Say beside each key what its docstring says."""
    said = _docstrings(name)
    for key, value in of["properties"].items():
        text = said.get(key)
        if text:
            value["description"] = text


def _docstrings(model: str) -> dict[str, str]:
    """What stands below the fields of a model and of those it derives from, by alias."""
    found: dict[str, str] = {}
    for base in reversed(getattr(schema, model).__mro__):
        if base.__module__ != schema.__name__:
            continue
        for field, text in _below_fields(base):
            info = getattr(base, "model_fields", {}).get(field)
            found[(info.alias if info else None) or field] = inspect.cleandoc(text)
    return found


def _below_fields(model: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101
    for one, other in zip(body.body, body.body[1:], strict=False):
        match one, other:
            case (
                ast.AnnAssign(target=ast.Name(id=field)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield field, text


def _add_dotted(option: _Schema) -> None:
    """Let an option's keys be dotted: ``timeline.NAME``."""
    option["patternProperties"] = {
        rf"^{key}\..": option["properties"][key]["additionalProperties"]
        if "additionalProperties" in option["properties"][key]
        else next(iter(option["properties"][key]["patternProperties"].values()))
        for key in ("timeline", "parameters", "events")
    }


def _loosened(given: Any, key: str = "") -> Any:
    """A part of the schema without what only the whole scenario decides."""
    if isinstance(given, list):
        return [_loosened(each) for each in given]
    if not isinstance(given, dict):
        return given
    if given.get("anyOf") == _QUANTITY:
        about = {name: given[name] for name in ("description",) if name in given}
        return {"$ref": "#/$defs/Quantity", **about}
    kept = {name: value for name, value in given.items() if name not in _DROPPED}
    if "properties" in given:
        kept["properties"] = {n: _loosened(v, n) for n, v in given["properties"].items()}
    named = kept.pop("patternProperties", None)
    if named is not None and "properties" in given:
        kept["patternProperties"] = {pattern: _loosened(of) for pattern, of in named.items()}
    elif named is not None:
        kept["additionalProperties"] = next(iter(named.values()))
    found = {
        name: value if name in {"properties", "patternProperties"} else _loosened(value)
        for name, value in kept.items()
    }
    if key in _BY_PLACE and "number" in str(given):
        return _or(found, {"type": ["object", "array"]})
    return found
