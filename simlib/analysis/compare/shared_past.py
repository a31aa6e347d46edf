"""Whether two options have the same past: every decision, month and milestone before a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlib.errors import SimulationError
from simlib.journal import to_days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import pandas as pd

    from simlib.ensemble import Ensemble


def refuse_other_past(
    one: Ensemble, baseline: str, other: Ensemble, option: str, at: dt.date
) -> str:
    """Verify that an option has the past of another up to a date, in every replication.

    Compared are, from the stored tables: parameters, decisions before the date with what
    woke each and its probability, incidents of the whole months before it by month, type
    and place, milestones completed before it, and failures before it.

    Parameters
    ----------
    one, baseline
        The results, and the option in them, that the past is of.
    other, option
        The results, and the option in them, that must have it.
    at
        The date; what happens on it is no past.

    Returns
    -------
    str
        What was found the same, as a sentence.

    Raises
    ------
    SimulationError
        The first replication whose past is not the same, and in what.
    """
    first, second = one.of(baseline), other.of(option)
    both = np.intersect1d(_replications(first), _replications(second))
    n_rows = {}
    for table, keep in _PAST.items():
        prints = [_prints(each, table, keep, at) for each in (first, second)]
        rows = [found.reindex(both, fill_value=0) for found in prints]
        differing = both[(rows[0] != rows[1]).any(axis=1).to_numpy()]
        if len(differing):
            raise SimulationError(
                f"replication {differing[0]}: {table} before {at} are not the same under "
                f"{baseline or 'the scenario as written'} and {option} "
                f"({len(differing)} of {len(both)} replications)",
                date=str(at),
            )
        n_rows[table] = int(rows[0]["n"].sum())
    many = f"all {len(both):,} replications" if len(both) > 1 else f"replication {both[0]}"
    return (
        f"{option}: in {many} the past before {at} is that of "
        f"{baseline or 'the scenario as written'}: {n_rows['decisions']:,} decisions, "
        f"{n_rows['monthly']:,} counts of incidents by month, type and place, and "
        f"{n_rows['milestones']:,} milestones completed are the same to the last bit"
    )


def _decisions(rows: pd.DataFrame, at: dt.date) -> pd.DataFrame:
    return rows[rows["time"] < to_days(at)]


def _monthly(rows: pd.DataFrame, at: dt.date) -> pd.DataFrame:
    # The last month that is whole before the date ends with the month before the date's.
    first_open = np.datetime64(at.replace(day=1), "D")
    return rows[rows["month"].to_numpy().astype("datetime64[D]") < first_open]


def _milestones(rows: pd.DataFrame, at: dt.date) -> pd.DataFrame:
    return rows[rows["completed_at"] < to_days(at)]


def _failures(rows: pd.DataFrame, at: dt.date) -> pd.DataFrame:
    return rows.loc[rows["date"] < str(at), ["agent", "date", "error"]]


def _parameters(rows: pd.DataFrame, _at: dt.date) -> pd.DataFrame:
    return rows


_PAST: dict[str, Callable[[pd.DataFrame, dt.date], pd.DataFrame]] = {
    "parameters": _parameters,
    "decisions": _decisions,
    "monthly": _monthly,
    "milestones": _milestones,
    "failures": _failures,
}


def _prints(
    ensemble: Ensemble,
    table: str,
    keep: Callable[[pd.DataFrame, dt.date], pd.DataFrame],
    at: dt.date,
) -> pd.DataFrame:
    """Return number and fingerprint of what each replication has before a date, by piece."""
    import pandas as pd

    found = [_prints_of(keep(rows, at)) for rows in ensemble.parts(table)]
    return pd.concat(found)


def _prints_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows each replication has, and a fingerprint of them in their order."""
    import pandas as pd

    place = rows.groupby(level="replication").cumcount().to_numpy().astype(np.uint64)
    hashed = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    # Odd multipliers lose no bit, and tell rows in another order apart.
    prints = pd.DataFrame({"n": 1, "print": hashed * (2 * place + 1)}, index=rows.index)
    return prints.groupby(level="replication").sum()


def _replications(ensemble: Ensemble) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return every replication an ensemble of one option has, those that failed included."""
    return np.concatenate([np.arange(e.first, e.stop, dtype=np.int64) for e in ensemble.entries()])
