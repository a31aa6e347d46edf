"""Any replication again, from its address: the scenario, the option and its index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.ensemble.manifest import refuse_missing_agents
from simlib.ensemble.replications import Job, prepare
from simlib.ensemble.results import ReplayedStates, States
from simlib.ensemble.store import MANIFEST
from simlib.ensemble.verifying import refuse_unequal
from simlib.errors import StoreError
from simlib.files import csv_of_rows, write_file
from simlib.journal import MARKS, to_date, to_days
from simlib.scenario import load_text
from simlib.scenario.requests import day, whole
from simlib.scenario.schema import MOST_REPLICATIONS
from simlib.scenario.wording import near_or_all
from simlib.simulation import simulate

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from simlib.agents.base import Agent
    from simlib.ensemble.results import Ensemble
    from simlib.journal import Run


def replay(
    ensemble: Ensemble,
    replication: int,
    *,
    option: str | None = None,
    agents: Sequence[type[Agent]] = (),
) -> Run:
    """Regenerate one replication of an ensemble; see `Ensemble.replay`."""
    manifest = ensemble.manifest
    if option is None and len(ensemble.options) > 1:
        raise StoreError(f"say which option is replayed: {', '.join(ensemble.options)}")
    chosen = ensemble.of(ensemble.options[0] if option is None else option)
    replication = whole("replication", replication, 0, MOST_REPLICATIONS - 1)
    held = (each for each in chosen.entries() if each.first <= replication < each.stop)
    entry = next(held, None)
    if entry is None:
        raise StoreError(f"{ensemble.path}: holds no replication {replication}")
    refuse_missing_agents(manifest, agents)
    scenario = load_text(manifest["scenario"], file=str(ensemble.path / MANIFEST))
    prepared = prepare(Job(scenario, tuple(agents), tuple(manifest["without"])), chosen.options[0])
    run = simulate(prepared.blueprint, replication)
    refuse_unequal(ensemble.directory, entry, prepared, replication)
    return run


def states(ensemble: Ensemble, variable: str, on: str, n: int) -> States:
    """A state variable by place in replayed replications; see `Ensemble.states`."""
    import pandas as pd

    end = to_days(day("on", on)) + 1.0
    seen = ensemble.replayed_states(n)
    if variable not in seen.units:
        hint = near_or_all(variable, seen.units)
        raise StoreError(f"no state variable by place {variable!r}; {hint}")
    last = max(0, int((seen.times < end).sum()) - 1)
    frame = pd.DataFrame(
        seen.snapshots[:, last, seen.layout.slice_of(variable)],
        index=pd.Index(seen.replications, name="replication"),
        columns=list(seen.layout.places_of(variable)),
    )
    return States(frame, seen.units[variable], to_date(float(seen.times[last])))


def replayed_states(ensemble: Ensemble, n: int) -> ReplayedStates:
    """All states of the first replications; see `Ensemble.replayed_states`."""
    manifest = ensemble.manifest
    refuse_missing_agents(manifest, ())
    scenario = load_text(manifest["scenario"], file=str(ensemble.path / MANIFEST))
    prepared = prepare(Job(scenario, (), tuple(manifest["without"])), ensemble.options[0])
    wanted = ensemble.replications[:n].tolist()
    if not wanted:
        raise StoreError(f"{ensemble.path}: every replication failed, so there is no state")
    first = next(e for e in ensemble.entries() if e.first <= wanted[0] < e.stop)
    refuse_unequal(ensemble.directory, first, prepared, wanted[0])
    runs = [simulate(prepared.blueprint, replication) for replication in wanted]
    return ReplayedStates(
        tuple(wanted),
        runs[0].snapshot_times,
        np.stack([run.snapshots for run in runs]),
        runs[0].layout,
        {name: each.unit for name, each in scenario.state.items() if each.over != "national"},
    )


def write_journal(run: Run, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the whole journal of a run as CSV: incidents and decisions in order of time.

    ``time`` is in days since 2000-01-01; what is dated before the scenario's start is the
    history drawn for it. ``row`` is the row among incidents or among decisions. ``caused_by``
    names the incident that excited one (``incident 12``), else the decision that opened its
    channel (``decision 3``); of a decision, what woke the agent.

    Raises
    ------
    StoreError
        Another file is there, or it cannot be written.
    """
    rows = sorted([*_incident_rows(run), *_decision_rows(run)], key=lambda row: row["time"])
    lines = ([row.get(name, "") for name in _FIELDS] for row in rows)
    write_file(Path(path), csv_of_rows(_FIELDS, lines), force=overwrite)


_FIELDS = (
    *("time", "date", "kind", "row", "what", "place", "target", "caused_by"),
    *("agent", "taken", "probability", "value", "cause"),
    *MARKS,
)


def _incident_rows(run: Run) -> Iterator[dict[str, Any]]:
    incidents, channels = run.incidents, run.incidents.channels
    for row in range(len(incidents)):
        channel = int(incidents.channel[row])
        yield {
            "time": float(incidents.time[row]),
            "date": to_date(float(incidents.time[row])),
            "kind": "incident",
            "row": row,
            "what": channels.types[channel],
            "place": channels.places[channel],
            "target": channels.targets[channel],
            "caused_by": incidents.caused_by(row),
            **dict(zip(MARKS, incidents.marks[row].tolist(), strict=True)),
        }


def _decision_rows(run: Run) -> Iterator[dict[str, Any]]:
    for row, decision in enumerate(run.decisions):
        yield {
            "time": decision.time,
            "date": to_date(decision.time),
            "kind": "decision",
            "row": row,
            "what": decision.name,
            "place": decision.place or "",
            "agent": decision.agent,
            "taken": decision.taken,
            "probability": decision.probability,
            "value": decision.value,
            "caused_by": decision.caused_by,
            "cause": decision.cause,
        }
