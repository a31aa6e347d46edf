"""What a results directory says of itself: the scenario and all that fixed the results."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

from simlib._version import __version__
from simlib.errors import StoreError
from simlib.outcomes import kind_of, month_starts, unit_of
from simlib.scenario import digest, resolve

if TYPE_CHECKING:
    from simlib.ensemble.replications import Job
    from simlib.ensemble.store import Directory
    from simlib.scenario.schema import Scenario


def refuse_other(found: Directory, manifest: dict[str, Any]) -> None:
    """Refuse to add to results that another scenario or other agents made.

    Raises
    ------
    StoreError
        One line that says what differs.
    """
    before = found.manifest
    if before.get("scenario_digest") != manifest["scenario_digest"]:
        what = f"another scenario{_first_difference(before, manifest)}"
    elif before.get("agents") != manifest["agents"]:
        what = "other added agents"
    elif before.get("without") != manifest["without"]:
        what = "other agents left out"
    else:
        return
    raise StoreError(f"{found.path}: holds results of {what}; give another directory")


def _first_difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    lines = (str(side.get("scenario", "")).splitlines() for side in (before, now))
    for there, here in itertools.zip_longest(*lines, fillvalue=""):
        if there != here and not there.startswith("replications:"):
            return f" ({there.strip() or 'nothing'} there, {here.strip() or 'nothing'} here)"
    return ""


def manifest_of(job: Job, options: tuple[str, ...]) -> dict[str, Any]:
    """Return the manifest of an ensemble."""
    scenario = job.scenario
    return {
        "simlib_results": 1,
        "name": scenario.name,
        "context_of_use": scenario.context_of_use,
        "options": list(options),
        "replications": scenario.replications,
        "root_seed": scenario.root_seed,
        "scenario_digest": digest(scenario.model_copy(update={"replications": 1})),
        "agents": {agent.name: _source_digest(agent) for agent in job.agents},
        "without": sorted(job.without),
        "versions": _versions(),
        "months": [month.isoformat() for month in month_starts(scenario)],
        "start": scenario.start.isoformat(),
        "end": scenario.end.isoformat(),
        "types": sorted(scenario.incidents),
        "places": {name: _country(scenario, name) for name in scenario.places},
        "milestones": {name: m.date.isoformat() for name, m in scenario.timeline.items()},
        "outcomes": {
            name: {
                "kind": kind_of(outcome),
                "unit": unit_of(outcome, scenario),
                "classes": list(outcome.classes),
                "description": outcome.description,
            }
            for name, outcome in scenario.outcomes.items()
        },
        "scenario": resolve(scenario),
    }


def _source_digest(agent: type) -> str:
    try:
        source = inspect.getsource(agent)
    except (OSError, TypeError):
        # A class typed at a prompt has no source to be found.
        source = f"{agent.__module__}.{agent.__qualname__}"
    return hashlib.sha256(source.encode()).hexdigest()


def _versions() -> dict[str, str]:
    packages = ("numpy", "numba", "simpy", "scipy", "pyarrow")
    found = {name: metadata.version(name) for name in packages}
    return {"simlib": __version__, "python": platform.python_version(), **found}


def _country(scenario: Scenario, name: str) -> str:
    place = scenario.places[name]
    if place.country is not None:
        return place.country
    beside = place.within or (place.ends[1] if place.ends else None)
    return _country(scenario, beside) if beside else ""
