"""Fitted excitation: branching ratios by regime, residuals, and ranks of a calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import (
    ACCENT,
    INK,
    LIGHT,
    MAIN,
    MUTED,
    RULE,
    axes_or_new,
    dress,
    heading,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from simlib.evidence.abc_smc.inverse_problems import Inversion
    from simlib.evidence.excitation.excitation_regimes import RegimeFit
    from simlib.statistics.ranks import Uniformity

_SEED = 20241231


def branching(fits: Sequence[RegimeFit], ax: Axes | None = None) -> Axes:
    """Draw the branching ratio of each regime, with a constant and a drifting background.

    Parameters
    ----------
    fits
        What `simlib.evidence.excitation.excitation_regimes.fit_regimes` returns.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 7.2, 1.6 + 0.32 * len(fits))
    places = np.arange(len(fits), dtype=np.float64)[::-1]
    for color, marker, off, background in (
        (MUTED, "s", 0.15, "constant"),
        (MAIN, "o", -0.15, "drifting"),
    ):
        for place, fit in zip(places.tolist(), fits, strict=True):
            draws = fit.fits[background].draws(4000, _SEED)[0]  # type: ignore[index]
            low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95]).tolist()
            ax.plot([low, high], [place + off] * 2, color=color, linewidth=1.4)
            ax.plot(
                middle, place + off, marker, color=color, markersize=4,
                label=f"{background} background" if place == places[0] else None,
            )  # fmt: skip
    ax.set_yticks(
        places,
        [
            f"{heading(f.regime.name)} {f.regime.label} ({f.fits['constant'].days.n_events})"
            for f in fits
        ],
    )
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("branching ratio: children per event, median and 90 % interval")
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.legend(fontsize=8, frameon=False, labelcolor=INK, loc="upper right")
    dress(ax, "What passes for clustering", "Number of events in brackets")
    return ax


def rescaled(
    intervals: Sequence[float], title: str = "Rescaled intervals", ax: Axes | None = None
) -> Axes:
    """Draw rescaled intervals between events against the exponential, with a 95 % band.

    Parameters
    ----------
    intervals
        What `simlib.evidence.excitation.hawkes.rescaled_intervals` returns.
    title
        Of the figure.
    ax
        Where to draw; new axes when not given.

    Notes
    -----
    The band is that of Kolmogorov and Smirnov, 1.36 / sqrt(n) (Ogata 1988).
    """
    ax = axes_or_new(ax, 4.6, 4.2)
    shares = np.sort(-np.expm1(-np.asarray(intervals, dtype=np.float64)))
    expected = (np.arange(len(shares)) + 0.5) / len(shares)
    width = 1.36 / np.sqrt(len(shares))
    ends = np.array([0.0, 1.0])
    ax.fill_between(ends, ends - width, ends + width, color=LIGHT, linewidth=0)
    ax.plot(ends, ends, color=MUTED, linewidth=0.8)
    ax.plot(expected, shares, color=MAIN, linewidth=1.4)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="expected", ylabel="1 - exp(-interval)")
    dress(ax, title, f"{len(shares):,} intervals; band of 95 %")
    return ax


def ranks(result: Uniformity, title: str = "Ranks of truths", ax: Axes | None = None) -> Axes:
    """Draw the shares of ranks less those of uniform ones, with their simultaneous band.

    Parameters
    ----------
    result
        What `simlib.evidence.uniformity` returns.
    title
        Of the figure.
    ax
        Where to draw; new axes when not given.
    """
    ax = axes_or_new(ax, 5.6, 3.4)
    n_values = len(result.share_below)
    place = np.arange(1, n_values + 1) / n_values
    lower, upper = result.band.lower - place, result.band.upper - place
    ax.fill_between(place, lower, upper, step="mid", color=LIGHT, linewidth=0)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    color = MAIN if result.is_uniform else ACCENT
    ax.step(place, result.share_below - place, where="mid", color=color, linewidth=1.4)
    ax.set(xlim=(0, 1), xlabel="rank over the number of draws", ylabel="share below, less uniform")
    dress(ax, title, f"{result.n_ranks:,} ranks; {result.probability:.0%} band, all at once")
    return ax


def inversion(result: Inversion, name: str, ax: Axes | None = None) -> Axes:
    """Draw the posterior of an unknown over its prior, as cumulative distributions.

    Parameters
    ----------
    result
        What `simlib.evidence.abc_smc.populations.invert` returns.
    name
        The unknown.
    ax
        Where to draw; new axes when not given.
    """
    from simlib.chance.distributions import quantile

    ax = axes_or_new(ax, 5.6, 3.4)
    ((kind, arguments),) = result.problem.priors[name].items()
    shares = np.linspace(0.005, 0.995, 200)
    prior = [quantile(kind, dict(arguments), share) for share in shares.tolist()]
    values = result.values(name)
    order = np.argsort(values)
    ax.plot(prior, shares, color=MUTED, linewidth=1.2, linestyle="--", label="prior")
    ax.step(
        values[order], np.cumsum(result.weights[order]),
        where="post", color=MAIN, linewidth=1.6, label="posterior",
    )  # fmt: skip
    ax.set(ylim=(0, 1), xlabel=name, ylabel="cumulative probability")
    ax.legend(fontsize=8, frameon=False, labelcolor=INK)
    note = f"{result.contraction(name):.0%} of the prior variance gone"
    dress(ax, words(name), note)
    return ax
