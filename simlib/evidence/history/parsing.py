"""Text of event files to dates, counts and names; the first bad value is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simlib.evidence.history.refusals import HistoryError
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.history.csv_text import TextTable
    from simlib.evidence.history.formats import Form

MOST = 10**10
"""Largest number that is read; seconds since 1970 are the largest there are."""
YEARS = 1900, 2200
"""First and last year a date may be of."""
_SPAN = f"from {YEARS[0]} to {YEARS[1]}"
_MONTH = r"\d{4}-\d{2}"
_ISO = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}.*)?$")

DEATHS = ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "deaths")
TEXTS = (
    *("event", "country", "governorate", "conflict_name", "dyad_name"),
    *("side_a", "side_b", "event_type", "sub_event_type"),
)


def parsed(table: TextTable, form: Form) -> pd.DataFrame:
    """Return columns by what they are here; those a form has not are empty.

    Raises
    ------
    HistoryError
        A value is not what its column holds; the message names file, row and value.
    """
    import pandas as pd

    columns = _Columns(table, form)
    frame = pd.DataFrame({"row": table.rows})
    for name in TEXTS:
        frame[name] = columns.text(name)
    frame["date"] = columns.dates("date")
    frame["date_end"] = columns.dates("date_end") if "date_end" in form.columns else frame["date"]
    frame["date_precision"] = columns.whole("date_precision")
    frame["precision"] = columns.whole("precision")
    frame["conflict"] = columns.whole("conflict")
    for name in DEATHS:
        frame[name] = columns.whole(name)
    frame["published"] = columns.instants("published")
    _check(frame, table, form)
    return frame


def whole_numbers(values: list[str]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Return numbers, and which of them are whole and from 0 to `MOST`."""
    import numpy as np
    import pandas as pd

    texts = pd.Series(values, dtype="object")
    numbers = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    return numbers, (numbers >= 0.0) & (numbers <= MOST) & (numbers % 1.0 == 0.0)


def counts_of(table: TextTable, name: str) -> NDArray[np.int64]:
    """Return a column of counts, shape (n_rows,).

    Raises
    ------
    HistoryError
        One is not whole, is negative or too large; the message names file, row and value.
    """
    import numpy as np

    numbers, is_good = whole_numbers(table.columns[name])
    refuse(table, name, (~is_good).to_numpy(), f"must be a whole number from 0 to {MOST:g}")
    return numbers.to_numpy().astype(np.int64)


def months_of(table: TextTable, name: str) -> NDArray[np.datetime64]:
    """Return a column of months written YYYY-MM, shape (n_rows,).

    Raises
    ------
    HistoryError
        One is no month of `YEARS`; the message names file, row and value.
    """
    import pandas as pd

    texts = pd.Series(table.columns[name], dtype="object")
    days = _days((texts.where(texts.str.fullmatch(_MONTH), "") + "-01").tolist())
    refuse(table, name, days.isna().to_numpy(), f"must be a month, YYYY-MM, {_SPAN}")
    months: NDArray[np.datetime64] = days.to_numpy().astype("datetime64[M]")
    return months


def refuse(table: TextTable, name: str, is_bad: NDArray[np.bool_], rule: str) -> None:
    """Raise for the first bad value of a column, with its file and row."""
    if is_bad.any():
        i = int(is_bad.argmax())
        got = shown(table.columns[name][i])
        raise HistoryError(f"{table.file}: row {table.rows[i]}: {name}: {rule} (got {got})")


def _days(values: list[str]) -> pd.Series[pd.Timestamp]:
    """Return days, missing where a text is none of `YEARS`; times of day are left out."""
    import pandas as pd

    texts = pd.Series(values, dtype="object").str.strip()
    figures = texts.str.extract(_ISO, expand=False)
    days = pd.to_datetime(figures, format="%Y-%m-%d", errors="coerce")
    days = days.fillna(pd.to_datetime(texts, format="%d %B %Y", errors="coerce"))
    days = days.astype("datetime64[s]")
    first, last = YEARS
    return days.where((days.dt.year >= first) & (days.dt.year <= last))


class _Columns:
    """Reads columns of a table as what they hold."""

    def __init__(self, table: TextTable, form: Form) -> None:
        self._table, self._names = table, form.columns

    def text(self, name: str) -> pd.Series[str]:
        import pandas as pd

        if name not in self._names:
            return pd.Series([""] * len(self._table.rows), dtype="object")
        return pd.Series([value.strip() for value in self._values(name)], dtype="object")

    def whole(self, name: str) -> pd.Series[float]:
        """Return whole numbers >= 0; missing where the form has no such column."""
        import numpy as np
        import pandas as pd

        if name not in self._names:
            return pd.Series(np.full(len(self._table.rows), np.nan))
        numbers, is_good = whole_numbers(self._values(name))
        self._refuse(name, ~is_good, f"must be a whole number from 0 to {MOST:g}")
        return numbers

    def dates(self, name: str) -> pd.Series[pd.Timestamp]:
        dates = _days(self._values(name))
        self._refuse(name, dates.isna(), "must be a date, as 2024-01-31 or 31 January 2024")
        return dates

    def instants(self, name: str) -> pd.Series[pd.Timestamp]:
        """Return days of instants in seconds since 1970, or of dates."""
        import pandas as pd

        if name not in self._names:
            return pd.Series(pd.NaT, index=range(len(self._table.rows)), dtype="datetime64[s]")
        values = self._values(name)
        seconds, is_whole = whole_numbers(values)
        days = pd.to_datetime(seconds.where(is_whole), unit="s", errors="coerce")
        days = days.dt.normalize().astype("datetime64[s]").fillna(_days(values))
        self._refuse(name, days.isna(), "must be seconds since 1970 or a date")
        return days

    def _values(self, name: str) -> list[str]:
        return self._table.columns[self._names[name]]

    def _refuse(self, name: str, is_bad: pd.Series[bool], rule: str) -> None:
        refuse(self._table, self._names[name], is_bad.to_numpy(), rule)


def _check(frame: pd.DataFrame, table: TextTable, form: Form) -> None:
    names = form.columns
    refuse(table, names["event"], (frame["event"] == "").to_numpy(), "must be given")
    is_twice = frame["event"].duplicated().to_numpy()
    refuse(table, names["event"], is_twice, "stands twice in the file")
    if "date_end" in names:
        is_early = (frame["date_end"] < frame["date"]).to_numpy()
        refuse(table, names["date_end"], is_early, f"must not be before {names['date']}")
