"""From a scenario to an ensemble: begin, resume, extend."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simlib.agents.registry import agent_names
from simlib.chance import designs
from simlib.ensemble import stopping, store
from simlib.ensemble.execution import Progress, checked_jobs
from simlib.ensemble.manifest import (
    manifest_of,
    refuse_missing_agents,
    refuse_other,
    reopened,
)
from simlib.ensemble.replications import Job, prepare
from simlib.ensemble.restoring import upgrade, with_new_manifest
from simlib.ensemble.results import Ensemble
from simlib.ensemble.stored_tables import Outcomes
from simlib.ensemble.work_queue import Work, Workers
from simlib.errors import Problem, ScenarioError, StoreError
from simlib.files import make_folder
from simlib.scenario import as_scenario, load_text
from simlib.scenario.requests import LAST_SEED, whole
from simlib.scenario.schema import MOST_REPLICATIONS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from simlib.agents.base import Agent
    from simlib.ensemble.execution import Listener
    from simlib.ensemble.executors import StartMethod
    from simlib.ensemble.store import Directory
    from simlib.scenario.schema import Scenario


def run(  # noqa: PLR0913  (one door for every ensemble; all but the scenario have defaults)
    scenario: Scenario | str | os.PathLike[str],
    *,
    option: str | None = None,
    options: Sequence[str] | Literal["all"] | None = None,
    replications: int | range | None = None,
    until: str | None = None,
    root_seed: int | None = None,
    jobs: int | None = None,
    scheduler: Any = None,
    agents: Sequence[type[Agent]] = (),
    without: Sequence[str] = (),
    directory: str | os.PathLike[str] | None = None,
    journals: bool = False,
    progress: Listener | None = None,
    chunk_size: int | None = None,
    start_method: StartMethod = "loky",
) -> Ensemble:
    """Simulate an ensemble.

    Parameters
    ----------
    scenario
        A scenario, or the path or bundled name of one.
    option, options
        One option, or several (``"all"``: every one); the scenario as it is written
        when neither is given. Options share their luck replication by replication.
    replications
        How many (the scenario's number when not given), or which: ``range(100, 200)``.
    until
        Stop as soon as this holds, looking at sizes fixed in advance; `replications` is
        then the most (100,000 when not given). ``"OUTCOME[.CLASS] +- HALF_WIDTH"`` of the
        95 % interval, or ``"wrong ranking of OUTCOME[.CLASS] < PROBABILITY"`` of options.
    root_seed
        Replaces the scenario's.
    jobs
        Number of worker processes; by default one for each core, and none for an
        ensemble of a few seconds. It changes no number.
    scheduler
        Run on Dask workers instead: the address of a scheduler, a ``distributed.Client``,
        or ``"local"`` for `jobs` workers here. Needs the extra ``dask``.
    agents, without
        Agent classes added to the scenario's, and names of its agents left out.
    directory
        Where results are kept. Results of the same scenario that are there already are
        completed, not redone. Without it they live as long as the ensemble returned.
    journals
        Keep every incident of every replication too (much larger; `Ensemble.replay`
        makes any of them again without). Fixed when a directory is begun.
    progress
        Called with a `Progress` when something is done.
    chunk_size
        Replications in one file; it changes no number.
    start_method
        ``loky``, ``spawn`` or ``fork``.

    Returns
    -------
    Ensemble
        All the results the directory holds.

    Raises
    ------
    ScenarioError
        The scenario is wrong or has no such option, or `until` is no rule.
    StoreError
        The directory is that of another scenario, is being written by another run, or
        cannot be written.
    SimulationError
        Two runs of one replication differ, or workers have other versions.
    """
    there = {*agent_names(), *(agent.name for agent in agents), *without}
    scenario = as_scenario(scenario, agents=there)
    wanted = _replications(scenario, replications, until)
    if until is None:
        scenario = scenario.model_copy(update={"replications": wanted.stop})
    scenario = _with_seed(scenario, root_seed)
    chosen = _options(scenario, option, options)
    path = None if directory is None else Path(directory)
    job = Job(scenario, tuple(agents), tuple(without), _keeps_journals(path, asked=journals))
    workers = _workers(jobs, start_method, scheduler, chunk_size)
    return _simulated(job, chosen, wanted, path, until, workers, progress)


def extend(  # noqa: PLR0913  (what `run` takes, less what the directory knows)
    ensemble: Ensemble,
    replications: int | None = None,
    *,
    until: str | None = None,
    jobs: int | None = None,
    scheduler: Any = None,
    agents: Sequence[type[Agent]] = (),
    progress: Listener | None = None,
) -> Ensemble:
    """Simulate more replications of a kept ensemble; see `Ensemble.extend`."""
    manifest = ensemble.manifest
    refuse_missing_agents(manifest, agents)
    scenario = load_text(manifest["scenario"], file=str(ensemble.path / store.MANIFEST))
    wanted = _replications(scenario, replications, until)
    if until is None:
        scenario = scenario.model_copy(update={"replications": wanted.stop})
    job = Job(scenario, tuple(agents), tuple(manifest["without"]), manifest["journals"])
    workers = _workers(jobs, "loky", scheduler, None)
    return _simulated(job, ensemble.options, wanted, ensemble.path, until, workers, progress)


def _simulated(  # noqa: PLR0913, PLR0917
    job: Job,
    options: tuple[str, ...],
    wanted: range,
    path: Path | None,
    until: str | None,
    workers: Workers,
    progress: Listener | None,
) -> Ensemble:
    """Return the ensemble of a directory in which nothing is missing any more."""
    rule = None if until is None else stopping.rule_of(until, job.scenario, options)
    prepared = {name: prepare(job, name) for name in options}
    tell = progress or (lambda _progress: None)
    with (
        _opened(path, job, options, tell) as directory,
        Work(job, prepared, directory, tell, workers) as work,
    ):
        work.survey(wanted)
        if rule is None:
            work.do(wanted.stop)
        else:
            _until(rule, str(until), work, wanted.stop)
        work.finish()
    return Ensemble(directory)


def _until(rule: stopping.Rule, text: str, work: Work, most: int) -> None:
    """Simulate up to the first size at which a rule holds, and keep why it stopped."""
    for look, n in enumerate(stopping.looks(work.job.scenario.design, most), start=1):
        work.do(n)
        directory = work.directory
        first = {
            option: Outcomes(directory.entries(option), directory.manifest, before=n)
            for option in work.prepared
        }
        verdict = rule.judge(first, n, look)
        if verdict.is_met or n == most:
            break
        work.note(f"going on: {verdict.text}")
    why = verdict.text if verdict.is_met else f"the most asked for; {verdict.text}"
    work.note(f"stopped: {why}")
    stopped = {"until": text, "replications": n, "is_met": verdict.is_met, "why": why}
    work.directory.write_manifest({**work.directory.manifest, "stopped": stopped})


def _replications(scenario: Scenario, replications: int | range | None, until: str | None) -> range:
    """Return which replications are wanted, at most."""
    usual = scenario.replications if until is None else stopping.MOST
    wanted = usual if replications is None else replications
    if not isinstance(wanted, range):
        wanted = range(whole("replications", wanted, 1, MOST_REPLICATIONS))
    chosen = wanted
    rule = ""
    if not chosen or chosen.step != 1 or chosen.start < 0:
        rule = f"must be at least one replication from 0 on (got {replications})"
    elif chosen.stop > MOST_REPLICATIONS:
        rule = f"must be replications below {MOST_REPLICATIONS} (got {replications})"
    elif until is not None and chosen.start:
        rule = f"must begin with 0 where a rule says when to stop (got {replications})"
    for edge in (chosen.start, chosen.stop):
        rule = rule or designs.broken_rule(scenario.design, edge)
    if rule:
        raise ScenarioError([Problem("replications", rule)])
    return chosen


def _with_seed(scenario: Scenario, root_seed: int | None) -> Scenario:
    if root_seed is None:
        return scenario
    return scenario.model_copy(update={"root_seed": whole("root_seed", root_seed, 0, LAST_SEED)})


def _options(
    scenario: Scenario, option: str | None, options: Sequence[str] | Literal["all"] | None
) -> tuple[str, ...]:
    if option is not None and options is not None:
        raise ScenarioError([Problem("options", "give option or options, not both")])
    if options == "all":
        return tuple(scenario.options) or ("",)
    chosen = tuple(dict.fromkeys(options or ([option] if option is not None else [""])))
    problems = [
        Problem(f"options.{name}", "no such option", f"one of {', '.join(scenario.options)}")
        for name in chosen
        if name and name not in scenario.options
    ]
    if problems:
        raise ScenarioError(problems)
    return chosen


def _workers(
    jobs: int | None, start_method: StartMethod, scheduler: Any, chunk_size: int | None
) -> Workers:
    if jobs is not None:
        jobs = checked_jobs(jobs)
    if chunk_size is not None:
        chunk_size = whole("chunk_size", chunk_size, 1, MOST_REPLICATIONS)
    return Workers(jobs, start_method, scheduler, chunk_size)


def _keeps_journals(path: Path | None, *, asked: bool) -> bool:
    """Whether journals are kept: as a directory that is there already was begun."""
    if path is None or store.is_free(path):
        return asked
    if store.has_lost_manifest(path):
        kept = (path / "incidents").is_dir()
    else:
        kept = bool(reopened(path).manifest["journals"])
    if asked and not kept:
        raise StoreError(
            f"{path}: was begun without journals; give another directory, or replay what you need"
        )
    return kept


@contextlib.contextmanager
def _opened(
    path: Path | None, job: Job, options: tuple[str, ...], tell: Listener
) -> Iterator[Directory]:
    """Hold the directory of an ensemble, begun or found, for writing."""
    manifest = manifest_of(job, options)
    if path is None:
        yield store.create(None, manifest)
        return
    if store.is_free(path):
        make_folder(path)
    elif not store.has_lost_manifest(path):
        refuse_other(reopened(path), manifest)
    with store.locked(path):
        yield _held(path, job, manifest, tell)


def _held(path: Path, job: Job, manifest: dict[str, Any], tell: Listener) -> Directory:
    """Return the directory of an ensemble, whole again as far as it was not."""
    # Another run may have begun it in the meantime.
    if store.is_free(path):
        return store.create(path, manifest)
    if store.has_lost_manifest(path):
        directory = with_new_manifest(path, manifest, ("", *job.scenario.options))
    else:
        directory = reopened(path)
        refuse_other(directory, manifest)
    for name in directory.manifest["options"]:
        directory.listing(name).refuse_foreign()
    for note in directory.sweep():
        tell(Progress("note", 0, 0, note=note))
    upgrade(directory, job, tell)
    _widen(directory, manifest)
    return directory


def _widen(directory: Directory, manifest: dict[str, Any]) -> None:
    """Let the manifest speak of all that is there now: options, replications, versions."""
    before = directory.manifest
    merged = {
        **before,
        "options": list(dict.fromkeys([*before["options"], *manifest["options"]])),
        "replications": max(before["replications"], manifest["replications"]),
    }
    if merged != before:
        directory.write_manifest(merged)
