"""What was usual: monthly means of 2024 of series that are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.scenario.bundled import seed_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.publications import Publications


def usual(published: Publications) -> dict[str, float]:
    """Return the monthly mean of 2024, by published name, of the series that have one.

    UCDP's are of its candidate release, January to November (seeds/history); the others' are
    what their publishers counted over the months they told of (seeds/history/series_2024.csv).
    """
    monthly = ucdp_2024()
    told = {
        row["series"]: float(row["events"]) / float(row["months"])
        for row in seed_table("history/series_2024.csv")
    }
    found = {}
    for key, name in zip(published.keys, published.series, strict=True):
        if key in monthly:
            found[name] = float(monthly[key].mean())
        elif key in told:
            found[name] = told[key]
    return found


def ucdp_2024() -> dict[str, NDArray[np.int64]]:
    """Return UCDP's candidate events of January to November 2024 by series."""
    months: dict[str, list[int]] = {}
    for row in seed_table("history/ucdp_2024_monthly.csv"):
        months.setdefault(f"ucdp_{row['conflict_id']}", []).append(int(row["events"]))
    return {series: np.array(events) for series, events in months.items()}
