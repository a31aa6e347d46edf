"""The results of a back-test as a page of text and tables, made by `make backtest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.evidence.backtest import verdicts
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    import pandas as pd

    from simlib.evidence.backtest.result import BackTest


def page(found: BackTest, candidate: str | None) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    found
        What `backtest` returns.
    candidate
        The forecaster that is compared with every baseline; none where all are baselines.
    """
    parts = [
        "# Back-tests: results",
        "Made by `make backtest`; do not edit. [What it means](../backtests.md).",
        *verdicts.setting(found),
        "## Mean CRPS",
        "In events, 95 % block-bootstrap interval in brackets. Lower is better.",
        markdown(verdicts.ranking(found)),
        f"## All scores of units, parts: {verdicts.parts_of(found)[0]}",
        markdown(verdicts.scoreboard(found)),
    ]
    if candidate is not None:
        parts += [
            f"## {candidate} minus each baseline, mean CRPS",
            "Negative: the candidate is better.",
            markdown(verdicts.verdict(found, candidate)),
            f"## {candidate} minus {verdicts.UNIT_BASELINE} by country and series",
            markdown(verdicts.against_unit_baseline(found, candidate)),
            *verdicts.sentences(found, candidate),
        ]
    for by in ("series", "horizon", "year", "activity", "governorate"):
        parts += [f"## Mean CRPS of units by {by}", markdown(verdicts.breakdown(found, by))]
    return "\n\n".join(parts) + "\n"


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    head = [str(name) for name in table.columns]
    rows = [
        [number(value) if isinstance(value, float) else str(value) for value in row]
        for row in table.itertuples(index=False, name=None)
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
