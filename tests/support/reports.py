"""Results for reports: of two options with decisions, and of a scenario that means harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simlib
from simlib.scenario import load_text
from support.agents import Watcher
from support.scenarios import TEXT, watched

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<b>bold</b> <script>alert(1)</script> \"'&=` \x1b[31mred \u202eback"
"""What a page must show and never obey."""


def results_of(directory: Path, replications: int = 40) -> Path:
    """Simulate the small scenario with decisions under two options, and return where."""
    options = ["as_planned", "later"]
    simlib.run(
        watched(), options=options, replications=replications, agents=[Watcher],
        directory=directory, jobs=1,
    )  # fmt: skip
    return directory


def hostile_results(directory: Path) -> Path:
    """Simulate a scenario whose texts are HTML, escapes and bidi controls."""
    scenario = load_text(TEXT)
    outcomes = {
        name: outcome.model_copy(update={"description": HOSTILE})
        for name, outcome in scenario.outcomes.items()
    }
    raids = outcomes["raids"].model_copy(
        update={"unit": HOSTILE, "label": HOSTILE, "topic": HOSTILE}
    )
    hostile = scenario.model_copy(
        update={"context_of_use": HOSTILE, "outcomes": outcomes | {"raids": raids}}
    )
    options = ["as_planned", "later"]
    simlib.run(hostile, options=options, replications=30, directory=directory, jobs=1)
    return directory
