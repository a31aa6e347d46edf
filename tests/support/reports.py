"""Results for reports: of two options with decisions, and of a scenario that means harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import simlib
from simlib.scenario import load_text
from support.agents import Watcher
from support.scenarios import TEXT, watched

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<b>bold</b> <script>alert(1)</script> \"'&=` \x1b[31mred \u202eback"
"""What a page must show and never obey."""

BORDERS = {
    "type": "FeatureCollection",
    "source": "made up",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 30], [x + 1, 30], [x + 1, 31], [x, 31], [x, 30]]],
            },
        }
        for name, x in (("North", 40), ("South", 41), ("East", 42))
    ],
}
"""Three squares in a row, the areas of the small scenario."""


def borders_in(folder: Path) -> str:
    """Write the squares to a file of a folder, and return where it is."""
    file = folder / "squares.geojson"
    file.write_text(json.dumps(BORDERS), encoding="utf-8")
    return str(file)


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
