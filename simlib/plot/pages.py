"""A sensible set of figures for an ensemble, written as PNG files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.files import slug
from simlib.plot.distributions import distribution, probabilities
from simlib.plot.style import INK, MUTED, heading, new_figure, save, words
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from simlib.ensemble import Ensemble
    from simlib.journal import Run

_COLUMNS, _ROWS = 3, 3


def figures(ensemble: Ensemble, directory: str | os.PathLike[str]) -> list[Path]:
    """Write outcome distributions, monthly fans by country and exit curves.

    Parameters
    ----------
    ensemble
        The results; each option has pages of its own, exit curves show all together.
    directory
        Where the PNG files go; it is made if needed.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for option in ensemble.options:
        written += _pages_of(ensemble.of(option), folder)
    for milestone in ensemble.manifest["milestones"]:
        figure = new_figure(7.2, 4.2 + 0.2 * len(ensemble.options))
        exit_curve(ensemble, milestone, figure.subplots())
        written.append(folder / f"exit-{_plain(milestone)}.png")
        save(figure, written[-1])
    return written


def save_timeline(run: Run, path: str | os.PathLike[str]) -> None:
    """Write the timeline of one run as a PNG file."""
    n_lanes = len(run.postures) + len(run.milestones) + len({d.agent for d in run.decisions})
    figure = new_figure(10.0, 1.6 + 0.34 * max(n_lanes, 3))
    timeline(run, figure.subplots())
    save(figure, path)


def _pages_of(ensemble: Ensemble, folder: Path) -> list[Path]:
    option = ensemble.options[0]
    mark = f"-{slug(option)}" if option else ""
    head = f"{heading(ensemble.name)}{', ' + words(option) if option else ''}"
    # One pass over the chunks; what it gathered serves the pages that follow.
    kinds = {row.outcome: row.kind for row in ensemble.summaries()}
    pages = _cut([name for name, kind in kinds.items() if kind != "flag"], _COLUMNS * _ROWS)
    written = []
    if "flag" in kinds.values():
        written.append(folder / f"probabilities{mark}.png")
        figure = new_figure(6.4, 1.4 + 0.42 * list(kinds.values()).count("flag"))
        probabilities(ensemble, figure.subplots())
        save(figure, written[-1])
    for number, names in enumerate(pages, start=1):
        path = folder / f"outcomes{mark}-{number}.png"
        draw = [_drawing(distribution, ensemble, name) for name in names]
        _write(path, draw, f"{head}: outcomes, page {number} of {len(pages)}")
        written.append(path)
    totals = ensemble.monthly_totals()
    for country in ensemble.countries():
        types = totals.index[totals[country] > 0]
        if len(types):
            written.append(folder / f"months{mark}-{_plain(country)}.png")
            draw = [_drawing(fan, ensemble, name, country) for name in types]
            _write(written[-1], draw, f"{head}: incidents by month, {country}")
    return written


def _drawing(draw: Callable[..., Axes], *what: object) -> Callable[[Axes], Axes]:
    return lambda ax: draw(*what, ax=ax)


def _write(path: Path, drawings: Sequence[Callable[[Axes], Axes]], title: str) -> None:
    n_columns = min(_COLUMNS, len(drawings))
    n_rows = -(-len(drawings) // n_columns)
    figure = new_figure(4.6 * n_columns, 0.6 + 3.1 * n_rows)
    figure.suptitle(title, x=0.012, ha="left", color=INK, size=13, weight="bold")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, draw in zip(axes, drawings, strict=False):
        draw(ax)
    for ax in axes[len(drawings) :]:
        ax.set_axis_off()
    figure.supxlabel("Model results, not observations.", x=0.99, ha="right", color=MUTED, size=8)
    save(figure, path)


def _cut(names: list[str], size: int) -> list[list[str]]:
    return [names[i : i + size] for i in range(0, len(names), size)]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-").lower() or "figure"
