"""Questions about the small scenario, for the tests of ledgers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from simlib.evidence.ledger.freezing import freeze
from small_scenarios import TEXT

if TYPE_CHECKING:
    from pathlib import Path

QUESTIONS: dict[str, Any] = {
    "raids": {
        "text": "Raids in the first half of 2000, everywhere.",
        "kind": "number",
        "outcome": "raids",
        "resolves_on": "2000-07-31",
        "source": "nobody",
        "base": {"values": [10, 20], "times": 6, "source": "history"},
    },
    "many_raids": {
        "text": "Whether there are 90 raids or more in all.",
        "kind": "binary",
        "outcome": "raids",
        "at_least": 90,
        "resolves_on": "2000-07-31",
        "earliest": "2000-02-01",
        "source": "nobody",
        "base": {"probability": 0.5, "source": "history"},
    },
    "patrols_january": {
        "text": "Patrols in January of 2000, in both countries.",
        "kind": "number",
        "reads": {"count": "patrol", "from": "2000-01-01", "to": "2000-01-31"},
        "resolves_on": "2000-02-15",
        "source": "nobody",
        "base": {"distribution": {"gamma": {"shape": 2, "mean": 4}}, "source": "history"},
    },
    "exit": {
        "text": "How the exit of 30 April 2000 ends.",
        "kind": "classes",
        "reads": {"milestone": "exit", "classes": ["met", "slipped"]},
        "resolves_on": "2000-07-31",
        "source": "nobody",
        "base": {"classes": {"met": 0.5, "slipped": 0.25, "open": 0.25}, "source": "history"},
    },
}


def questions(**changed: dict[str, Any]) -> dict[str, Any]:
    """Return the questions as in a file, some of them with other keys."""
    asked = copy.deepcopy(QUESTIONS)
    for name, keys in changed.items():
        asked[name].update(keys)
    return {"questions": asked}


def scenario_file(folder: Path) -> Path:
    """Write the small scenario to a folder."""
    file = folder / "small.yaml"
    file.write_text(TEXT)
    return file


def small_ledger(folder: Path, n: int = 40) -> dict[str, Any]:
    """Freeze the questions over a few replications in this process."""
    return freeze(scenario_file(folder), questions(), replications=n, jobs=1)
