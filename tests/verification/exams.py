"""Cases of the SBML Discrete Stochastic Model Test Suite, in the public vocabulary.

The models are those of Evans, Gillespie and Wilkinson (2008,
doi:10.1093/bioinformatics/btm566); the exact moments beside this file were computed from
the models. The engine that is examined is the one that ships: state, incident types, an
agent for each timed event, snapshots for sampling.
"""

from __future__ import annotations

import csv
import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.scenario import from_dict
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TIMES = tuple(float(t) for t in range(51))
LIMIT = 5.18
"""Bound of |Z| and |Yc|: a family-wise false-alarm rate of 1e-3 over all points."""


class Restart(Agent):
    """The timed event of 002-09: X becomes 50 at t = 25."""

    name = "restart"

    def live(self) -> Life:
        """Wait for t = 25."""
        yield self.wait(until=25.0)
        self.change("X", to=50)


class Split(Agent):
    """The timed event of 003-03: P becomes 100 and P2 becomes 0 at t = 25."""

    name = "split"

    def live(self) -> Life:
        """Wait for t = 25."""
        yield self.wait(until=25.0)
        self.change("P", to=100)
        self.change("P2", to=0)


@dataclass(frozen=True, slots=True)
class Exam:
    """One case: species with their numbers at the start, and reactions.

    Attributes
    ----------
    reactions
        Name -> (rate per day, species and order it is proportional to, changes). Order n
        stands for x (x - 1) ... (x - n + 1).
    """

    case: str
    start: dict[str, float]
    reactions: dict[str, tuple[float, dict[str, int], dict[str, float]]]
    root_seed: int
    agents: tuple[type[Agent], ...] = ()

    def scenario(self) -> dict[str, Any]:
        """Return the case as a scenario of 50 days from 2000-01-01 (t = 0)."""
        return {
            "simlib": 1,
            "name": f"exam {self.case}".replace(" 0", " case 0"),
            "context_of_use": "Examining the engine.",
            "start": "2000-01-01",
            "end": "2000-02-19",
            "places": {"Vessel": {}},
            "state": {x: {"unit": "particles", "start": n} for x, n in self.start.items()},
            "incidents": {name: _reaction(*self.reactions[name]) for name in self.reactions},
            "history_days": 0,
            "root_seed": self.root_seed,
        }


def _reaction(rate: float, reactants: dict[str, int], changes: dict[str, float]) -> dict[str, Any]:
    group = {
        "target": "particles",
        "per": "day",
        "level": {"Vessel": rate},
        "factors": {x: {"falling": x, "order": order} for x, order in reactants.items()},
        "effects": [{"change": x, "by": by} for x, by in changes.items()],
    }
    return {"groups": {"all": group}}


def _birth_death(case: str, birth: float, death: float, seed: int, *, sink: bool = False) -> Exam:
    start = {"X": 100.0, "Sink": 0.0} if sink else {"X": 100.0}
    died = {"X": -1.0, "Sink": 1.0} if sink else {"X": -1.0}
    reactions = {"birth": (birth, {"X": 1}, {"X": 1.0}), "death": (death, {"X": 1}, died)}
    return Exam(case, start, reactions, seed)


def _immigration(
    case: str, arrivals: float, death: float, seed: int, *, batch: float = 1.0,
    sink: bool = False, agents: tuple[type[Agent], ...] = (),
) -> Exam:  # fmt: skip
    start = {"X": 0.0, "Sink": 0.0} if sink else {"X": 0.0}
    died = {"X": -1.0, "Sink": 1.0} if sink else {"X": -1.0}
    reactions = {"arrival": (arrivals, {}, {"X": batch}), "death": (death, {"X": 1}, died)}
    return Exam(case, start, reactions, seed, agents)


def _dimerization(case: str, seed: int, agents: tuple[type[Agent], ...] = ()) -> Exam:
    reactions = {
        "joining": (0.001 / 2, {"P": 2}, {"P": -2.0, "P2": 1.0}),
        "parting": (0.01, {"P2": 1}, {"P": 2.0, "P2": -1.0}),
    }
    return Exam(case, {"P": 100.0, "P2": 0.0}, reactions, seed, agents)


ORDINARY = (
    _birth_death("001-01", 0.1, 0.11, 101),
    _birth_death("001-03", 1.0, 1.1, 103),
    _immigration("002-01", 1.0, 0.1, 201),
    _immigration("002-09", 1.0, 0.1, 209, agents=(Restart,)),
    _dimerization("003-01", 301),
    _dimerization("003-03", 303, (Split,)),
    _immigration("004-01", 1.0, 0.2, 401, batch=5.0),
)
"""The seven cases of the ordinary test run, each with its root seed, fixed in advance."""

FURTHER = (
    _birth_death("001-07", 0.1, 0.11, 107, sink=True),
    _immigration("002-02", 10.0, 0.1, 202),
    _immigration("002-03", 5.0, 0.1, 203),
    _immigration("002-06", 10.0, 0.1, 206, sink=True),
    _immigration("004-02", 1.0, 0.4, 402, batch=10.0),
    _immigration("004-03", 1.0, 4.0, 403, batch=100.0),
)
"""Cases of the long run."""

EXAMS = {exam.case: exam for exam in (*ORDINARY, *FURTHER)}


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean, standard deviation and excess kurtosis (nan: not known) at `TIMES`."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    excess_kurtosis: NDArray[np.float64]


@functools.cache
def exact_moments() -> dict[tuple[str, str], Moments]:
    """Return the exact moments by case and species."""
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    with (Path(__file__).parent / "exact_moments.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kurtosis = float(row["excess_kurtosis"] or "nan")
            numbers = float(row["mean"]), float(row["sd"]), kurtosis
            found.setdefault((row["case"], row["species"]), []).append(numbers)
    return {key: Moments(*np.array(rows).T) for key, rows in found.items()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The largest |Z| and |Yc| of a case over its species and times."""

    z: float
    yc: float

    @property
    def passed(self) -> bool:
        """Whether both stay below the limit."""
        return self.z < LIMIT and self.yc < LIMIT


def judge(
    total: NDArray[np.float64], squares: NDArray[np.float64], n: int, exact: Moments
) -> Verdict:
    """Return the verdict on n samples, from sums of their deviations from the exact mean.

    Z = sqrt(n) (m - mean) / sd and Yc = sqrt(n / (2 + excess kurtosis)) (s2 / sd^2 - 1).
    Where the state is certain (sd = 0), any deviation is infinite; where the kurtosis is
    not known, only the mean is judged.
    """
    certain = exact.sd == 0.0
    if (squares[certain] > 1e-18).any():
        return Verdict(math.inf, math.inf)
    sd, kurtosis = exact.sd[~certain], exact.excess_kurtosis[~certain]
    mean = total[~certain] / n
    variance = (squares[~certain] - n * mean**2) / (n - 1)
    z = math.sqrt(n) * mean / sd
    yc = np.sqrt(n / (2.0 + kurtosis)) * (variance / sd**2 - 1.0)
    return Verdict(float(np.abs(z).max()), float(np.nan_to_num(np.abs(yc)).max()))


def examine(exam: Exam, n: int, *, times: Sequence[float] = TIMES) -> Verdict:
    """Simulate a case n times and judge it at some of the times 0, 1, ... 50."""
    blueprint = assemble(from_dict(exam.scenario()), agents=exam.agents)
    species = {x: moments for (case, x), moments in exact_moments().items() if case == exam.case}
    at = [int(time) for time in times]
    observe = sorted({0, *at, 50})
    rows = [observe.index(time) for time in at]
    columns = [blueprint.layout.index(x) for x in species]
    expected = np.array([moments.mean[at] for moments in species.values()]).T
    total, squares = np.zeros_like(expected), np.zeros_like(expected)
    for replication in range(n):
        run = simulate(blueprint, replication, keep_journal=False, observe=observe)
        deviation = run.snapshots[rows][:, columns] - expected
        total += deviation
        squares += deviation * deviation
    verdicts = [
        judge(total[:, i], squares[:, i], n, _at(moments, at))
        for i, moments in enumerate(species.values())
    ]
    return Verdict(max(v.z for v in verdicts), max(v.yc for v in verdicts))


def _at(moments: Moments, at: list[int]) -> Moments:
    return Moments(moments.mean[at], moments.sd[at], moments.excess_kurtosis[at])
