"""What a calibration moved: prior against posterior, a row for each number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.plot.style import INK, MAIN, MIDDLE, MUTED, axes_or_new, dress
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from simlib.evidence.calibration.collecting import Calibration

_POINTS = ("5", "50", "95")


def calibration(result: Calibration, ax: Axes | None = None, *, shares: bool = False) -> Axes:
    """Draw 5 to 95 % of prior and posterior, medians as points; each row has its own scale.

    Parameters
    ----------
    result
        What `simlib.evidence.calibrate` found.
    ax
        Where to draw; new axes when not given.
    shares
        Draw the shares of places instead of all other numbers.
    """
    table = result.table()
    is_share = table["unit"] == "share of places"
    rows = table[is_share if shares else ~is_share].reset_index(drop=True)
    ax = axes_or_new(ax, 7.4, 1.6 + 0.3 * len(rows))
    y = np.arange(len(rows))[::-1].astype(np.float64)
    least = np.minimum(rows["prior_5"].to_numpy(), rows["posterior_5"].to_numpy())
    most = np.maximum(rows["prior_95"].to_numpy(), rows["posterior_95"].to_numpy())
    for kind, shift, color in (("prior", 0.15, MIDDLE), ("posterior", -0.15, MAIN)):
        low, middle, high = (
            (rows[f"{kind}_{point}"].to_numpy() - least) / (most - least) for point in _POINTS
        )
        ax.hlines(y + shift, low, high, color=color, linewidth=2.6)
        ax.plot(middle, y + shift, "o", color=color, markersize=4.5, label=kind)
    for height, text in zip(y.tolist(), _texts(rows), strict=True):
        ax.annotate(text, (1.02, height), color=MUTED, size=7, va="center", annotation_clip=False)
    ax.set_yticks(y, [str(name) for name in rows["parameter"]])
    ax.set_xticks([])
    ax.set_xlim(-0.02, 1.6)
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=2,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )
    what = "Where incidents are" if shares else "What the record says of the numbers"
    note = f"5 to 95 % and median before and after, as of {result.record.as_of}; own scale a row"
    dress(ax, what, note)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _texts(rows: pd.DataFrame) -> list[str]:
    """Return the posterior of each row as words."""
    return [
        f"{number(middle)} ({number(low)} to {number(high)}) {unit}"
        for low, middle, high, unit in zip(
            rows["posterior_5"], rows["posterior_50"], rows["posterior_95"], rows["unit"],
            strict=True,
        )
    ]  # fmt: skip
