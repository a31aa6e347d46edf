"""Short forms, written out: totals with shares, countries, and borders from a file.

``{total: stock, shares: {North: 0.6, South: 0.4}}`` stands for a number at each place.
Shares may be those of a Dirichlet parameter, whose parts are places in lower case. A list adds
up what its entries give to each place, and a country stands for each of its places.

Where neighbors are named by a GeoJSON file of areas, those that share a border are neighbors.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, TypeAlias

from simlib.errors import ScenarioError
from simlib.files import read_regular
from simlib.scenario.expressions import ExpressionError, names
from simlib.scenario.nodes import (
    MOST_NODES,
    FileMark,
    Mapping,
    Node,
    Path,
    Scalar,
    Sequence,
    core_value,
    mapping,
    problem_at,
    sequence,
)
from simlib.scenario.wording import listed, near_or_all, shown
from simlib.scenario.yaml_text import MOST_BYTES

if TYPE_CHECKING:
    from simlib.scenario.fitting import ProblemLog

SHORT = ("total", "shares", "of")
ROUNDING = 1e-6
"""By which shares may miss a sum of 1."""
MOST_AREAS = 300
"""Most areas that are compared with one another."""
LEAST_POINTS = 2
"""Areas that meet in one point have no border in common."""

_Numbers: TypeAlias = dict[str, tuple[Node, FileMark]]
"""What stands for each place, and where that was said."""
_Change: TypeAlias = Callable[[Mapping, Path], Mapping]


def written_by_place(tree: Mapping, log: ProblemLog) -> Mapping:
    """A tree in which levels of incidents, starts of state and references stand by place."""
    forms = _ShortForms(tree, log)
    over = {name: _text(variable, "over") for name, variable in _items(tree, "state").items()}

    def reference(factor: Mapping, path: Path) -> Mapping:
        return forms.written(factor, "reference", path, over.get(_text(factor, "power"), ""))

    def mark(given: Mapping, path: Path) -> Mapping:
        return _each(given, "factors", path, reference)

    def level(group: Mapping, path: Path) -> Mapping:
        group = _each(_each(group, "factors", path, reference), "marks", path, mark)
        return forms.written(group, "level", path, "governorate")

    def start(variable: Mapping, path: Path) -> Mapping:
        return forms.written(variable, "start", path, _text(variable, "over"))

    def groups(incident: Mapping, path: Path) -> Mapping:
        return _each(incident, "groups", path, level)

    return _each(_each(tree, "incidents", (), groups), "state", (), start)


def _each(node: Mapping, key: str, path: Path, change: _Change) -> Mapping:
    """A node with every mapping below one of its keys changed."""
    inner = node.items.get(key)
    if not isinstance(inner, Mapping):
        return node
    items = {
        name: change(item, (*path, key, name)) if isinstance(item, Mapping) else item
        for name, item in inner.items.items()
    }
    return node.replaced(key, inner._replace(items=items))


class _ShortForms:
    """What short forms are written out with: places, countries and Dirichlet parameters."""

    def __init__(self, tree: Mapping, log: ProblemLog) -> None:
        self._log = log
        self._places = _items(tree, "places")
        self._of_country: dict[tuple[str, str], list[str]] = defaultdict(list)
        for place, node in self._places.items():
            home = _text(node, "country"), _text(node, "kind") or "governorate"
            self._of_country[home].append(place)
        self._weights = {
            name: [*_items(node, "distribution", "dirichlet")]
            for name, node in _items(tree, "parameters").items()
        }
        self._values = {
            value
            for name, parts in self._weights.items()
            for value in [f"{name}.{part}" for part in parts] or [name]
        }
        self._n_left = MOST_NODES

    def written(self, owner: Mapping, key: str, path: Path, kind: str) -> Mapping:
        """A node with the numbers by place below a key written out.

        A country stands for its places of a `kind`.
        """
        node, path = owner.items.get(key), (*path, key)
        if isinstance(node, Sequence) and node.items:
            numbers: _Numbers = {}
            for i, entry in enumerate(node.items):
                if not isinstance(entry, Mapping):
                    self._log.unwanted(entry, (*path, i), "a mapping")
                    continue
                for place, (number, mark) in self._numbers(entry, (*path, i), kind).items():
                    numbers[place] = _sum(numbers.get(place), number, mark)
        elif isinstance(node, Mapping) and not node.items.keys() <= self._places.keys():
            numbers = self._numbers(node, path, kind)
        else:
            return owner
        if path in self._log.above_broken:
            self._log.broken.add(path)
        self._n_left -= len(numbers)
        if self._n_left < 0:
            rule = f"must give at most {MOST_NODES} numbers by place, short forms written out"
            raise ScenarioError([problem_at(node.mark, path, rule)])
        items = {place: number for place, (number, _) in numbers.items()}
        keys = {place: mark for place, (_, mark) in numbers.items()}
        return owner.replaced(key, mapping(items, keys, node.mark))

    def _numbers(self, node: Mapping, path: Path, kind: str) -> _Numbers:
        """Numbers by place: what is said of a place goes before what a country says."""
        own = {key: item for key, item in node.items.items() if key not in SHORT}
        numbers = self._shared(node, path) if len(own) < len(node.items) else {}
        countries = {
            key: self._of_country[key, kind]
            for key in own
            if key not in self._places and (key, kind) in self._of_country
        }
        for key, places in countries.items():
            numbers.update(dict.fromkeys(places, (own[key], node.keys[key])))
        numbers.update({key: (own[key], node.keys[key]) for key in own if key not in countries})
        return numbers

    def _shared(self, node: Mapping, path: Path) -> _Numbers:
        """Each place's part of a total."""
        for key in ("total", "shares"):
            if key not in node.items:
                self._log.add(node, path, f"must have both total and shares (lacks {key})")
                return {}
        total = self._quantity(node, "total", path)
        of = self._quantity(node, "of", path) if "of" in node.items else None
        shares = node.items["shares"]
        if total is None or ("of" in node.items and of is None):
            return {}
        over = f" / {_in_brackets(of, '+-*/')}" if of else ""
        if isinstance(shares, Scalar):
            parts = self._parts(shares, (*path, "shares"))
            texts = {p: f"{total} * {shares.text}.{part}{over}" for p, part in parts.items()}
            marks = dict.fromkeys(texts, shares.mark)
        elif isinstance(shares, Mapping):
            if of is None:
                self._check_sum(shares, (*path, "shares"))
            texts = {
                place: total + over if share == "1" else f"{share} * {total}{over}"
                for place, share in self._given(shares, (*path, "shares")).items()
            }
            marks = shares.keys
        else:
            self._log.unwanted(shares, (*path, "shares"), "shares by place or a name of them")
            return {}
        return {
            p: (Scalar(text, core_value(text), marks[p]), marks[p]) for p, text in texts.items()
        }

    def _quantity(self, node: Mapping, key: str, path: Path) -> str | None:
        """An expression that may be multiplied, unless it is none."""
        given, path = node.items[key], (*path, key)
        if not isinstance(given, Scalar) or isinstance(given.value, bool) or given.value is None:
            self._log.unwanted(given, path, "a number or an expression")
            return None
        if isinstance(given.value, str):
            try:
                unknown = sorted(names(given.text) - self._values)
            except ExpressionError as error:
                self._log.add(given, path, str(error), error.hint)
                return None
            for name in unknown:
                hint = near_or_all(name, self._values)
                self._log.add(given, path, f"undefined parameter (got {shown(name)})", hint)
            if unknown:
                return None
        return _in_brackets(given.text, "+-")

    def _parts(self, shares: Scalar, path: Path) -> dict[str, str]:
        """The part of a Dirichlet parameter by place."""
        parts = self._weights.get(shares.text, [])
        if not parts:
            hint = near_or_all(shares.text, [name for name, of in self._weights.items() if of])
            self._log.unwanted(shares, path, "the name of a Dirichlet parameter", hint)
        places = {_as_part(place): place for place in self._places}
        homeless = [part for part in parts if part not in places]
        if homeless:
            rule = f"parts of {shares.text} must be places in lower case (got {listed(homeless)})"
            self._log.add(shares, path, rule)
            return {}
        return {places[part]: part for part in parts}

    def _given(self, shares: Mapping, path: Path) -> dict[str, str]:
        """Shares as they are written."""
        given = {}
        for place, share in shares.items.items():
            if isinstance(share, Scalar) and isinstance(share.value, float):
                given[place] = share.text
            else:
                self._log.unwanted(share, (*path, place), "a number")
        return given

    def _check_sum(self, shares: Mapping, path: Path) -> None:
        numbers = [item.value for item in shares.items.values() if isinstance(item, Scalar)]
        total = math.fsum(value for value in numbers if isinstance(value, float))
        if abs(total - 1.0) > ROUNDING:
            rule = f"shares must sum to 1 (got {total:.10g})"
            self._log.add(shares, path, rule, "give 'of' where they are out of another number")


def _items(node: Node | None, *keys: str) -> dict[str, Node]:
    """The entries below some keys, one in the other; none where no mapping stands."""
    for key in keys:
        node = node.items.get(key) if isinstance(node, Mapping) else None
    return node.items if isinstance(node, Mapping) else {}


def _text(node: Node, key: str) -> str:
    item = _items(node).get(key)
    return item.text if isinstance(item, Scalar) else ""


def _as_part(place: str) -> str:
    """The name of a place among the parts of a Dirichlet.

    Examples
    --------
    >>> _as_part("Dar es-Salaam")
    'dar_es_salaam'
    """
    return re.sub(r"\W+", "_", place.lower())


def _in_brackets(text: str, operators: str) -> str:
    """An expression in brackets where one of some operators stands outside of any."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in operators:
            return f"({text})"
    return text


def _sum(
    before: tuple[Node, FileMark] | None, number: Node, mark: FileMark
) -> tuple[Node, FileMark]:
    """Add another number to that of a place."""
    if before is None:
        return number, mark
    node, mark = before
    if not isinstance(node, Scalar) or not isinstance(number, Scalar):
        return number, mark
    text = f"{node.text} + {number.text}"
    return Scalar(text, text, mark), mark


def with_neighbors(tree: Mapping, log: ProblemLog) -> Mapping:
    """A tree whose neighbors are pairs, where it names a file of areas.

    The file has areas (``Polygon``, ``MultiPolygon``) with a ``name`` each; where two share a
    border, both have its points. Pairs stand in the order of the file.
    """
    node, path = tree.items.get("neighbors"), ("neighbors",)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return tree
    wanted, file, mark = _governorates(tree), FilePath(node.text), node.mark
    areas: dict[str, set[tuple[float, ...]]] = {}
    data = read_regular(
        file,
        MOST_BYTES,
        refuse=lambda _path, rule: ScenarioError([problem_at(mark, path, rule)]),
    )
    try:
        areas = _areas(json.loads(data), wanted)
    except (ValueError, TypeError, LookupError, RecursionError):
        log.add(node, path, f"must be GeoJSON, areas with names (got {file.name})")
    else:
        lacking = [name for name in wanted if name not in areas]
        if lacking:
            rule = f"must have an area for every governorate (missing: {listed(lacking)})"
            log.add(node, path, rule)
        if len(areas) > MOST_AREAS:
            log.add(node, path, f"must have at most {MOST_AREAS} areas (got {len(areas)})")
            areas = {}
    pairs = [
        sequence([Scalar(name, name, mark) for name in (a, b)], mark)
        for a, b in combinations(areas, 2)
        if len(areas[a] & areas[b]) >= LEAST_POINTS
    ]
    # Neighbors are pairs from here on; maps need the file itself.
    items = {"borders": node, **tree.items, "neighbors": sequence(pairs, mark)}
    return mapping(items, {"borders": mark, **tree.keys}, tree.mark)


def _governorates(tree: Mapping) -> list[str]:
    places = tree.items.get("places")
    if not isinstance(places, Mapping):
        return []
    kinds = {
        name: node.items.get("kind") if isinstance(node, Mapping) else None
        for name, node in places.items.items()
    }
    return [
        name
        for name, kind in kinds.items()
        if kind is None or (isinstance(kind, Scalar) and kind.text == "governorate")
    ]


def _areas(content: Any, wanted: list[str]) -> dict[str, set[tuple[float, ...]]]:
    """The points of the areas that are wanted, in the order of the file."""
    found, names = {}, set(wanted)
    for feature in content["features"]:
        name, shape = feature["properties"]["name"], feature["geometry"]
        if name in names:
            polygons = shape["coordinates"]
            if shape["type"] == "Polygon":
                polygons = [polygons]
            rings = [ring for polygon in polygons for ring in polygon]
            found[name] = {tuple(point) for ring in rings for point in ring}
    return found
