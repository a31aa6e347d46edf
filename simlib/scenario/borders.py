"""Which places share a border, read from a GeoJSON file of their areas."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.errors import ScenarioError
from simlib.files import read_regular
from simlib.scenario.nodes import Mapping, Scalar, mapping, problem_at, sequence
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from simlib.scenario.fitting import ProblemLog

MOST_BYTES = 1_048_576
"""Largest file of areas that is read."""
MOST_AREAS = 300
"""Most areas that are compared with one another."""
LEAST_POINTS = 2
"""Areas that meet in one point have no border in common."""


def with_neighbors(tree: Mapping, log: ProblemLog) -> Mapping:
    """Return a tree whose neighbors are pairs, where it names a file of areas.

    The file has areas (``Polygon``, ``MultiPolygon``) with a ``name`` each; where two share a
    border, both have its points. Pairs stand in the order of the file.
    """
    node, path = tree.items.get("neighbors"), ("neighbors",)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return tree
    wanted, file, mark = _governorates(tree), Path(node.text), node.mark
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
    return mapping({**tree.items, "neighbors": sequence(pairs, mark)}, tree.keys, tree.mark)


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
    """Return the points of the areas that are wanted, in the order of the file."""
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
