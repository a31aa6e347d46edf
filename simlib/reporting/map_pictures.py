"""Maps of a report: outlines that stand in the page once, coloured anew for each picture."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from simlib.errors import StoreError
from simlib.plot.atlas import atlas
from simlib.plot.map_values import in_windows, incident_types, mapped_states, whole
from simlib.plot.place_maps import CHANGES, scale_of, windows_by
from simlib.reporting.plain_text import plain
from simlib.reporting.small_svg import WIDTH, text
from simlib.scenario.spelling import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simlib.ensemble import Ensemble
    from simlib.plot.atlas import Atlas
    from simlib.plot.map_values import MapValues, Show
    from simlib.plot.place_maps import Scale

_N_AMOUNTS, _N_CHANGES = 5, 3
"""Colours of amounts above 0, and of changes to each side of it: even on the scale of maps."""
_RARE = 1.0
"""Where no place expects so many incidents in all, the map shows the chance of one or more."""
MOST_NAMED = 5
_MOST_LETTERS = 6
_MOST_HELD = 50_000
"""Replications times windows whose counts are held at once."""


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """A map with what it is of, what it shows, and the places with most in words."""

    title: str
    note: str
    most: str
    svg: Markup
    """Empty where nothing changes beyond chance."""


@dataclass(frozen=True, slots=True)
class MapSheet:
    """The maps of a type of incidents or a state: of the first option, and what others change."""

    anchor: str
    label: str
    drawings: tuple[MapDrawing, ...]
    unit: str
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    """By place the number under the first option and the change under each other."""
    quarters: tuple[MapDrawing, ...]
    """Of the first option, all on one scale."""
    key: Markup
    """What their colours mean."""


@dataclass(frozen=True, slots=True)
class Maps:
    """All maps, and the outlines that they have in common."""

    outlines: Markup
    sheets: Mapping[str, tuple[MapSheet, ...]]
    """By what they are of: incidents, and states."""
    why_no_states: str
    """Why states are not drawn, though the scenario has them mapped; empty where they are."""


def maps_of(
    parts: Mapping[str, Ensemble], names: Mapping[str, str], first_kinds: Sequence[str]
) -> Maps | None:
    """Draw where incidents of each type happen and how states stand, and what each option changes.

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
    first = next(iter(parts.values()))
    if not first.manifest.get("map", {}).get("areas"):
        return None
    paper = _Paper(atlas(first))
    types = incident_types(first)
    kinds = dict.fromkeys([*(kind for kind in first_kinds if kind in types), *types])
    shows = {kind: show for kind in kinds for show in [_shown(first, kind)] if show is not None}
    quarters = _by_quarter(first, shows)
    sheets = [
        paper.sheet(f"m-{i}", words(kind), _under_each(parts, kind, show), names, quarters[kind])
        for i, (kind, show) in enumerate(shows.items())
    ]
    states: list[MapSheet] = []
    why = ""
    try:
        for name, label in mapped_states(first).items():
            found, of = _under_each(parts, name, "month"), _by_quarter(first, {name: "month"})
            states.append(paper.sheet(f"s-{len(states)}", label, found, names, of[name]))
    except StoreError as error:  # what is replayed must be what was simulated
        why, states = str(error), []
    by_what = {"Incidents": tuple(sheets), "How it stands": tuple(states)}
    return Maps(paper.outlines(), {what: each for what, each in by_what.items() if each}, why)


def _under_each(parts: Mapping[str, Ensemble], what: str, show: Show) -> list[MapValues]:
    """What the map of all months shows under the first option, and what others change."""
    first, *others = parts.values()
    window = [whole(first)]
    found = in_windows(first, what, window, show)
    return found + [in_windows(other, what, window, show, first)[0] for other in others]


def _by_quarter(ensemble: Ensemble, shows: Mapping[str, Show]) -> dict[str, dict[str, MapValues]]:
    """What the map of each quarter shows, by what is shown and the quarter's name."""
    windows = list(windows_by(ensemble, "quarter").items())
    size = max(1, _MOST_HELD // max(1, len(ensemble.replications)))
    found: dict[str, dict[str, MapValues]] = {what: {} for what in shows}
    for start in range(0, len(windows), size):
        some = dict(windows[start : start + size])
        for what, show in shows.items():
            values = in_windows(ensemble, what, list(some.values()), show)
            found[what] |= dict(zip(some, values, strict=True))
    return found


def _shown(ensemble: Ensemble, kind: str) -> Show | None:
    """Incidents per month, or where they are rare the chance of any; nothing where none is."""
    (total,) = in_windows(ensemble, kind, [whole(ensemble)], "total")
    most = max(total.values.values(), default=0.0)
    return None if not most else 1 if most < _RARE else "month"


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
            Markup('<path id="{}" d="{}" class="o"/>').format(
                f"a{i}",
                "".join(self._ring(ring) for polygon in area["polygons"] for ring in polygon),
            )
            for i, area in enumerate(self.atlas.areas.values())
        ]
        borders = "".join(self._line(points) for points in self.atlas.borders())
        shapes.append(Markup('<path id="borders" d="{}" class="o"/>').format(borders))
        return Markup('<svg class="outlines" aria-hidden="true"><defs>{}</defs></svg>').format(
            Markup().join(shapes)
        )

    def sheet(
        self,
        anchor: str,
        label: str,
        found: Sequence[MapValues],
        names: Mapping[str, str],
        quarters: Mapping[str, MapValues],
    ) -> MapSheet:
        """The maps of all options and quarters."""
        # Changes are compared with each other, quarters too: they have one scale.
        changed = scale_of([each for each in found[1:] if each.clear] or found)
        scales = [scale_of(found[:1]), *[changed for _ in found[1:]]]
        drawings = tuple(map(self.drawing, found, names.values(), scales))
        scale = scale_of(list(quarters.values()))
        small = tuple(self._small(each, name, scale) for name, each in quarters.items())
        told = label[:1].upper() + label[1:]
        key = _key(scale, 0.0)
        drawn = Markup('<svg class="map" viewBox="0 0 {} 34" aria-hidden="true">{}</svg>')
        return MapSheet(
            anchor, told, drawings, found[0].unit, _rows(found), small,
            drawn.format(f"{WIDTH:.0f}", Markup().join(key)),
        )  # fmt: skip

    def _ring(self, points: Sequence[Sequence[float]]) -> str:
        return f"{self._line(points[:-1])}z"

    def _line(self, points: Sequence[Sequence[float]]) -> str:
        places = [place for place, _ in itertools.groupby(map(self.at, points))]
        return "M" + "L".join(places)

    def drawing(self, found: MapValues, title: str, scale: Scale) -> MapDrawing:
        """A map of one option, or of a change, with what its colours mean."""
        note = found.note.partition("; named")[0]
        if found.is_change:
            title = f"{title}: the change"
            if not found.clear:
                # Chance alone would fill its scale.
                is_same = not any(found.values.values())
                told = "nothing changes anywhere" if is_same else "no place changes beyond chance"
                return MapDrawing(title, note, told, Markup())
        off = [name for name in self.atlas.areas if name not in found.values]
        shapes = [self._areas("none", off), *self._shapes(found, scale, 6)]
        shapes += [
            Markup('<path d="{}" class="clear"/>').format(f"M{self.at(point)}m-2.5 0h5m-2.5-2.5v5")
            for name in sorted(found.clear)
            for point in [self._middle(name)]
            if point is not None
        ]
        shapes += _key(scale, self.height)
        told = _told(found)
        return MapDrawing(
            title, note, told,
            self._map(shapes, 34.0, f"{title}: {found.unit}; {told}"),
        )  # fmt: skip

    def _small(self, found: MapValues, title: str, scale: Scale) -> MapDrawing:
        told = _told(found)
        return MapDrawing(
            title, found.note, told,
            self._map(self._shapes(found, scale, 11), 0.0, f"{title}: {told}"),
        )  # fmt: skip

    def _map(self, shapes: Sequence[Markup], below: float, about: str) -> Markup:
        size = f"0 0 {WIDTH:.0f} {self.height + below:.0f}"
        drawn = Markup('<svg class="map" viewBox="{}" role="img" aria-label="{}">{}</svg>')
        return drawn.format(size, plain(about), Markup().join(shapes))

    def _shapes(self, found: MapValues, scale: Scale, r: int) -> list[Markup]:
        """Areas by colour, borders, and the segments and bases that have a number."""
        colors = {name: _color(scale, value) for name, value in found.values.items()}
        shapes = [
            self._areas(color, [name for name in self.atlas.areas if colors.get(name) == color])
            for color in dict.fromkeys(colors.values())
        ]
        shapes.append(Markup('<use href="#borders" class="border"/>'))
        for name in self.atlas.given["segments"]:
            if name in colors:
                d = "".join(self._line(points) for points in self.atlas.segment(name))
                shapes += [Markup('<path d="{}" class="segment {}"/>').format(d, kind)
                           for kind in ("under", colors[name])]  # fmt: skip
        for name, point in self.atlas.bases.items():
            if name in colors:
                d = f"M{self.at(point)}m0-{r}l{r} {r}l-{r} {r}l-{r}-{r}z"
                shapes.append(Markup('<path d="{}" class="base {}"/>').format(d, colors[name]))
        return shapes

    def _areas(self, color: str, names: Sequence[str]) -> Markup:
        indices = [i for i, name in enumerate(self.atlas.areas) if name in set(names)]
        uses = Markup().join(Markup('<use href="#a{}"/>').format(i) for i in indices)
        return Markup('<g class="area {}">{}</g>').format(color, uses) if indices else Markup()

    def _middle(self, place: str) -> Sequence[float] | None:
        """Where the number of an area or a base stands; segments have none."""
        if place in self.atlas.areas:
            return self.atlas.middle(place)
        return self.atlas.bases.get(place)


def _color(scale: Scale, value: float) -> str:
    """The class of a number: q0 to q5 for amounts, n3 to p3 for changes."""
    share = float(scale.norm(value))
    # Rounding must lift no number above the colour whose end it is.
    if scale.colors is not CHANGES:
        return f"q{math.ceil(_N_AMOUNTS * share - 1e-9)}"
    side = 2.0 * share - 1.0
    sign = "p" if side > 0.0 else "n" if side < 0.0 else "z"
    return f"{sign}{math.ceil(_N_CHANGES * abs(side) - 1e-9)}"


def _key(scale: Scale, top: float) -> list[Markup]:
    """What each colour means: its upper end, or of a change its end that is farther from 0."""
    if scale.colors is CHANGES:
        shares = [0.5 + i / (2 * _N_CHANGES) for i in range(-_N_CHANGES, _N_CHANGES + 1)]
    else:
        shares = [i / _N_AMOUNTS for i in range(_N_AMOUNTS + 1)]
    width = WIDTH / len(shares)
    ends = [float(scale.norm.inverse(share)) for share in shares]
    texts = [_short(end, is_signed=scale.colors is CHANGES) for end in ends]
    # Where numbers are long those between the ends and the middle would touch.
    apart = _N_CHANGES if max(map(len, texts)) > _MOST_LETTERS and len(ends) % 2 else 1
    shapes = []
    for i, end in enumerate(ends):
        d = f"M{i * width:.0f} {top + 8:.0f}h{width - 2:.0f}v8h-{width - 2:.0f}z"
        shapes.append(Markup('<path d="{}" class="area {}"/>').format(d, _color(scale, end)))
        if i % apart == 0:
            shapes.append(text(i * width + width / 2, top + 29, texts[i], "t m"))
    return shapes


def _told(found: MapValues) -> str:
    """The places with most, or that change most, in words."""
    names = found.clear if found.is_change else [p for p, v in found.values.items() if v]
    ranked = sorted(names, key=lambda place: (-abs(found.values[place]), place))[:MOST_NAMED]
    if not ranked:
        return "no place changes beyond chance" if found.is_change else "none anywhere"
    listed = ", ".join(
        f"{place} {_short(found.values[place], is_signed=found.is_change)}" for place in ranked
    )
    return f"{'clear changes' if found.is_change else 'most'}: {listed}"


def _short(value: float, *, is_signed: bool) -> str:
    """Two digits, as the eye tells colours apart; of a change with its sign."""
    text = f"{abs(float(f'{value:.2g}')):,.10g}"
    sign = "+" if value > 0.0 else "\N{MINUS SIGN}" if value < 0.0 else ""
    return sign + text if is_signed else text
