"""A ledger as a table that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlib.evidence.ledger.ledger_scores import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def told(ledger: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row a question: what is forecast, what the base rate says, when it resolves.

    Probabilities of a yes or of classes; of numbers the median with its 90 % interval.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "id": question["id"],
                "kind": question["kind"],
                "forecast": shown(question["forecast"]),
                "base rate": shown(question["base"]),
                "resolves on": question["resolves_on"],
            }
            for question in ledger["questions"]
        ]
    )
