"""Maps of a report: outlines that stand in the page once, coloured anew for each picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from simlib.plot.atlas import atlas
from simlib.plot.map_values import in_windows, incident_types, whole
from simlib.reporting.plain_text import plain
from simlib.reporting.small_svg import WIDTH, text
from simlib.scenario.spelling import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simlib.ensemble import Ensemble
    from simlib.plot.atlas import Atlas
    from simlib.plot.map_values import MapValues, Show

_STEPS = (0.04, 0.16, 0.36, 0.64, 1.0)
"""Ends of the colours of amounts, as shares of the most: even on a square-root scale, so that
places with few are told from those with none."""
_HALVES = (0.25, 0.5, 1.0)
"""Ends of the colours of changes, to both sides of 0, as shares of the most."""
_RARE = 1.0
"""Where no place expects so many incidents in all, the map shows the chance of one or more."""
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """A map with what it is of, what it shows, and the places with most in words."""

    title: str
    note: str
    most: str
    svg: Markup
    """Empty where nothing changes anywhere."""


@dataclass(frozen=True, slots=True)
class MapSheet:
    """The maps of one type of incidents: one for the first option, a change for each other."""

    anchor: str
    label: str
    drawings: tuple[MapDrawing, ...]
    unit: str
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    """By place the number under the first option and the change under each other."""


@dataclass(frozen=True, slots=True)
class Maps:
    """All maps, and the outlines that they have in common."""

    outlines: Markup
    sheets: tuple[MapSheet, ...]


def maps_of(
    parts: Mapping[str, Ensemble], names: Mapping[str, str], first_kinds: Sequence[str]
) -> Maps | None:
    """Draw where incidents of each type happen, and what each option changes.

    Nothing where the results hold no outlines.

    Parameters
    ----------
    parts
        The results of each option, the one compared with first.
    names
        The options in words.
    first_kinds
        Types of incidents that stand before the others.
    """
    first, *others = parts.values()
    if not first.manifest.get("map", {}).get("areas"):
        return None
    paper = _Paper(atlas(first))
    sheets: list[MapSheet] = []
    kinds = sorted(incident_types(first), key=lambda kind: kind not in first_kinds)
    for kind in kinds:
        show = _shown(first, kind)
        window = [whole(first)]
        found = in_windows(first, kind, window, show)
        if not any(found[0].values.values()):
            continue
        found += [in_windows(other, kind, window, show, first)[0] for other in others]
        titles = [names[option] for option in parts]
        # Changes are compared with each other: they have one scale.
        ends = [_most(found[:1]), *[_most(found[1:])] * len(others)]
        drawings = tuple(map(paper.drawing, found, titles, ends))
        anchor = f"m-{len(sheets)}"
        label = words(kind)
        sheets.append(
            MapSheet(anchor, label[:1].upper() + label[1:], drawings, found[0].unit, _rows(found))
        )
    return Maps(paper.outlines(), tuple(sheets))


def _most(found: Sequence[MapValues]) -> float:
    """The end of a scale that holds all numbers."""
    return max((abs(v) for each in found for v in each.values.values()), default=0.0) or 1.0


def _shown(ensemble: Ensemble, kind: str) -> Show:
    (total,) = in_windows(ensemble, kind, [whole(ensemble)], "total")
    return 1 if max(total.values.values(), default=0.0) < _RARE else "month"


def _rows(found: Sequence[MapValues]) -> tuple[tuple[str, tuple[float | None, ...]], ...]:
    places = sorted(found[0].values, key=lambda place: (-found[0].values[place], place))
    return tuple((place, tuple(each.values.get(place) for each in found)) for place in places)


class _Paper:
    """Outlines in the units of a picture."""

    def __init__(self, given: Atlas) -> None:
        self.atlas = given
        (self._west, east), (south, self._north) = given.spans()
        # A degree to the east is shorter than one to the north.
        self._squeeze = math.cos(math.radians((south + self._north) / 2))
        self._scale = WIDTH / ((east - self._west) * self._squeeze)
        self.height = (self._north - south) * self._scale

    def at(self, point: Sequence[float]) -> str:
        """A point of the map as a place of the picture."""
        x, y = point[0], point[1]
        across = (x - self._west) * self._squeeze * self._scale
        return f"{across:.0f} {(self._north - y) * self._scale:.0f}"

    def outlines(self) -> Markup:
        """Every area once, and the borders of countries, for pictures to use."""
        shapes = [
            Markup('<path id="{}" d="{}"/>').format(
                f"area-{i}",
                "".join(self._ring(ring) for polygon in area["polygons"] for ring in polygon),
            )
            for i, area in enumerate(self.atlas.areas.values())
        ]
        borders = "".join(self._line(points) for points in self.atlas.borders())
        shapes.append(Markup('<path id="borders" d="{}"/>').format(borders))
        return Markup('<svg class="outlines" aria-hidden="true"><defs>{}</defs></svg>').format(
            Markup().join(shapes)
        )

    def _ring(self, points: Sequence[Sequence[float]]) -> str:
        return f"{self._line(points)}z"

    def _line(self, points: Sequence[Sequence[float]]) -> str:
        places = list(dict.fromkeys(map(self.at, points)))
        return "M" + "L".join(places)

    def drawing(self, found: MapValues, title: str, most: float) -> MapDrawing:
        """A map of one option, or of a change, on a scale up to a number."""
        note = found.note.partition("; named")[0]
        if found.is_change:
            title = f"{title}: the change"
            if not any(found.values.values()):
                return MapDrawing(title, note, "nothing changes anywhere", Markup())
        shapes = [self._area(i, name, found, most) for i, name in enumerate(self.atlas.areas)]
        shapes.append(Markup('<use href="#borders" class="border"/>'))
        for name in self.atlas.given["segments"]:
            if name in found.values:
                d = "".join(self._line(points) for points in self.atlas.segment(name))
                shapes += [Markup('<path d="{}" class="segment {}"/>').format(d, kind)
                           for kind in ("under", _color(found, name, most))]  # fmt: skip
        for name, point in self.atlas.bases.items():
            if name in found.values:
                x, y = self.at(point).split()
                d = f"M{x} {y}m0-6l6 6l-6 6l-6-6z"
                shapes.append(Markup('<path d="{}" class="base {}"/>').format(
                    d, _color(found, name, most)))  # fmt: skip
        shapes += [
            Markup('<path d="{}" class="clear"/>').format(f"M{self.at(point)}m-2.5 0h5m-2.5-2.5v5")
            for name in sorted(found.clear)
            for point in [self._middle(name)]
            if point is not None
        ]
        shapes += _key(found, most, self.height)
        told = _told(found)
        size = f"0 0 {WIDTH:.0f} {self.height + 34:.0f}"
        drawn = Markup('<svg class="map" viewBox="{}" role="img" aria-label="{}">{}</svg>')
        about = plain(f"{title}: {found.unit}; {told}")
        return MapDrawing(title, note, told, drawn.format(size, about, Markup().join(shapes)))

    def _area(self, index: int, name: str, found: MapValues, most: float) -> Markup:
        kind = _color(found, name, most) if name in found.values else "none"
        return Markup('<use href="#area-{}" class="area {}"/>').format(index, kind)

    def _middle(self, place: str) -> Sequence[float] | None:
        if place in self.atlas.areas:
            return self.atlas.middle(place)
        return None


def _color(found: MapValues, place: str, most: float) -> str:
    """The class of a number: q0 to q5 for amounts, n3 to p3 for changes."""
    value = found.values[place]
    size = abs(value) / most
    if not found.is_change:
        return "q0" if not value else f"q{1 + sum(size > step for step in _STEPS[:-1])}"
    if not value:
        return "z0"
    return f"{'p' if value > 0 else 'n'}{1 + sum(size > half for half in _HALVES[:-1])}"


def _key(found: MapValues, most: float, height: float) -> list[Markup]:
    """What each colour means: its upper end, or of a change its end that is farther from 0."""
    if found.is_change:
        halves = [(i, half * most) for i, half in enumerate(_HALVES, start=1)]
        ends = [(f"n{i}", -half) for i, half in halves[::-1]]
        ends += [("z0", 0.0), *((f"p{i}", half) for i, half in halves)]
    else:
        ends = [("q0", 0.0), *((f"q{i}", step * most) for i, step in enumerate(_STEPS, start=1))]
    width = WIDTH / len(ends)
    shapes = []
    for i, (kind, end) in enumerate(ends):
        x = i * width
        d = f"M{x:.0f} {height + 8:.0f}h{width - 2:.0f}v8h-{width - 2:.0f}z"
        shapes.append(Markup('<path d="{}" class="area {}"/>').format(d, kind))
        shapes.append(text(x + width / 2, height + 29, _short(end, found), "t m"))
    return shapes


def _told(found: MapValues) -> str:
    """The places with most, or that change most, in words."""
    names = found.clear if found.is_change else [p for p, v in found.values.items() if v]
    ranked = sorted(names, key=lambda place: (-abs(found.values[place]), place))[:MOST_NAMED]
    if not ranked:
        return "no place changes beyond chance" if found.is_change else "none anywhere"
    listed = ", ".join(f"{place} {_short(found.values[place], found)}" for place in ranked)
    return f"{'clear changes' if found.is_change else 'most'}: {listed}"


def _short(value: float, of: MapValues) -> str:
    """Two digits, as the eye tells colours apart; of a change with its sign."""
    text = f"{abs(float(f'{value:.2g}')):,.10g}"
    sign = "+" if value > 0.0 else "\N{MINUS SIGN}" if value < 0.0 else ""
    return sign + text if of.is_change else text
