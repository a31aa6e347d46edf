"""A sensible set of figures for an ensemble, written as files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.files import Output, distinct, slug
from simlib.plot.distributions import distribution, probabilities
from simlib.plot.style import INK, MUTED, heading, image, new_figure, save, words
from simlib.plot.timelines import timeline
from simlib.plot.trajectories import exit_curve, fan

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.ensemble import Ensemble
    from simlib.journal import Run

_COLUMNS, _ROWS = 3, 3


def figures(
    ensemble: Ensemble, directory: str | os.PathLike[str], *, overwrite: bool = False
) -> list[Path]:
    """Write outcome distributions, monthly fans by country and exit curves.

    Parameters
    ----------
    ensemble
        The results; each option has pages of its own, exit curves show all together.
    directory
        Where the PNG files go; it is made if needed.
    overwrite
        Replace files of these names that this did not write, or that were changed since.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    StoreError
        Another file is there, or one cannot be written.
    """
    output = Output(Path(directory), "figures", overwrite)
    written = []
    for option in ensemble.options:
        pages = _pages_of(ensemble.of(option))
        written += [output.write(f"{name}.png", image(draw())) for name, draw in pages.items()]
    for milestone, name in distinct(ensemble.manifest["milestones"]).items():
        figure = new_figure(7.2, 4.2 + 0.2 * len(ensemble.options))
        exit_curve(ensemble, milestone, figure.subplots())
        written.append(output.write(f"exit-{name}.png", image(figure)))
    return written


def save_timeline(run: Run, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the timeline of one run as PNG, SVG or PDF, by the suffix.

    Raises
    ------
    StoreError
        The suffix is another one, another file is there, or it cannot be written.
    """
    n_lanes = len(run.postures) + len(run.milestones) + len({d.agent for d in run.decisions})
    figure = new_figure(10.0, 1.6 + 0.34 * max(n_lanes, 3))
    timeline(run, figure.subplots())
    save(figure, path, overwrite=overwrite)


def _pages_of(ensemble: Ensemble) -> dict[str, Callable[[], Figure]]:
    """Return what draws each page of an option, by the name of its file."""
    option = ensemble.options[0]
    mark = f"-{slug(option)}" if option else ""
    head = f"{heading(ensemble.name)}{', ' + words(option) if option else ''}"
    # One pass over the chunks; what it gathered serves the pages that follow.
    kinds = {row.outcome: row.kind for row in ensemble.summaries()}
    pages = _cut([name for name, kind in kinds.items() if kind != "flag"], _COLUMNS * _ROWS)
    drawn: dict[str, Callable[[], Figure]] = {}
    if "flag" in kinds.values():
        n_flags = list(kinds.values()).count("flag")
        drawn[f"probabilities{mark}"] = partial(_probabilities, ensemble, n_flags)
    for number, names in enumerate(pages, start=1):
        draw = [partial(distribution, ensemble, name) for name in names]
        title = f"{head}: outcomes, page {number} of {len(pages)}"
        drawn[f"outcomes{mark}-{number}"] = partial(_page, draw, title)
    totals = ensemble.monthly_totals()
    for country, name in distinct(ensemble.countries()).items():
        types = totals.index[totals[country] > 0]
        if len(types):
            draw = [partial(fan, ensemble, each, country) for each in types]
            title = f"{head}: incidents by month, {country}"
            drawn[f"months{mark}-{name}"] = partial(_page, draw, title)
    return drawn


def _probabilities(ensemble: Ensemble, n_flags: int) -> Figure:
    figure = new_figure(6.4, 1.4 + 0.42 * n_flags)
    probabilities(ensemble, figure.subplots())
    return figure


def _page(drawings: Sequence[Callable[..., Axes]], title: str) -> Figure:
    n_columns = min(_COLUMNS, len(drawings))
    n_rows = -(-len(drawings) // n_columns)
    figure = new_figure(4.6 * n_columns, 0.6 + 3.1 * n_rows)
    figure.suptitle(title, x=0.012, ha="left", color=INK, size=13, weight="bold")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, draw in zip(axes, drawings, strict=False):
        draw(ax=ax)
    for ax in axes[len(drawings) :]:
        ax.set_axis_off()
    figure.supxlabel("Model results, not observations.", x=0.99, ha="right", color=MUTED, size=8)
    return figure


def _cut(names: list[str], size: int) -> list[list[str]]:
    return [names[i : i + size] for i in range(0, len(names), size)]
