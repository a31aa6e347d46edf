"""A sensible set of figures for an ensemble, written as files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from simlib.files import Output, distinct, slug
from simlib.plot.curves import exit_curve, fan
from simlib.plot.histograms import distribution
from simlib.plot.rows import probabilities
from simlib.plot.style import INK, MUTED, heading, image, new_figure, page, words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.ensemble import Ensemble

_COLUMNS = 3
_ON_A_PAGE = 9


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
    drawn = _exit_curves(ensemble).items()
    return written + [output.write(f"{name}.png", image(draw())) for name, draw in drawn]


def pages_of(ensemble: Ensemble) -> dict[str, Callable[[], Figure | Axes]]:
    """What draws each figure that `figures` writes, by the name of its file without suffix."""
    drawn: dict[str, Callable[[], Figure | Axes]] = {}
    for option in ensemble.options:
        drawn |= _pages_of(ensemble.of(option))
    return drawn | _exit_curves(ensemble)


def _exit_curves(ensemble: Ensemble) -> dict[str, Callable[[], Figure | Axes]]:
    ends = ensemble.milestones
    ended = set(ends.loc[ends.completed_at.notna() | ends.classification.notna(), "milestone"])
    # A date that nobody settles or completes, such as a vote, is no exit; where none is, all are.
    names = distinct([n for n in ensemble.manifest["milestones"] if n in ended or not ended])
    return {f"exit-{name}": partial(_exit_curve, ensemble, each) for each, name in names.items()}


def _exit_curve(ensemble: Ensemble, milestone: str) -> Axes:
    figure = new_figure(7.2, 4.2 + 0.2 * len(ensemble.options))
    return exit_curve(ensemble, milestone, figure.subplots())


def _pages_of(ensemble: Ensemble) -> dict[str, Callable[[], Figure | Axes]]:
    """What draws each page of an option, by the name of its file."""
    option = ensemble.options[0]
    mark = f"-{slug(option)}" if option else ""
    head = f"{heading(ensemble.name)}{', ' + words(option) if option else ''}"
    # One pass over the chunks; what it gathered serves the pages that follow.
    kinds = {row.outcome: row.kind for row in ensemble.summaries()}
    names = [name for name, kind in kinds.items() if kind != "flag"]
    pages = [names[i : i + _ON_A_PAGE] for i in range(0, len(names), _ON_A_PAGE)]
    drawn: dict[str, Callable[[], Figure | Axes]] = {}
    if "flag" in kinds.values():
        drawn[f"probabilities{mark}"] = partial(probabilities, ensemble)
    for number, on_it in enumerate(pages, start=1):
        draw = [partial(distribution, ensemble, name) for name in on_it]
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


def _page(drawings: Sequence[Callable[..., Axes]], title: str) -> Figure:
    figure = page(drawings, _COLUMNS, (4.6, 3.3))
    figure.suptitle(title, x=0.012, ha="left", color=INK, size=13, weight="bold")
    figure.supxlabel("Model results, not observations.", x=0.99, ha="right", color=MUTED, size=8)
    return figure
