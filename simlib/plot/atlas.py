"""The paper that maps are drawn on: areas, borders, bases and segments of borders."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from simlib.errors import StoreError
from simlib.plot.style import INK, MUTED, RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from matplotlib.axes import Axes

    from simlib.ensemble import Ensemble

    Point = tuple[float, float]
    Edge = tuple[Point, Point]

NO_DATA = "#f7f7f5"
_APART = 0.34
"""Degrees between the bases that stand in one area."""


@dataclass(frozen=True)
class Atlas:
    """Where places are, from the manifest of results."""

    given: dict[str, Any]
    countries: dict[str, str]
    """Place -> country."""

    @property
    def areas(self) -> dict[str, Any]:
        """What is known of each area."""
        return dict(self.given["areas"])

    def middle(self, area: str) -> Point:
        """Where the name of an area stands."""
        x, y = self.given["areas"][area]["label"]
        return x, y

    @cached_property
    def bases(self) -> dict[str, Point]:
        """Where each base is drawn: about the middle of its area, those of one area in a row."""
        inside: dict[str, list[str]] = defaultdict(list)
        for base, area in self.given["bases"].items():
            if area in self.given["areas"]:
                inside[area].append(base)
        found = {}
        for area, bases in inside.items():
            x, y = self.middle(area)
            for i, base in enumerate(bases):
                found[base] = (x + _APART * (i - (len(bases) - 1) / 2), y - 0.22)
        return found

    @cached_property
    def _sides(self) -> dict[Edge, list[str]]:
        """Each edge of an outline with the areas that have it."""
        found: dict[Edge, list[str]] = defaultdict(list)
        for name, area in self.given["areas"].items():
            for ring in (ring for polygon in area["polygons"] for ring in polygon):
                points = [(x, y) for x, y in ring]
                for a, b in itertools.pairwise(points):
                    found[min(a, b), max(a, b)].append(name)
        return found

    def borders(self) -> list[list[Point]]:
        """Lines along what is not between two areas of one country."""
        return _lines(
            edge
            for edge, names in self._sides.items()
            if len({self.countries.get(name) for name in names}) > 1 or len(names) == 1
        )

    def segment(self, name: str) -> list[list[Point]]:
        """Lines along what the two ends of a segment have in common."""
        ends = set(self.given["segments"].get(name, ()))
        return _lines(edge for edge, names in self._sides.items() if ends and ends == set(names))

    def spans(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """West and east, south and north of all areas, with a margin."""
        points = np.array([point for edge in self._sides for point in edge])
        (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
        margin = 0.02 * max(east - west, north - south)
        return (west - margin, east + margin), (south - margin, north + margin)

    @property
    def shape(self) -> float:
        """Height over width of the drawn map."""
        (west, east), (south, north) = self.spans()
        return (north - south) / ((east - west) * self._squeeze)

    @property
    def _squeeze(self) -> float:
        """By how much a degree to the east is shorter than one to the north."""
        south, north = self.spans()[1]
        return math.cos(math.radians((south + north) / 2))

    def frame(self, ax: Axes) -> None:
        """Let axes show all areas in proportion."""
        across, up = self.spans()
        ax.set(xlim=across, ylim=up)
        ax.set_aspect(1.0 / self._squeeze, anchor="W")
        ax.set_axis_off()


def atlas(ensemble: Ensemble) -> Atlas:
    """The atlas of an ensemble's scenario.

    Raises
    ------
    StoreError
        Its results hold no outlines.
    """
    if not ensemble.manifest.get("map", {}).get("areas"):
        raise StoreError(
            f"{ensemble.path}: holds no outlines to draw a map with: its scenario names no file "
            "of borders (neighbors: FILE.geojson, or borders: FILE.geojson), or an earlier "
            "version made it; run it again to add them"
        )
    return Atlas(ensemble.manifest["map"], ensemble.manifest["places"])


def _lines(edges: Iterable[Edge]) -> list[list[Point]]:
    """Edges put together to lines, each as long as it goes."""
    left: dict[Point, set[Point]] = defaultdict(set)
    for a, b in edges:
        left[a].add(b)
        left[b].add(a)
    # Lines that are open begin at an end; what remains runs round.
    starts = [point for point, others in left.items() if len(others) != 2]
    found = []
    for start in [*starts, *left]:
        while left[start]:
            line = [start]
            while left[line[-1]]:
                following = min(left[line[-1]])
                left[line[-1]].discard(following)
                left[following].discard(line[-1])
                line.append(following)
            found.append(line)
    return found


def draw_areas(
    ax: Axes, paper: Atlas, color: Callable[[str], Any], *, is_of_areas: bool = True
) -> None:
    """Fill each area with its colour; one that has none is hatched, or plain where no area has."""
    hatch = "/////" if is_of_areas else None
    for name, area in paper.areas.items():
        fill = color(name)
        look: dict[str, Any] = {"fc": fill, "ec": "white", "lw": 0.6}
        if fill is None:
            look = {"fc": NO_DATA, "ec": RULE, "lw": 0.4, "hatch": hatch}
        patch = PathPatch(_path(area["polygons"]), zorder=1, **look)
        ax.add_artist(patch)  # `add_patch` would look where it lies; `frame` knows
    ax.add_collection(LineCollection(paper.borders(), colors=MUTED, linewidths=0.9, zorder=2))
    paper.frame(ax)


def _path(polygons: Iterable[list[list[Point]]]) -> Path:
    """Polygons as one path: outer rings run one way round and holes the other."""
    points: list[Point] = []
    codes: list[int] = []
    for polygon in polygons:
        for i, ring in enumerate(polygon):
            is_turned = (_turn(ring) > 0) == (i > 0)
            points += ring[::-1] if is_turned else ring
            codes += [
                int(code)
                for code in (Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY)
            ]
    return Path(np.array(points), codes)


def _turn(ring: list[Point]) -> float:
    """Twice the area of a ring, above 0 where it runs against the clock."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise(ring))


def draw_segments(ax: Axes, paper: Atlas, color: Callable[[str], Any], width: float) -> None:
    """Draw the segments that have a colour as thick lines on the border."""
    for name in paper.given["segments"]:
        fill = color(name)
        edges = paper.segment(name)
        if fill is not None and edges:
            for wide, shade in ((width + 1.6, INK), (width, fill)):
                lines = LineCollection(edges, colors=[shade], linewidths=wide, zorder=3)
                lines.set_capstyle("round")
                ax.add_collection(lines)


def draw_bases(ax: Axes, paper: Atlas, color: Callable[[str], Any], size: float) -> None:
    """Draw bases as diamonds: filled where they have a number, else hollow and small."""
    fills = {name: color(name) for name in paper.bases}
    for is_filled, wide, line, edge in ((False, 0.5 * size, 0.7, MUTED), (True, size, 0.9, INK)):
        names = [name for name, fill in fills.items() if (fill is not None) == is_filled]
        if names:
            x, y = zip(*(paper.bases[name] for name in names), strict=True)
            shades = [fills[name] if is_filled else "white" for name in names]
            ax.scatter(
                x, y, s=wide**2, c=shades, marker="D", linewidths=line, edgecolors=edge,
                zorder=4 + is_filled,
            )  # fmt: skip
