"""Maps: what happens where, what changes where, and how it stands, on a scenario's borders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, PowerNorm

from simlib.plot.atlas import atlas, draw_areas, draw_bases, draw_segments
from simlib.plot.map_values import in_windows, incident_types, mapped_states, whole
from simlib.plot.style import INK, dress, foot, new_figure
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.ensemble import Ensemble
    from simlib.plot.atlas import Atlas
    from simlib.plot.map_values import MapValues, Show, Window

_WIDTH = 7.2
_COLUMNS = 4
_MOST_NAMED = 14
AMOUNTS = LinearSegmentedColormap.from_list(
    "amounts", ["#f2f5f8", "#c9dcec", "#8fb6d9", "#4d86b8", "#25588c", "#0f2f57"]
)
"""From nearly white to dark blue: its lightness falls all the way, whatever one sees of hues."""
CHANGES: Colormap = colormaps["PuOr_r"]
"""Less is purple, more is orange; no change is nearly white."""


@dataclass(frozen=True)
class Scale:
    """What colour a number has, alike on all maps of a figure."""

    norm: Normalize
    colors: Colormap
    unit: str

    def color(self, value: float | None) -> Any:
        """The colour of a number; none where there is none."""
        return None if value is None or np.isnan(value) else self.colors(self.norm(value))


def scale_of(found: Sequence[MapValues]) -> Scale:
    """A scale that shows 0 and holds all numbers: from 0, or of changes as far to both sides.

    Amounts stand on a square-root scale, so that places with few are told from those with none;
    shares of 1 and probabilities on a plain one.
    """
    numbers = [abs(value) for each in found for value in each.values.values()]
    most = float(np.nanmax(numbers, initial=0.0)) or 1.0
    unit = found[0].unit
    if found[0].is_change or min((v for f in found for v in f.values.values()), default=0) < 0:
        return Scale(Normalize(-most, most), CHANGES, unit)
    if "%" in unit or unit.startswith("share"):
        return Scale(Normalize(0.0, most), AMOUNTS, unit)
    return Scale(PowerNorm(0.5, 0.0, most), AMOUNTS, unit)


def map(  # noqa: A001  (plot.map)
    ensemble: Ensemble,
    what: str,
    *,
    against: Ensemble | None = None,
    show: Show = "month",
    during: Window | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw where incidents of a type happen, or how a state variable stands, on a map.

    Areas, bases (diamonds) and segments of the border (thick lines) have the colour of their
    number; what cannot have one is hatched.

    Parameters
    ----------
    ensemble
        Results of one option; of several, ``ensemble.of(OPTION)``.
    what
        A type of incidents, or a state variable by place. States are not stored: some
        replications are replayed.
    against
        Results of another option: the change from it is drawn, paired by replication.
    show
        ``month``: incidents per month; ``total``: all in the window; a whole number: the
        probability of so many or more in the window.
    during
        First and last month, ``("2025-01", "2025-12")``; all when not given. Of a state
        variable the last month is drawn.

    Raises
    ------
    StoreError
        The results hold no outlines, or there is nothing of that name.
    ScenarioError
        Several options are looked at, or the window holds no month.
    """
    paper = atlas(ensemble)
    (found,) = in_windows(ensemble, what, [during or whole(ensemble)], show, against)
    scale = scale_of([found])
    given = ax
    if ax is None:
        ax = new_figure(_WIDTH, _WIDTH * paper.shape + 1.3).subplots()
    _draw(ax, paper, found, scale, is_small=False)
    dress(ax, found.title, found.note, width=80)
    _bar(ax, [ax], scale)
    foot(given, ax, ensemble, _legend(paper, found))
    return ax


def maps(
    ensemble: Ensemble,
    what: str,
    *,
    against: Ensemble | None = None,
    show: Show = "month",
    by: Literal["quarter", "year"] = "quarter",
) -> Figure:
    """Draw the map of each quarter or year side by side, all on one scale.

    Parameters
    ----------
    ensemble, what, against, show
        As in `map`.
    by
        How long each window is.
    """
    windows = windows_by(ensemble, by)
    found = in_windows(ensemble, what, list(windows.values()), show, against)
    return _side_by_side(ensemble, [dict(zip(windows, found, strict=True))], found[0].title)


def map_page(ensemble: Ensemble, against: Ensemble | None = None) -> Figure:
    """Draw a map of each type of incidents, or of its change, each on its own scale."""
    window = [whole(ensemble)]
    found = {
        heading(name): in_windows(ensemble, name, window, against=against)
        for name in incident_types(ensemble)
    }
    title = "Where it happens"
    kept, rest = {n: e for n, e in found.items() if any(e[0].values.values())}, ""
    if against is not None:
        title = f"What changes where: {_pair(ensemble, against)}"
        kept, rest = _told_from_chance(found)
    return _side_by_side(ensemble, [{name: each[0]} for name, each in kept.items()], title, rest)


def state_page(ensemble: Ensemble, against: Ensemble | None = None) -> Figure:
    """Draw how the states that the scenario has mapped stand over the years, or change.

    Each has a row and a scale of its own: the start, and the ends of at most three years.
    """
    first = whole(ensemble)[0]
    ends = [first, *(end for _, end in windows_by(ensemble, "year").values())]
    some = np.linspace(0, len(ends) - 1, min(len(ends), _COLUMNS)).round().astype(int)
    # At the start options do not differ.
    windows = [(first, ends[i]) for i in (some if against is None else some[1:])]
    found = {
        label: in_windows(ensemble, name, windows, against=against)
        for name, label in mapped_states(ensemble).items()
    }
    title, kept, rest = "How it stands where", found, ""
    if against is not None:
        title = f"How differently it stands where: {_pair(ensemble, against)}"
        kept, rest = _told_from_chance(found)
    dates = [window[1] for window in windows]
    rows = [dict(zip([f"{label}, {dates[0]}", *dates[1:]], each, strict=True))
            for label, each in kept.items()]  # fmt: skip
    return _side_by_side(ensemble, rows, title, rest)


def _told_from_chance(
    found: dict[str, list[MapValues]],
) -> tuple[dict[str, list[MapValues]], str]:
    """What changes clearly somewhere, and in words the rest: chance alone would fill its scale."""
    names = [name for name, maps in found.items() if any(each.clear for each in maps)]
    names = names or list(found)[:1]
    left_out = ", ".join(name for name in found if name not in names)
    rest = f"no change told from 0 anywhere: {left_out}" if left_out else ""
    return {name: found[name] for name in names}, rest


def _pair(ensemble: Ensemble, against: Ensemble) -> str:
    return " against ".join(words(e.options[0] or "as written") for e in (ensemble, against))


def windows_by(ensemble: Ensemble, by: str) -> dict[str, Window]:
    """The quarters or years of the results by what they are called."""
    found: dict[str, list[str]] = {}
    for month in ensemble.manifest["months"]:
        quarter = f" Q{(int(month[5:7]) + 2) // 3}" if by == "quarter" else ""
        found.setdefault(f"{month[:4]}{quarter}", []).append(month[:7])
    return {name: (months[0], months[-1]) for name, months in found.items()}


def _side_by_side(
    ensemble: Ensemble, groups: Sequence[dict[str, MapValues]], title: str, rest: str = ""
) -> Figure:
    """Maps of several groups, each of which has a scale, a bar and, if it is long, rows."""
    paper = atlas(ensemble)
    every = [each for group in groups for each in group.values()]
    columns = min(_COLUMNS, len(every))
    n_rows = -(-len(every) // columns)
    has_bars = len(groups) > 1
    width = 2.9
    height = width * paper.shape + (0.6 if has_bars else 0.3)
    figure = new_figure(width * columns, height * n_rows + 1.1)
    axes = figure.subplots(n_rows, columns, squeeze=False).ravel()
    left = iter(axes)
    for group in groups:
        own = [next(left) for _ in group]
        scale = scale_of(list(group.values()))
        for ax, (name, each) in zip(own, group.items(), strict=True):
            _draw(ax, paper, each, scale, is_small=True)
            dress(ax, name, width=40)
        _bar(own[0], own if has_bars else axes, scale, is_small=has_bars)
    for ax in left:
        ax.set_axis_off()
    figure.suptitle(title, x=0.012, ha="left", color=INK, size=13, weight="bold")
    units = {each.unit for each in every}
    note = "; ".join([*(units if len(units) == 1 else ()), *_common(each.note for each in every)])
    foot(None, axes[0], ensemble, note, _legend(paper, *every, is_small=True), rest)
    return figure


def _common(notes: Iterable[str]) -> list[str]:
    """What is said of each of several maps."""
    first, *others = (note.split("; ") for note in notes)
    return [part for part in first if all(part in other for other in others)]


def _draw(ax: Axes, paper: Atlas, found: MapValues, scale: Scale, *, is_small: bool) -> None:
    def color(place: str) -> Any:
        return scale.color(found.values.get(place))

    draw_areas(ax, paper, color, is_of_areas=any(area in found.values for area in paper.areas))
    draw_segments(ax, paper, color, 2.0 if is_small else 4.0)
    if not is_small or any(base in found.values for base in paper.bases):
        draw_bases(ax, paper, color, 4.5 if is_small else 8.0)
    if not is_small:
        _name_places(ax, paper, found)
    elif found.is_change:
        at = [_box(paper, place, "") for place in sorted(found.clear)]
        x, y = [box.x for box in at], [box.y for box in at]
        ax.plot(x, y, "o", color=INK, mec="white", mew=0.5, ms=2.8, zorder=6)


def _bar(at: Axes, axes: Sequence[Axes] | Any, scale: Scale, *, is_small: bool = False) -> None:
    """Say below maps what a colour means, 0 and the unit with it."""
    figure = at.get_figure(root=True)
    assert figure is not None  # noqa: S101  (axes stand on one)
    is_row = is_small and len(axes) > 1
    shown = ScalarMappable(scale.norm, scale.colors)
    bar = figure.colorbar(
        shown, ax=axes, orientation="horizontal", location="bottom",
        shrink=0.25 if is_row else 0.8 if is_small else 0.55, aspect=28 if is_small else 34,
        pad=0.01 if is_small else 0.02,
    )  # fmt: skip
    bar.outline.set_visible(False)
    ticks = _ticks(scale, 3 if is_small else 5)
    bar.set_ticks(ticks, labels=[_tick(tick, scale) for tick in ticks])
    bar.ax.tick_params(colors=INK, labelsize=6.5 if is_small else 8, length=2)
    how = ", square-root scale" if isinstance(scale.norm, PowerNorm) and not is_small else ""
    bar.set_label(f"{scale.unit}{how}", color=INK, size=6.5 if is_small else 8.5)


def _ticks(scale: Scale, n: int) -> list[float]:
    """Places of a bar that are evenly spread on it: its ends, and 0 with them."""
    ends = np.linspace(0.0, 1.0, n)
    found = scale.norm.inverse(ends)
    return [float(f"{tick:.2g}") if 0 < i < n - 1 else tick for i, tick in enumerate(found)]


def _tick(value: float, scale: Scale) -> str:
    if scale.colors is CHANGES and value:
        return _signed(value)
    return _short(value)


def _name_places(ax: Axes, paper: Atlas, found: MapValues) -> None:
    """Name the places with most, largest first, wherever no other name is in the way."""
    taken: list[_Box] = []
    for place in _ranked(found):
        value = found.values[place]
        box = _box(paper, place, f"{_signed(value) if found.is_change else _short(value)}")
        if len(taken) < _MOST_NAMED and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            ax.annotate(
                box.text, (box.x, box.y), color=INK, size=6.5, ha="center", va="center",
                zorder=6, linespacing=1.15,
                bbox={"fc": "white", "alpha": 0.75, "lw": 0, "boxstyle": "round,pad=0.12"},
            )  # fmt: skip


def _ranked(found: MapValues) -> list[str]:
    names = found.clear if found.is_change else [p for p, v in found.values.items() if v]
    return sorted(names, key=lambda place: (-abs(found.values[place]), place))


def _short(value: float) -> str:
    """Two digits, as the eye tells colours apart.

    Examples
    --------
    >>> [_short(value) for value in (0.1714, 26.74, 1082.0)]
    ['0.17', '27', '1,100']
    """
    return f"{float(f'{value:.2g}'):,.10g}"


def _signed(value: float) -> str:
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    return f"{sign}{_short(abs(value))}"


class _Box(NamedTuple):
    """A name with its number, and about the space that it takes, in degrees."""

    text: str
    x: float
    y: float
    half: float


def _box(paper: Atlas, place: str, value: str) -> _Box:
    """Where the name of a place goes: amid an area, below a base, beside a segment."""
    half = 0.056 * max(len(place), len(value)) if value else 0.0
    text = f"{place}\n{value}"
    if place in paper.areas:
        return _Box(text, *paper.middle(place), half)
    if place in paper.bases:
        x, y = paper.bases[place]
        return _Box(text, x, y - 0.45, half)
    edges = paper.segment(place)
    x, y = np.mean([point for line in edges for point in line], axis=0) if edges else (0.0, 0.0)
    return _Box(text, float(x) + half + 0.4, float(y), half)


def _overlap(one: _Box, other: _Box) -> bool:
    return abs(one.x - other.x) < one.half + other.half and abs(one.y - other.y) < 0.42


def _legend(paper: Atlas, *found: MapValues, is_small: bool = False) -> str:
    """What the marks of maps mean."""
    with_numbers = {place for each in found for place in each.values}
    parts = []
    if is_small and any(isinstance(scale_of([each]).norm, PowerNorm) for each in found):
        parts.append("colours on a square-root scale")
    if any(each.is_change for each in found):
        marked = "dots" if is_small else "named"
        parts.append(f"{marked}: the 95 % interval leaves out 0")
    if any(len({area in each.values for area in paper.areas}) > 1 for each in found):
        parts.append("hatched: cannot happen there in the model")
    if with_numbers & paper.bases.keys():
        parts.append("diamonds: bases, drawn amid their area")
    elif paper.bases and not is_small:
        parts.append("hollow diamonds: bases, drawn amid their area")
    if with_numbers & paper.given["segments"].keys():
        parts.append("thick lines: segments of the border")
    source = re.split(r"[,;(]", paper.given["source"])[0].strip()
    return "; ".join([*parts, f"borders: {source}"] if source else parts)
