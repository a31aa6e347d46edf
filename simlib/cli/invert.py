"""The command on parameters that can only be seen through the simulator."""

from __future__ import annotations

import contextlib
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simlib.cli.app import Force, ScenarioName, app, examples, load_scenario
from simlib.cli.findings import keep, show
from simlib.cli.progress import interrupted
from simlib.cli.readings import as_date
from simlib.cli.signals import Stopped, heard_by
from simlib.cli.text import say, tell
from simlib.files import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from simlib.evidence.abc_smc.inverse_problems import Generation, Simulator


@app.command(
    epilog=examples(
        "simlib invert theatre --parameters tempo.sd,tempo.rho -o inverted/",
        "simlib invert theatre --parameters tempo.sd -o inverted/ --population 500 --generations 8",
        "simlib invert theatre --parameters tempo.sd --counts mine.csv -o inverted/",
    )
)
def invert(  # noqa: PLR0913, PLR0917  (options of a command line)
    scenario: ScenarioName,
    parameters: Annotated[str, typer.Option(help="Drawn parameters to find, with commas.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Directory; run again to go on there.")
    ],
    counts: Annotated[
        Path | None,
        typer.Option(help="Monthly counts (conflict_id, month, events); UCDP 2024 when not given."),
    ] = None,
    as_of: Annotated[str, typer.Option(help="Refuse months that end later.")] = "2024-12-31",
    population: Annotated[int, typer.Option(help="Accepted runs of each generation.")] = 200,
    generations: Annotated[int, typer.Option(help="How many generations.")] = 6,
    force: Force = False,  # noqa: FBT002
) -> None:
    """Find parameters whose simulated months look like counted ones (ABC-SMC, resumable)."""
    from simlib.evidence.abc_smc.forecaster_problem import forecaster_problem, ucdp_counts
    from simlib.evidence.abc_smc.populations import Effort
    from simlib.evidence.abc_smc.populations import invert as inverted_by
    from simlib.theatre.record.monthly import BEFORE_DECEMBER, SCORED

    date = as_date(as_of)
    loaded = load_scenario(scenario)
    tell(f"context of use: {loaded.context_of_use}")
    observed = ucdp_counts(counts, SCORED, date)
    names = [name.strip() for name in parameters.split(",") if name.strip()]
    problem = forecaster_problem(loaded, names, observed, BEFORE_DECEMBER)
    kept = Output(output, "invert", force)
    kept.refuse_unwritable()
    standing = _Standing(output)
    with _stopping_between_runs(standing) as stop:
        problem = replace(problem, simulator=stop.unless_asked(problem.simulator))
        found = inverted_by(problem, output, Effort(population, generations), standing)
    say(
        f"observed: {observed.source}, {len(observed.counts)} months of "
        f"{len(observed.series)} series"
    )
    for title, table in found.briefs().items():
        show((), table, title)
    show(found.sentences())
    keep(kept, found.tables(), found.figures())


class _Stop:
    """A request to stop that is heeded between runs: the store is never cut off in a write."""

    def __init__(self) -> None:
        self._asked: Stopped | None = None

    def ask(self, number: int, _frame: object) -> None:
        """Take note of a signal; a second one is not waited for."""
        is_second = self._asked is not None
        self._asked = self._asked or Stopped(number)
        if is_second:
            raise self._asked

    def unless_asked(self, simulator: Simulator) -> Simulator:
        """Return a simulator that runs only while nobody has asked to stop."""

        def simulate(values: Mapping[str, float], seed: int) -> NDArray[np.float64]:
            if self._asked is not None:
                raise self._asked
            return simulator(values, seed)

        return simulate


@contextlib.contextmanager
def _stopping_between_runs(standing: _Standing) -> Iterator[_Stop]:
    """When a signal asks to end, say what is kept and how to go on."""
    stop = _Stop()
    try:
        with heard_by(stop.ask):
            yield stop
    except KeyboardInterrupt as stopped:
        raise interrupted(stopped, standing.how_to_go_on()) from None


class _Standing:
    """Tells each generation as it is there."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._last: Generation | None = None

    def __call__(self, generation: Generation) -> None:
        self._last = generation
        tell(
            f"generation {generation.number} of {generation.n_generations}: "
            f"{generation.n_simulations:,} runs, distance up to {generation.tolerance:.3f}"
        )

    def how_to_go_on(self) -> str:
        done = (
            f"{self._last.number} of {self._last.n_generations} generations"
            if self._last
            else "no generation"
        )
        command = shlex.join(["simlib", *sys.argv[1:]])
        return f"interrupted: {done} kept in {self._output}; to go on: {command}"
