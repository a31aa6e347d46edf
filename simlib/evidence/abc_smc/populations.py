"""Sequential Monte Carlo over populations, each of which is stored when it is complete.

T. Toni, D. Welch, N. Strelkowa, A. Ipsen and M. P. H. Stumpf (2009), doi
10.1098/rsif.2008.0172, as pyABC has it (Schälte et al. 2022, doi 10.21105/joss.04304). Unknowns
are moved in the unit cube of their priors' cumulative probabilities, so any prior will do.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.ensemble.execution import Execution, Progress, execution_of
from simlib.errors import Problem, ScenarioError
from simlib.evidence.abc_smc.inverse_problems import (
    Generation,
    InverseProblem,
    Inversion,
    InversionError,
)
from simlib.files import SEAL, make_folder, read_sealed, refuse_links, sealed_json, write_whole
from simlib.scenario.requests import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Listener

MOST_POPULATION, MOST_GENERATIONS = 100_000, 100
_STORE, _IDENTITY = "populations.db", "inversion.json"
_MOST_IDENTITY = 2**16
_TABLES = frozenset(
    [
        *("abc_smc", "models", "parameters", "particles", "populations", "samples"),
        *("summary_statistics", "version"),
    ]
)
"""Of pyABC's stores."""
_REMEDY = "move it away, or choose another folder"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is simulated.

    Attributes
    ----------
    population
        Accepted runs of a generation, 20 to `MOST_POPULATION`.
    generations
        How many, 1 to `MOST_GENERATIONS`, each with half of the last one's distances as its
        tolerance.
    """

    population: int = 200
    generations: int = 6

    def __post_init__(self) -> None:
        """Refuse fewer than 20 runs a generation or no generation, and too many."""
        whole("population", self.population, 20, MOST_POPULATION)
        whole("generations", self.generations, 1, MOST_GENERATIONS)


def invert(
    problem: InverseProblem, effort: Effort | None = None, **execution: Unpack[Execution]
) -> Inversion:
    """Draw from the approximate posterior; go on where a stopped inversion ended.

    Each complete generation is stored in the directory. pyABC proposes with NumPy's global
    generator, so that populations differ from run to run unless the caller seeds it; what is
    stored is kept.

    Parameters
    ----------
    problem
        Simulator, priors and observation.
    effort
        How much to simulate. Fewer generations than stored ones add nothing.
    execution
        Where generations are stored (``directory``, which must be given), and who hears of each,
        also of those stored before (``progress``). It runs in this process only.

    Raises
    ------
    ScenarioError
        No directory is given, or workers are.
    InversionError
        The folder holds another problem's populations, or a store that is not pyABC's.
    StoreError
        It cannot be written, or holds a link.
    """
    wanted = effort if effort is not None else Effort()
    folder, tell = _kept_and_told(execution_of(execution))
    _claim(folder, problem, wanted)
    weights = problem.projection()
    told = 0
    with _quiet():
        sampler = _continued(problem, folder, wanted, weights)
        while True:
            generations = _generations(sampler.history, wanted)
            for each in generations[told:]:
                tell(Progress("note", each.number, each.n_generations, note=str(each)))
            told = len(generations)
            if told >= wanted.generations:
                return _last(problem, sampler.history, generations)
            sampler.run(max_nr_populations=1)
            # Each generation begins from the store, so that stopping changes nothing; the
            # tolerance is set from the last population there.
            sampler = _continued(problem, folder, wanted, weights)


def _kept_and_told(where: Execution) -> tuple[Path, Listener]:
    directory, progress = where.get("directory"), where.get("progress")
    problems = [
        Problem(name, "must be left out: an inversion runs in this process", f"got {value!r}")
        for name, value in (("jobs", where.get("jobs")), ("scheduler", where.get("scheduler")))
        if value is not None and (name, value) != ("jobs", 1)
    ]
    if directory is None:
        problems.append(Problem("directory", "must be given: generations are stored there"))
        raise ScenarioError(problems)
    if problems:
        raise ScenarioError(problems)
    return Path(directory), progress or (lambda _progress: None)


def _claim(folder: Path, problem: InverseProblem, effort: Effort) -> None:
    """Write what the folder is for, or check that it is for this."""
    identity = {"digest": problem.digest, "population": effort.population}
    make_folder(folder)
    refuse_links(folder)
    path = folder / _IDENTITY
    if not path.exists():
        if (folder / _STORE).exists():
            raise InversionError(f"{folder}: holds populations of nobody knows what")
        write_whole(path, sealed_json(identity))
        return
    said = read_sealed(path, _MOST_IDENTITY)
    if {key: value for key, value in said.items() if key != SEAL} != identity:
        raise InversionError(
            f"{folder}: holds an inversion of another problem or population size; "
            "choose another folder or delete it"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep pyABC's log to what is wrong."""
    importlib.import_module("pyabc")
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if "ABC" in name]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _continued(
    problem: InverseProblem, folder: Path, effort: Effort, weights: NDArray[np.float64]
) -> Any:
    """Stand a sampler at the end of what is stored, which may be nothing."""
    sampler = _sampler(problem, effort, weights)
    path = folder.resolve() / _STORE
    if _is_begun(path):
        sampler.load(f"sqlite:///{path}")
    else:
        write_whole(path, b"")  # an empty database: what was cut off begins anew
        sampler.new(f"sqlite:///{path}", {"summaries": problem.observed})
    return sampler


def _is_begun(path: Path) -> bool:
    """Tell whether a store has its observation, which it may lack if it was cut off."""
    if not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {name for (name,) in rows}
            count = 0
            if "populations" in names:
                (count,) = connection.execute("SELECT count(*) FROM populations").fetchone()
        except sqlite3.DatabaseError as error:
            raise InversionError(f"{path}: cannot be read ({error}); {_REMEDY}") from error
    if not names <= _TABLES:
        other = min(names - _TABLES)
        raise InversionError(f"{path}: is no store of populations (got {other}); {_REMEDY}")
    return bool(count)


def _sampler(problem: InverseProblem, effort: Effort, weights: NDArray[np.float64]) -> Any:
    import pyabc

    def model(parameters: Any) -> dict[str, NDArray[np.float64]]:
        places = {name: float(parameters[name]) for name in problem.priors}
        return {"summaries": problem.summaries(places)}

    def distance(x: Any, x0: Any) -> float:
        return float(np.linalg.norm(weights @ (x["summaries"] - x0["summaries"])))

    return pyabc.ABCSMC(
        models=model,
        parameter_priors=pyabc.Distribution(
            **{name: pyabc.RV("uniform", 0.0, 1.0) for name in problem.priors}
        ),
        distance_function=distance,
        population_size=effort.population,
        eps=pyabc.QuantileEpsilon(alpha=0.5),
        sampler=pyabc.SingleCoreSampler(),
    )


def _generations(history: Any, effort: Effort) -> tuple[Generation, ...]:
    table = history.get_all_populations()
    return tuple(
        Generation(int(row.t) + 1, effort.generations, float(row.epsilon), int(row.samples))
        for row in table.itertuples()
        if row.t >= 0
    )


def _last(problem: InverseProblem, history: Any, generations: tuple[Generation, ...]) -> Inversion:
    table, weights = history.get_distribution(m=0, t=len(generations) - 1)
    places = np.array([table[name].to_numpy(dtype=np.float64) for name in problem.priors])
    total = np.asarray(weights, dtype=np.float64)
    return Inversion(problem, places, total / total.sum(), generations)
