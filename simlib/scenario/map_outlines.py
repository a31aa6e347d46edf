"""What maps are drawn with: the areas of places, from the file of borders that a scenario names.

Bases and segments have no place of their own in the file: they go by their governorates.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from simlib.errors import Problem, ScenarioError
from simlib.files import read_regular
from simlib.scenario.yaml_text import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.scenario.schema import Scenario

TOLERANCE = 0.02
"""In degrees: outlines leave out what is less, about two kilometres."""


def map_of(scenario: Scenario) -> dict[str, Any] | None:
    """What maps of a scenario's results need, as JSON can say it; none where it has no borders.

    ``areas`` has polygons (an outer ring and its holes each) and where a name stands, by
    governorate; ``bases`` and ``segments`` their governorates; ``where`` the places in which
    incidents of each type may happen; ``states`` what maps of state variables are called;
    ``source`` what the file says of itself.

    Raises
    ------
    ScenarioError
        The file of borders cannot be read.
    """
    if scenario.borders is None:
        return None
    places = scenario.places
    wanted = {name for name, place in places.items() if place.kind == "governorate"}
    source, areas = _read(Path(scenario.borders), wanted)
    return {
        "source": source,
        "areas": areas,
        "bases": {name: place.within for name, place in places.items() if place.within},
        "segments": {name: list(place.ends) for name, place in places.items() if place.ends},
        "where": {
            name: sorted({place for group in each.groups.values() for place in group.level})
            for name, each in scenario.incidents.items()
        },
        "states": {name: each.map for name, each in scenario.state.items() if each.map},
    }


def _read(file: Path, wanted: set[str]) -> tuple[str, dict[str, Any]]:
    def refused(_path: Path, rule: str) -> ScenarioError:
        return ScenarioError([Problem("borders", f"{file.name}: {rule}")])

    data = read_regular(file, MOST_BYTES, refuse=refused)
    try:
        content = json.loads(data)
        if drawn := content.get("map"):  # the manifest of results, which has drawn them already
            return drawn["source"], {n: each for n, each in drawn["areas"].items() if n in wanted}
        features = {each["properties"]["name"]: each for each in content["features"]}
        found = {name: _polygons(features[name]) for name in features if name in wanted}
        borders = _Borders(found)
        areas = {
            name: {
                "polygons": [list(map(borders.simplified, each)) for each in polygons],
                "label": _label(features[name]["properties"], polygons),
            }
            for name, polygons in found.items()
        }
        return str(content.get("source", "")), areas
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise refused(file, "must be GeoJSON, areas with names") from error


_Point: TypeAlias = tuple[float, float]
_Ring: TypeAlias = list[_Point]


def _polygons(feature: dict[str, Any]) -> list[list[_Ring]]:
    shape = feature["geometry"]
    polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    return [[[(float(x), float(y)) for x, y, *_ in r] for r in each] for each in polygons]


def _label(properties: dict[str, Any], polygons: list[list[_Ring]]) -> _Point:
    """Where the name stands: as the file says, or amid the longest outer ring."""
    if "label" in properties:
        x, y = properties["label"]
        return float(x), float(y)
    outer = max((polygon[0] for polygon in polygons), key=len)
    across, up = zip(*outer, strict=True)
    return (min(across) + max(across)) / 2, (min(up) + max(up)) / 2


class _Borders:
    """Leaves out points of a border alike on both of its sides, so that no gap opens."""

    def __init__(self, areas: Mapping[str, list[list[_Ring]]]) -> None:
        self._areas_at: dict[_Point, set[str]] = defaultdict(set)
        for name, polygons in areas.items():
            for point in (point for rings in polygons for ring in rings for point in ring):
                self._areas_at[point].add(name)

    def simplified(self, ring: _Ring) -> _Ring:
        """A ring, closed, without the points that its borders can do without."""
        points = ring[:-1] if ring[0] == ring[-1] else ring
        n = len(points)
        # A border runs between points at which other areas begin or cease to meet.
        ends = [i for i in range(n) if self._is_end(points[i - 1], points[i], points[(i + 1) % n])]
        # An island has none: two of its points stand for them, whichever the file begins with.
        ends = ends or sorted({points.index(min(points)), points.index(max(points))})
        stops = zip(ends, [*ends[1:], ends[0] + n], strict=True)
        borders = [[points[i % n] for i in range(first, last + 1)] for first, last in stops]
        return [point for border in borders for point in _thinned(border)[:-1]] + [points[ends[0]]]

    def _is_end(self, before: _Point, point: _Point, after: _Point) -> bool:
        here = self._areas_at[point]
        return not (here <= self._areas_at[before] and here <= self._areas_at[after])


def _thinned(border: _Ring) -> _Ring:
    """A border without the points that lie within the tolerance (Douglas and Peucker 1973).

    It is walked from the lesser end, so that both sides come out the same.
    """
    if border[0] > border[-1]:
        return _thinned(border[::-1])[::-1]
    if len(border) < 3:
        return border
    (x0, y0), (x1, y1) = border[0], border[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    off = [
        abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length
        if length
        else math.hypot(x - x0, y - y0)
        for x, y in border[1:-1]
    ]
    if max(off) <= TOLERANCE:
        return [border[0], border[-1]]
    farthest = off.index(max(off)) + 1
    return _thinned(border[: farthest + 1])[:-1] + _thinned(border[farthest:])
