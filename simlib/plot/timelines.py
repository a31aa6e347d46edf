"""One replication as it went: postures, milestones, decisions."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from simlib.plot.style import (
    ACCENT,
    FILLS,
    HATCHES,
    INK,
    LIGHT,
    MAIN,
    MIDDLE,
    MUTED,
    RULE,
    axes_or_new,
    beside,
    date_axis,
    date_numbers,
    dress,
    grid,
    save,
    say_below,
)
from simlib.scenario.spelling import heading, words

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes

    from simlib.journal import Decision, MilestoneRecord, Run

_POSTURE_LANE = 1.7
_CHARACTERS_PER_INCH = 20.0
"""Characters of lane text that fit into an inch of axes."""
_LABELS = 2.1
"""Inches of the axes' width that the labels of the lanes will take."""


def timeline(run: Run, ax: Axes | None = None) -> Axes:
    """Draw what one replication decided: postures, milestones and decisions by agent.

    Postures are bars that name their state. A milestone is a hollow diamond where it was
    agreed and a full one where it was completed. Decisions are dots (yes), ticks (no) and
    squares (a class).
    """
    agents = sorted({decision.agent for decision in run.decisions})
    milestones = {name: record for name, record in run.milestones.items() if _is_seen(record)}
    heights = _lanes(sorted(run.postures), [*sorted(milestones), *agents])
    top, given = max(heights.values(), default=0.0), ax
    ax = axes_or_new(ax, 10.0, 1.6 + 0.34 * max(top + 1.0, 3.0))
    for name, history in run.postures.items():
        _draw_posture(ax, run, history, heights[name])
    for name, record in milestones.items():
        _draw_milestone(ax, run, record, heights[name])
    for agent in agents:
        _draw_decisions(ax, [d for d in run.decisions if d.agent == agent], heights[agent])
    for boundary in (len(agents), len(agents) + len(milestones)):
        ax.axhline(boundary - 0.5, color=RULE, linewidth=0.8)
    ax.set_yticks(list(heights.values()), [_label(lane, run) for lane in heights])
    ax.set_ylim(-0.7, top + 0.9)
    first, last = date_numbers([run.start, run.horizon])
    ax.set_xlim(first, last)
    date_axis(ax)
    grid(ax, "x")
    note = "dot: yes   tick: no   square: a class   hollow diamond: agreed   full: completed"
    option = f", {words(run.option)}" if run.option else ""
    dress(ax, f"{heading(run.scenario)}{option}, replication {run.replication}", note)
    ax.tick_params(axis="y", length=0)
    say_below(given, ax, "one of many replications")
    return ax


def save_timeline(run: Run, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the timeline of one run as PNG, SVG or PDF, by the suffix.

    Raises
    ------
    StoreError
        The suffix is another one, another file is there, or it cannot be written.
    """
    save(timeline(run), path, overwrite=overwrite)


def _lanes(postures: list[str], others: list[str]) -> dict[str, float]:
    """The height of each lane, from the top; a posture's label has two lines."""
    heights = {lane: float(len(others) - 1 - i) for i, lane in enumerate(others)}
    first = len(others) + 0.3
    rising = {lane: first + _POSTURE_LANE * i for i, lane in enumerate(reversed(postures))}
    return {**dict(reversed(rising.items())), **heights}


def _label(lane: str, run: Run) -> str:
    """A lane's name; of a posture also its states, of which short ones bear no text."""
    if lane not in run.postures:
        return words(lane)
    states = dict.fromkeys(words(state) for _, state in run.postures[lane])
    listed = textwrap.shorten(", ".join(states), 46, placeholder=" ...")
    return f"{words(lane)}\n{listed}"


def _draw_posture(
    ax: Axes, run: Run, history: tuple[tuple[float, str], ...], height: float
) -> None:
    states = list(dict.fromkeys(state for _, state in history))
    ends = [*(began for began, _ in history[1:]), run.horizon]
    for (began, state), end in zip(history, ends, strict=True):
        left, right = date_numbers([max(began, run.start), end])
        look = states.index(state) % len(FILLS)
        width = right - left
        ax.barh(height, width, left=left, height=0.66, color=FILLS[look], hatch=HATCHES[look],
                edgecolor="white", linewidth=0)  # fmt: skip
        ax.barh(height, width, left=left, height=0.66, fill=False, edgecolor=MUTED, linewidth=0.5)
        share = (end - max(began, run.start)) / (run.horizon - run.start)
        room = int(_characters(ax) * share)
        text = words(state)
        if room >= min(len(text), 4):
            shown = text if len(text) <= room else f"{text[: max(room - 1, 1)]}."
            middle = left + (right - left) / 2
            ax.text(middle, height, shown, ha="center", va="center", color=INK, size=7.5)


def _characters(ax: Axes) -> float:
    """How many characters of lane text fit from the start to the horizon."""
    figure = ax.get_figure(root=True)
    width = ax.get_position().width * figure.get_figwidth() if figure else 0.0
    return _CHARACTERS_PER_INCH * max(width - _LABELS, 1.0)


def _is_seen(record: MilestoneRecord) -> bool:
    """Whether a milestone was ever given a date or completed."""
    return math.isfinite(record.agreed) or not math.isnan(record.completed_at)


def _draw_milestone(ax: Axes, run: Run, record: MilestoneRecord, height: float) -> None:
    done = not math.isnan(record.completed_at)
    until = record.completed_at if done else min(record.date, run.horizon)
    first_date = record.agreed if math.isfinite(record.agreed) else until
    agreed = date_numbers([first_date])
    path = date_numbers([first_date, until])
    ax.plot(path, [height, height], color=MIDDLE, linewidth=2, zorder=2)
    ax.plot(agreed, [height], "D", color=MAIN, markerfacecolor="white", markersize=7, zorder=3)
    if done:
        where = date_numbers([record.completed_at])
        ax.plot(where, [height], "D", color=ACCENT, markersize=6, zorder=4)
    first, last = sorted([until, first_date])
    is_late = last > run.start + 0.82 * (run.horizon - run.start)
    (where,) = date_numbers([first if is_late else last])
    text = words(record.classification or "open")
    beside(ax, text, (float(where), height), -8 if is_late else 8)


def _draw_decisions(ax: Axes, decisions: list[Decision], height: float) -> None:
    looks: dict[str, dict[str, Any]] = {
        "no": {"marker": "|", "color": MUTED, "markersize": 6, "alpha": 0.7},
        "yes": {"marker": "o", "color": MAIN, "markersize": 4.5},
        "class": {"marker": "s", "color": ACCENT, "markerfacecolor": LIGHT, "markersize": 5},
    }
    for kind, look in looks.items():
        chosen = [
            d for d in decisions if (d.taken if d.taken in ("yes", "no") else "class") == kind
        ]
        if not chosen:
            continue
        x = date_numbers(d.time for d in chosen)
        ax.plot(x, [height] * len(chosen), linestyle="none", clip_on=False, **look)
