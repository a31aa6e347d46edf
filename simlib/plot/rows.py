"""Rows: a label, a point and its interval each, for what many figures have in common."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.global_sensitivity.sobol import CHANCE, OTHERS
from simlib.plot.style import (
    ACCENT,
    FILLS,
    HATCHES,
    INK,
    LIGHT,
    MAIN,
    MARKERS,
    MIDDLE,
    MUTED,
    SHADES,
    at_edge,
    axes_or_new,
    beside,
    dress,
    grid,
    known,
    legend,
    say_below,
    wrapped,
)
from simlib.scenario.spelling import heading, words
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from simlib.analysis.global_sensitivity.sobol import Sensitivity
    from simlib.analysis.selection.decision_forecast import DecisionForecast
    from simlib.analysis.selection.observational import Readings
    from simlib.analysis.value.evppi import UnknownValue
    from simlib.analysis.value.information import Information
    from simlib.evidence.calibration.collecting import Calibration
    from simlib.evidence.excitation.excitation_regimes import RegimeFit
    from simlib.statistics.summaries import Summary

    Floats = NDArray[np.float64]

_BAND = 0.72
"""Share of a row's height that all its points and bars take."""
_SEED = 20241231


@dataclasses.dataclass(frozen=True)
class Dots:
    """A point and its interval in each row; colours and markers are of all, or one for each."""

    values: ArrayLike
    """Points, lower ends and upper ends; an interval that is not finite is not drawn."""
    label: str | None = None
    color: str | Sequence[str] = MAIN
    marker: str | Sequence[str] = "o"
    face: str | Sequence[str] = ""
    """Of the markers, where it is not their colour."""
    bar: Any = None
    """Fill of a bar from 0 to the point, or of each; none without it."""


def rows(
    ax: Axes,
    labels: Sequence[str],
    dots: Sequence[Dots],
    *,
    reference: float | None = None,
    heights: Sequence[float] | None = None,
) -> Floats:
    """Draw rows from the top, several series of a row below each other; return their heights.

    A series has a point for every row. Points are compared with a vertical line at the
    reference; heights are given where groups of rows stand apart.
    """
    y = np.arange(len(labels), dtype=np.float64)[::-1] if heights is None else np.array(heights)
    if reference is not None:
        ax.axvline(reference, color=MUTED, linewidth=0.9, zorder=0.5)
    band = _BAND / max(1, len(dots))
    for i, each in enumerate(dots):
        _draw(ax, y + band * ((len(dots) - 1) / 2 - i), each, 0.9 * band)
    ax.set_yticks(y, list(labels))
    ax.tick_params(axis="y", length=0)
    if len(y):
        # One row alone would fill the figure.
        room = 0.7 if len(y) > 1 else 1.2
        ax.set_ylim(y.min() - room, y.max() + room)
    grid(ax, "x")
    return y


def _draw(ax: Axes, y: Floats, dots: Dots, thickness: float) -> None:
    points, low, high = np.reshape(np.asarray(dots.values, dtype=np.float64), (3, len(y)))
    has_bar = dots.bar is not None
    if has_bar:
        ax.barh(
            y, points, thickness, color=dots.bar, edgecolor=dots.color, linewidth=0.7,
            label=dots.label,
        )  # fmt: skip
    one_each = [
        [each] * len(y) if isinstance(each, str) else list(each)
        for each in (dots.color, dots.marker, dots.face or dots.color)
    ]
    for i, (color, marker, face) in enumerate(zip(*one_each, strict=True)):
        if np.isfinite(low[i]) and np.isfinite(high[i]):
            line = INK if has_bar else color
            ax.plot([low[i], high[i]], [y[i]] * 2, color=line, lw=1.4, solid_capstyle="butt")
        name = dots.label if i == 0 and not has_bar else None
        ax.plot(points[i], y[i], marker=marker, color=color, mfc=face, ms=5, ls="", label=name)


def draw_shares(ax: Axes, found: Sequence[Summary], labels: Sequence[str]) -> None:
    """Draw probabilities as bars with their intervals, and in numbers to the right of them."""
    shares = 100 * np.array([(row.mean, row.low, row.high) for row in found]).reshape(-1, 3)
    shares = np.nan_to_num(shares)  # of an outcome that none has
    dots = Dots(shares.T, marker="", bar=LIGHT)
    y = rows(ax, [wrapped(label) for label in labels], [dots])
    for height, right, row in zip(y.tolist(), shares[:, 2].tolist(), found, strict=True):
        beside(ax, _percent(row), (right, height), size=8)
    ax.set_xlim(0, min(122.0, shares[:, 2].max(initial=0.0) * 1.22 + 4))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 100])
    ax.set_xlabel("probability (%), with 95 % interval")


def _percent(row: Summary) -> str:
    if not row.n:
        return "-"
    return f"{100 * row.mean:.1f} %" if row.mean else f"< 3/{row.n}"


def sensitivity(result: Sensitivity, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the shares of the variance.

    One outcome: first and total index of each group with 95 % intervals. Several and none
    named: first indices of all outcomes, one after the other, and what they leave.

    Parameters
    ----------
    outcome
        Outcome, or ``OUTCOME.CLASS``.

    Raises
    ------
    ScenarioError
        There are no indices of the outcome.
    """
    if outcome is None and len(result.indices) > 1:
        return _draw_all_indices(result, ax)
    return _draw_indices(result, known(outcome, result.indices), ax)


def _draw_indices(result: Sensitivity, outcome: str, ax: Axes | None) -> Axes:
    found = result.indices[outcome]
    groups = list(result.members)
    if result.by == "parameter":
        last = [name for name in (OTHERS, CHANCE) if name in groups]
        free = [name for name in groups if name not in last]
        groups = [*sorted(free, key=lambda name: -found.total[name]), *last]
    given, ax = ax, axes_or_new(ax, 6.8, 1.9 + 0.36 * len(groups))
    dots = []
    for label, values, halves, fill in (
        ("first: alone", found.first, found.first_half, MAIN),
        ("total: with interactions", found.total, found.total_half, LIGHT),
    ):
        share = 100.0 * np.array([values[name] for name in groups])
        half = 100.0 * np.array([halves[name] for name in groups])
        dots.append(Dots([share, share - half, share + half], label, marker="", bar=fill))
    rows(ax, [_group_label(result, name) for name in groups], dots, reference=0.0)
    ax.set_xlabel("share of the variance (%), with 95 % intervals")
    legend(ax, "below", ncols=2)
    what = f"effect {result.label}" if result.is_effect else result.label
    dress(ax, f"{result.labels[outcome]}: {words(what)}", _NOISE)
    say_below(given, ax, heading(result.scenario), f"{result.n_runs:,} runs")
    return ax


def _draw_all_indices(result: Sensitivity, ax: Axes | None) -> Axes:
    outcomes = sorted(result.indices, key=lambda name: -result.indices[name].first[CHANCE])
    given, ax = ax, axes_or_new(ax, 8.0, 1.9 + 0.2 * len(outcomes))
    y = rows(ax, [result.labels[name] for name in outcomes], [])
    left = np.zeros(len(outcomes))
    for i, group in enumerate(result.members):
        shares = np.array([max(0.0, result.indices[name].first[group]) for name in outcomes])
        # Estimates may sum to more than the whole: noise, cut off at 100 %.
        shares = np.minimum(100.0 * shares, 100.0 - left)
        fill, hatch = (MAIN, MIDDLE, *FILLS)[i % (len(FILLS) + 2)], HATCHES[i % len(HATCHES)]
        ax.barh(y, shares, 0.74, left, fc=fill, hatch=hatch, ec="white", lw=0, label=words(group))
        left += shares
    rest = 100.0 - left
    ax.barh(y, rest, 0.74, left, fc="white", ec=MUTED, lw=0.6, label="interactions")
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of the variance (%): first indices, and what they leave")
    legend(ax, "below", ncols=4)
    dress(ax, f"What drives outcomes, {words(result.label)}", _NOISE)
    ax.tick_params(axis="y", labelsize=7)
    say_below(given, ax, heading(result.scenario), f"{result.n_runs:,} runs")
    return ax


def _group_label(result: Sensitivity, group: str) -> str:
    n = len(result.members[group])
    if group == OTHERS:
        return f"{n} other parameters"
    is_one = group == CHANCE or (group,) == result.members[group]
    return words(group) if is_one else f"{words(group)} ({n})"


_NOISE = "below 0 or above 100 % is noise"
MOST_BARS = 10


def information(result: Information, loss: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw what unknowns are worth for one loss, the dates side by side, with 95 % intervals.

    The reports to each date and the unknowns that are worth most at some date are shown,
    at most `MOST_BARS`. Foreseeing everything is named in the note: it is another scale.

    Parameters
    ----------
    loss
        Name of the loss; the first of the panel when not given.
    """
    name = loss or next(iter(result.panel.losses))
    shown = _most_valuable([x for x in result.unknowns if x.loss == name])
    given, ax = ax, axes_or_new(ax, 7.6, 1.9 + 0.52 * len(shown))
    dots = []
    for i, date in enumerate(result.options):
        those = {x.name: x.alone for x in result.unknowns if (x.loss, x.date) == (name, date)}
        worths = [those[each.name] for each in shown]
        values = np.transpose([(worth.value, *worth.interval()) for worth in worths])
        color, marker = SHADES[i % len(SHADES)], MARKERS[i % len(MARKERS)]
        dots.append(Dots(values, f"{date}", color, marker, bar=(color, 0.4)))
    rows(ax, [each.label for each in shown], dots)
    ax.set_xlim(left=-0.01 * ax.get_xlim()[1])
    ax.set_xlabel(f"value of learning it before choosing ({result.panel.losses[name].unit})")
    legend(ax, title="decided on", title_fontsize=8)
    dress(ax, f"Loss: {heading(name)}", _ranking_note(result, name))
    say_below(given, ax, heading(result.scenario), f"n = {result.n:,}", "bars: 95 % intervals")
    return ax


def _most_valuable(unknowns: list[UnknownValue]) -> list[UnknownValue]:
    """The reports and the unknowns worth most at some date, one of each name."""
    best: dict[str, UnknownValue] = {}
    for each in unknowns:
        so_far = best.get(each.name)
        is_more = so_far is None or each.alone.estimate > so_far.alone.estimate
        if each.kind != "everything" and is_more:
            best[each.name] = each
    # Of what is worth nothing the reports alone are shown.
    worth = [x for x in best.values() if x.kind == "reports" or x.alone.value > 0.0]
    ranked = sorted(worth, key=lambda x: (x.kind != "reports", -x.alone.estimate))
    return ranked[:MOST_BARS]


def _ranking_note(result: Information, loss: str) -> str:
    foreseen = {
        x.date.isoformat(): x.alone.value
        for x in result.unknowns
        if (x.loss, x.kind) == (loss, "everything")
    }
    best = result.ranking[(result.ranking["loss"] == loss) & result.ranking["is_best"]]
    return "\n".join(
        f"{date}: {words(option)} is best (wrong with P <= {max(p, 0.001):.2g}); "
        f"foreseeing all: {foreseen[date]:.3g}"
        for date, option, p in best[["date", "option", "p_incorrect"]].to_numpy().tolist()
    )


_READ = {
    "gap": "selection gap: E[Y | extended] - E[Y | do(extended)]",
    "observational": "seen: E[Y | extended] - E[Y | not extended]",
    "interventional": "made: E[Y | do(extended)] - E[Y | do(as agreed)]",
}
MOST_OBSERVABLES = 8
FEWEST_RUNS = 30
"""Groups of fewer runs are left to the table."""


def readings(result: Readings, outcome: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the gap between both readings of "extended" by the weight of threat.

    Parameters
    ----------
    outcome
        Name of the outcome; the first headline when not given.
    """
    name = outcome or result.headlines[0]
    versions = list(result.selections)
    given, ax = ax, axes_or_new(ax, 7.0, 2.2 + 0.6 * len(versions))
    dots = []
    for i, (key, label) in enumerate(_READ.items()):
        found = [getattr(result.gap(name, version), key) for version in versions]
        values = np.transpose([(each.value, each.low, each.high) for each in found])
        dots.append(Dots(values, label, SHADES[i], MARKERS[i]))
    rows(ax, ["drawn,\nas written", *versions[1:]], dots, reference=0.0)
    ax.set_ylabel("weight of threat in the answer\n(log odds per standard deviation)")
    ax.set_xlabel(f"difference ({result.units[name] or 'probability'}), with 95 % intervals")
    legend(ax, "below")
    counts = [f"{s.n_extended} of {s.n}" for s in result.selections.values()]
    dress(ax, result.labels[name], f"extended in {', '.join(counts)} runs")
    say_below(given, ax, heading(result.scenario))
    return ax


def extension_forecast(found: DecisionForecast, ax: Axes | None = None) -> Axes:
    """Draw P(extension) by thirds of what is known at a date, with Wilson 95 % intervals.

    The observables in which the groups differ most are shown, at most
    `MOST_OBSERVABLES`: the largest differences of many, so chance has a part in them.
    """
    groups = found.groups[found.groups["n"] >= FEWEST_RUNS]
    spread = groups.groupby("observable")["p_extension"].agg(lambda p: p.max() - p.min())
    chosen = list(spread.sort_values(ascending=False).index[:MOST_OBSERVABLES])
    shown = groups[groups["observable"].isin(chosen)]
    shown = shown.sort_values("observable", key=lambda s: s.map(chosen.index), kind="stable")
    given, ax = ax, axes_or_new(ax, 7.4, 1.6 + 0.22 * (len(shown) + len(chosen)))
    # A gap after each observable.
    is_next = shown["observable"] != shown["observable"].shift()
    heights = -(np.arange(len(shown)) + 0.7 * is_next.cumsum().to_numpy())
    labels = [
        f"{heading(name)}: {words(str(group))}" + ("" if span == group else f" ({span})")
        for name, group, span in zip(
            shown["observable"], shown["group"], shown["range"].astype(str), strict=True
        )
    ]
    shares = 100.0 * shown[["p_extension", "low", "high"]].to_numpy(dtype=np.float64).T
    rate = 100.0 * found.n_extended / found.n_open
    ax.axvline(rate, color=ACCENT, linestyle="--", linewidth=1.1, label=f"all: {rate:.1f} %")
    rows(ax, labels, [Dots(shares)], heights=heights.tolist())
    ax.set_xlabel("probability of an extension later on (%), with 95 % interval")
    ax.set_xlim(left=0.0)
    legend(ax, "below")
    note = f"{found.n_open} of {found.n} runs, in which none was agreed by then"
    dress(ax, f"What is known on {found.date} says of an extension", note)
    say_below(given, ax)
    return ax


def calibration(result: Calibration, ax: Axes | None = None, *, shares: bool = False) -> Axes:
    """Draw 5 to 95 % of prior and posterior, medians as points; each row has its own scale.

    Parameters
    ----------
    shares
        Draw the shares of places instead of all other numbers.
    """
    table = result.table()
    is_share = table["unit"] == "share of places"
    shown = table[is_share if shares else ~is_share].reset_index(drop=True)
    ax = axes_or_new(ax, 7.4, 1.6 + 0.3 * len(shown))
    ends = {
        kind: np.array([shown[f"{kind}_{point}"] for point in (50, 5, 95)])
        for kind in ("prior", "posterior")
    }
    least = np.minimum(ends["prior"][1], ends["posterior"][1])
    most = np.maximum(ends["prior"][2], ends["posterior"][2])
    dots = [
        Dots((ends[kind] - least) / (most - least), kind, color)
        for kind, color in (("prior", MIDDLE), ("posterior", MAIN))
    ]
    y = rows(ax, [str(name) for name in shown["parameter"]], dots)
    for height, of, unit in zip(y.tolist(), ends["posterior"].T, shown["unit"], strict=True):
        middle, low, high = map(number, of.tolist())
        at_edge(ax, f"{middle} ({low} to {high}) {unit}", height, color=MUTED, size=7)
    ax.set_xticks([])
    legend(ax, "below", gap=4, ncols=2)
    what = "Where incidents are" if shares else "What the record says of the numbers"
    note = f"5 to 95 % and median before and after, as of {result.record.as_of}; own scale a row"
    dress(ax, what, note)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def branching(fits: Sequence[RegimeFit], ax: Axes | None = None) -> Axes:
    """Draw the branching ratio of each regime, with a constant and a drifting background."""
    ax = axes_or_new(ax, 7.2, 1.6 + 0.32 * len(fits))
    dots = []
    for background, color, marker in (("constant", MUTED, "s"), ("drifting", MAIN, "o")):
        draws = [fit.fits[background].draws(4000, _SEED)[0] for fit in fits]  # type: ignore[index]
        low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95], axis=1)
        dots.append(Dots([middle, low, high], f"{background} background", color, marker))
    labels = [
        f"{heading(fit.regime.name)} {fit.regime.label} ({fit.fits['constant'].days.n_events})"
        for fit in fits
    ]
    rows(ax, labels, dots)
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("branching ratio: children per event, median and 90 % interval")
    legend(ax, "upper right")
    dress(ax, "What passes for clustering", "Number of events in brackets")
    return ax
