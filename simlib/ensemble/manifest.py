"""What a results directory says of itself: the scenario and all that fixed the results."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypeAlias

from pydantic import AfterValidator, Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from simlib.agents.registry import agent_names, is_of_simlib
from simlib.ensemble.environment import versions
from simlib.ensemble.store import BEFORE, FORMAT, MANIFEST, SAVED, reopen
from simlib.errors import ScenarioError, StoreError
from simlib.outcomes import kind_of, label_of, month_starts, unit_of
from simlib.scenario import differences, digest, load_text, resolve
from simlib.scenario.canonical import explicit
from simlib.scenario.map_outlines import map_of
from simlib.scenario.variants import lines as lines_of
from simlib.simulation import chosen_agents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from simlib.agents.base import Agent
    from simlib.ensemble.replications import Job
    from simlib.ensemble.store import Directory
    from simlib.scenario.schema import Scenario


_Text: TypeAlias = Annotated[str, Strict()]
_Date: TypeAlias = Annotated[_Text, AfterValidator(dt.date.fromisoformat)]


class _Outcome(TypedDict):
    kind: _Text
    unit: _Text
    classes: list[_Text]
    description: _Text
    label: NotRequired[_Text]
    topic: NotRequired[_Text]


class _Stopped(TypedDict):
    replications: Annotated[int, Strict()]
    why: _Text


_Ring: TypeAlias = list[tuple[float, float]]


class _Area(TypedDict):
    polygons: list[list[_Ring]]
    label: tuple[float, float]


class _Map(TypedDict):
    source: _Text
    areas: dict[_Text, _Area]
    bases: dict[_Text, _Text]
    segments: dict[_Text, tuple[_Text, _Text]]
    where: dict[_Text, list[_Text]]
    states: NotRequired[dict[_Text, _Text]]


class _Manifest(TypedDict):
    """What a manifest must say, as far as anything reads it."""

    name: _Text
    context_of_use: _Text
    options: Annotated[list[_Text], Field(min_length=1)]
    replications: Annotated[int, Strict(), Field(ge=1, le=2**31)]
    root_seed: Annotated[int, Strict(), Field(ge=0, lt=2**63)]
    design: _Text
    journals: Annotated[bool, Strict()]
    scenario_digest: _Text
    agents: dict[_Text, _Text]
    without: list[_Text]
    made_by: Annotated[list[dict[_Text, _Text]], Field(min_length=1)]
    months: list[_Date]
    start: _Date
    end: _Date
    types: list[_Text]
    places: dict[_Text, _Text]
    milestones: dict[_Text, _Date]
    outcomes: dict[_Text, _Outcome]
    scenario: _Text
    map: NotRequired[_Map]
    stopped: NotRequired[_Stopped]


def reopened(path: Path) -> Directory:
    """A results directory whose manifest says all that is read of it.

    Raises
    ------
    StoreError
        There are no results, or the manifest is none of simlib's.
    """
    directory = reopen(path)
    try:
        TypeAdapter(_Manifest).validate_python(directory.manifest)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreError(f"{path / MANIFEST}: {where}: {first['msg'].lower()}") from error
    if directory.manifest["simlib_results"] == BEFORE:
        _refuse_changed(directory)
    return directory


def refuse_other(found: Directory, manifest: dict[str, Any]) -> None:
    """Refuse to add to results that another scenario or other agents made.

    The `StoreError` says what differs, a line for each field.
    """
    before = found.manifest
    if before.get("scenario_digest") != manifest["scenario_digest"]:
        what = ["another scenario", *_differing_fields(found, manifest)]
    elif before.get("agents") != manifest["agents"]:
        what = ["other added agents", *_differing_agents(before["agents"], manifest["agents"])]
    elif before.get("without") != manifest["without"]:
        there, here = (", ".join(side["without"]) or "none" for side in (before, manifest))
        what = ["other agents left out", f"without: {there} there, {here} here"]
    else:
        return
    first, *more = what
    lines = [f"{found.path}: holds results of {first}; give another directory", *more]
    raise StoreError("\n  ".join(lines))


def _differing_fields(found: Directory, manifest: dict[str, Any]) -> list[str]:
    try:
        there = load_text(found.manifest["scenario"], file=str(found.path / MANIFEST))
    except (KeyError, ScenarioError):
        return ["(its scenario cannot be read by this version)"]
    here = load_text(manifest["scenario"])
    fields = [each for each in differences(there, here) if each.path != "replications"]
    return lines_of(fields)


def _differing_agents(before: dict[str, str], now: dict[str, str]) -> list[str]:
    both = sorted(before.keys() | now.keys())
    kinds = {
        (True, False): "not added here",
        (False, True): "not added there",
        (True, True): "another source",
    }
    return [
        f"agents.{name}: {kinds[name in before, name in now]}"
        for name in both
        if before.get(name) != now.get(name)
    ]


def refuse_missing_agents(manifest: dict[str, Any], agents: Sequence[type[Agent]]) -> None:
    """Refuse to go on without agent classes that were added when results were made.

    Raises `StoreError` where some are neither given nor installed.
    """
    missing = manifest["agents"].keys() - {agent.name for agent in agents} - agent_names()
    if missing:
        raise StoreError(f"give the agents that were added: {', '.join(sorted(missing))}")


def manifest_of(job: Job, options: tuple[str, ...]) -> dict[str, Any]:
    """The manifest of an ensemble."""
    scenario = job.scenario
    drawn = map_of(scenario)
    return {
        "simlib_results": FORMAT,
        **_said_by(scenario),
        "options": list(options),
        "replications": scenario.replications,
        "journals": job.journals,
        "agents": _added_agents(job),
        "without": sorted(job.without),
        "made_by": [versions()],
        **({} if drawn is None else {"map": drawn}),
        "question": None if scenario.question is None else explicit(scenario.question),
        "scenario": resolve(scenario),
    }


def _said_by(scenario: Scenario) -> dict[str, Any]:
    """What the scenario alone says of a manifest."""
    return {
        "name": scenario.name,
        "context_of_use": scenario.context_of_use,
        "root_seed": scenario.root_seed,
        "design": scenario.design,
        "scenario_digest": scenario_digest(scenario),
        "months": [month.isoformat() for month in month_starts(scenario)],
        "start": scenario.start.isoformat(),
        "end": scenario.end.isoformat(),
        "types": sorted(scenario.incidents),
        "places": {name: _country(scenario, name) for name in scenario.places},
        "milestones": {n: m.date.isoformat() for n, m in scenario.timeline.items() if m.date},
        "outcomes": {
            name: {
                "kind": kind_of(outcome),
                "unit": unit_of(outcome, scenario),
                "classes": list(outcome.classes),
                "description": outcome.description,
                "label": label_of(name, outcome.label),
                "topic": outcome.topic,
                **({"follows": outcome.start} if isinstance(outcome.start, str) else {}),
            }
            for name, outcome in scenario.outcomes.items()
        },
    }


def _without_words(outcomes: dict[str, Any]) -> dict[str, Any]:
    """What is said of outcomes, without labels and topics: results of before have none."""
    return {
        name: {key: value for key, value in said.items() if key not in {"label", "topic"}}
        for name, said in outcomes.items()
    }


def _refuse_changed(directory: Directory) -> None:
    """Refuse a manifest of before, which has no hash, that is not what its scenario says."""
    manifest, file = directory.manifest, directory.path / MANIFEST
    try:
        scenario = load_text(manifest["scenario"], file=str(file))
    except ScenarioError as error:
        raise StoreError(f"{file}: its scenario cannot be read by this version") from error
    said, outcomes = _said_by(scenario), _without_words(manifest["outcomes"])
    said["outcomes"] = _without_words(said["outcomes"])
    rules = [
        f"{field} is not what its scenario says"
        for field, value in said.items()
        if {**manifest, "outcomes": outcomes}[field] != value
    ]
    rules += [
        f"option {option} is none of its scenario's"
        for option in manifest["options"]
        if option and option not in scenario.options
    ]
    if manifest["journals"] and not (directory.path / "incidents").is_dir():
        rules.append("journals were not kept")
    if rules:
        raise StoreError(f"{file}: damaged (was changed: {rules[0]}); move it away, and {SAVED}")


def scenario_digest(scenario: Scenario) -> str:
    """The digest of all that makes a replication of a scenario what it is."""
    return digest(scenario.model_copy(update={"replications": 1}))


def _added_agents(job: Job) -> dict[str, str]:
    """A digest of the source of each agent that simlib's version does not stand for.

    Of a class given by hand it is the class's own; of one that another package brings that
    of its module.
    """
    living = chosen_agents(job.scenario, job.agents, job.without)
    installed = [agent for agent in living if agent not in job.agents and not is_of_simlib(agent)]
    return {
        **{agent.name: _source_digest(agent) for agent in job.agents},
        **{agent.name: _source_digest(agent, inspect.getmodule(agent)) for agent in installed},
    }


def _source_digest(agent: type, module: ModuleType | None = None) -> str:
    try:
        source = inspect.getsource(module or agent)
    except (OSError, TypeError):
        # A class typed at a prompt has no source to be found.
        source = f"{agent.__module__}.{agent.__qualname__}"
    return hashlib.sha256(source.encode()).hexdigest()


def _country(scenario: Scenario, name: str) -> str:
    place = scenario.places[name]
    if place.country is not None:
        return place.country
    beside = place.within or (place.ends[1] if place.ends else None)
    return _country(scenario, beside) if beside else ""
