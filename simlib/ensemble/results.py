"""The results of an ensemble, read from its directory when they are asked for."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simlib.ensemble import store
from simlib.ensemble.manifest import reopened
from simlib.ensemble.stored_tables import Counts, Frames, Outcomes, counts_in, lands
from simlib.errors import StoreError
from simlib.finding import Finding, plot_room
from simlib.outcomes import label_of
from simlib.scenario import load_text
from simlib.scenario.spelling import words
from simlib.scenario.wording import near_or_all

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from simlib.agents.base import Agent
    from simlib.ensemble.execution import Listener
    from simlib.ensemble.store import Directory, Entry
    from simlib.journal import Layout, Run
    from simlib.statistics.summaries import Summary


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a results directory.

    Attributes
    ----------
    n_chunks, n_replications
        How many were looked at.
    faults
        A line for each chunk, table or folder that is not what it should be.
    missing
        A line for each option of which fewer replications are there than were asked for.
    digest
        The result digest, of the digests that the sidecars state; empty where there is a
        fault.
    """

    n_chunks: int
    n_replications: int
    faults: tuple[str, ...]
    missing: tuple[str, ...]
    digest: str

    @property
    def is_whole(self) -> bool:
        """Whether everything is as stated."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class States:
    """A state variable by place, in some replications.

    Attributes
    ----------
    values
        A row a replication, a column a place.
    unit
        Of the values.
    date
        The day they are of.
    """

    values: pd.DataFrame
    unit: str
    date: dt.date


@dataclass(frozen=True, slots=True)
class ReplayedStates:
    """All states of some replications, at the first of each month and at the horizon."""

    replications: tuple[int, ...]
    times: NDArray[np.float64]
    snapshots: NDArray[np.float64]
    """Shape (n_replications, n_times, n_state)."""
    layout: Layout
    units: dict[str, str]
    """Of each variable by place."""


class Ensemble(Finding):
    """All replications of one scenario, under one option or several.

    Tables are indexed by ``replication``; where there are several options, by ``option``
    and ``replication`` (`of` gives the ensemble of one option). A replication that failed
    has a row in `failures` only.

    A table asked for by its name is whole in memory. What `table`, `summaries`,
    `monthly_counts`, `parts` and `to_xarray` take has a bound, however many replications
    there are.

    Parameters
    ----------
    directory
        Where the results are.
    options
        The options looked at; all that are there when not given.
    chunks
        The chunks of each option; all that are there now when not given.
    """

    stem: ClassVar[str] = "outcomes"

    def __init__(
        self,
        directory: Directory,
        options: Sequence[str] | None = None,
        *,
        chunks: Mapping[str, Sequence[Entry]] | None = None,
    ) -> None:
        self.directory = directory
        self.options: tuple[str, ...] = tuple(options or directory.manifest["options"])
        self._given = chunks
        self._parts: dict[str, Ensemble] = {}
        self._held_places: tuple[tuple[Any, ...], NDArray[np.int32]] | None = None
        self._held_states: dict[int, ReplayedStates] = {}

    def __repr__(self) -> str:
        return f"<Ensemble {self.name}: {self.n} replications, {self.n_failed} failed>"

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return str(self.directory.manifest["name"])

    @property
    def manifest(self) -> dict[str, Any]:
        """The scenario as resolved text, and everything that fixed the results."""
        return self.directory.manifest

    @property
    def path(self) -> Path:
        """The results directory."""
        return self.directory.path

    @property
    def root_seed(self) -> int:
        """The only seed."""
        return int(self.directory.manifest["root_seed"])

    @property
    def n(self) -> int:
        """Replications simulated, over all options looked at."""
        return sum(entry.stop - entry.first for entry in self.entries())

    @property
    def n_failed(self) -> int:
        """How many of them failed."""
        return sum(entry.n_failed for entry in self.entries())

    @property
    def seconds(self) -> tuple[float, float]:
        """Time spent on the replications, and inside compiled calls, over all workers."""
        entries = list(self.entries())
        return sum(e.seconds for e in entries), sum(e.compiled_seconds for e in entries)

    @functools.cached_property
    def outcomes(self) -> pd.DataFrame:
        """Outcomes: a row a replication, a column an outcome."""
        return self._frames.whole("outcomes")

    @functools.cached_property
    def parameters(self) -> pd.DataFrame:
        """Parameters drawn: a row a replication, a column a parameter."""
        return self._frames.whole("parameters")

    @functools.cached_property
    def milestones(self) -> pd.DataFrame:
        """Milestones of each replication; times in days since 2000-01-01, and as dates."""
        return self._frames.whole("milestones")

    @functools.cached_property
    def failures(self) -> pd.DataFrame:
        """Replications that failed: agent, date, error, traceback."""
        return self._frames.whole("failures")

    @property
    def incidents(self) -> pd.DataFrame:
        """Every incident, where journals were asked for: a row an incident, by time.

        Raises
        ------
        StoreError
            Journals were not kept.
        """
        if not self.manifest["journals"]:
            raise StoreError(
                f"{self.path}: journals were not kept, so single incidents are not there; run with "
                "journals=True (--journals), or replay a replication"
            )
        return self._frames.whole("incidents")

    @property
    def monthly(self) -> pd.DataFrame:
        """Incidents by month, type and place; rows of no incident are left out.

        It is read anew each time: it is the largest table.
        """
        return self._frames.whole("monthly")

    @property
    def decisions(self) -> pd.DataFrame:
        """Decisions with their causes; times in days since 2000-01-01, and as dates.

        Read anew each time.
        """
        return self._frames.whole("decisions")

    @functools.cached_property
    def digest(self) -> str:
        """The result digest: equal when, and only when, every result is equal."""
        return store.digest_of(
            (option, entry.first, entry.digests())
            for option in sorted(self.options)
            for entry in self._chunks[option]
        )

    def of(self, option: str) -> Ensemble:
        """The ensemble of one option (empty: the scenario as it is written).

        Raises
        ------
        StoreError
            There are no results of that option.
        """
        self.refuse_missing((option,))
        if len(self.options) == 1:
            return self
        # What it gathered once serves whoever asks for it again.
        if option not in self._parts:
            self._parts[option] = Ensemble(self.directory, (option,), chunks=self._chunks)
        return self._parts[option]

    @functools.cached_property
    def labels(self) -> dict[str, str]:
        """What people read in the place of an outcome's name, by it."""
        said = self.manifest["outcomes"].items()
        return {name: label_of(name, outcome.get("label", "")) for name, outcome in said}

    def label(self, outcome: str, category: str = "") -> str:
        """What people read in the place of an outcome's name; of a class, with its class."""
        return label_of(outcome, self.labels[outcome], category and self.term(category))

    def term(self, category: str) -> str:
        """What people read in the place of a class's name."""
        said = (self.manifest.get("question") or {}).get("terms", {})
        return str(said[category]["label"]) if category in said else words(category)

    @functools.cached_property
    def topics(self) -> dict[str, tuple[str, ...]]:
        """Outcomes by what they are about, in the order of the scenario; empty: not said."""
        found: dict[str, tuple[str, ...]] = {}
        for name, outcome in self.manifest["outcomes"].items():
            topic = outcome.get("topic", "")
            found[topic] = (*found.get(topic, ()), name)
        return found

    def refuse_missing(self, options: Iterable[str]) -> None:
        """Refuse options of which there are no results, with the command that adds them.

        Raises
        ------
        StoreError
            There are no results of one.
        """
        missing = [name for name in options if name not in self.options]
        if missing:
            there = ", ".join(name or "(as written)" for name in self.options)
            names = " and ".join(map(repr, missing))
            rule = f"no results of option {names}; there are {there}; {self._next_step(missing)}"
            raise StoreError(f"{self.path}: {rule}")

    def _next_step(self, missing: list[str]) -> str:
        """What adds options, or the options there are where one is none of the scenario's."""
        known = load_text(self.manifest["scenario"]).options
        for name in missing:
            if name and name not in known:
                return f"its scenario has no such option; {near_or_all(name, known)}"
        if not all(missing):
            return "run the scenario without an option to add it"
        given = (word for name in missing for word in ("--option", name))
        return f"to add: {shlex.join(['simlib', 'extend', str(self.path), *given])}"

    def months(self) -> NDArray[np.datetime64]:
        """The first days of the months, shape (n_months,)."""
        return np.array(self.manifest["months"], dtype="datetime64[D]")

    def countries(self) -> tuple[str, ...]:
        """The countries of the places, in the order of the scenario."""
        return tuple(dict.fromkeys(name for name in self.manifest["places"].values() if name))

    def monthly_counts(self, incident_type: str, country: str | None = None) -> NDArray[np.int32]:
        """Incidents of one type by month, shape (n_replications, n_months).

        Rows are in the order of `outcomes`.

        Parameters
        ----------
        incident_type
            The type counted.
        country
            Count only there; everywhere when not given.

        Raises
        ------
        KeyError
            There is no such type or country.
        """
        return self._counts.monthly(incident_type, country).copy()

    @property
    def replications(self) -> NDArray[np.int32]:
        """Which replications of a single option did not fail, in the order of `outcomes`."""
        return self._columns.replications

    def states(self, variable: str, on: str, n: int = 40) -> States:
        """A state variable by place on a date, in the first replications of a single option.

        States are not stored: so many replications are replayed, each exactly as it was.

        Parameters
        ----------
        variable
            Its name.
        on
            The date, ``2026-12-31``; the last month that has begun by then counts.
        n
            How many replications, at most.

        Raises
        ------
        StoreError
            It is no variable by place, or agents that were added are not installed.
        """
        found: States = _by_name("states")(self, variable, on, n)
        return found

    def replayed_states(self, n: int) -> ReplayedStates:
        """All states of the first replications of a single option, held when replayed once.

        Raises
        ------
        StoreError
            Every replication failed, or agents that were added are not installed.
        """
        if n not in self._held_states:
            self._held_states[n] = _by_name("replayed_states")(self, n)
        return self._held_states[n]

    def place_counts(self, *windows: slice) -> NDArray[np.int32]:
        """Incidents by place and type in windows of `months`, over the options looked at.

        The shape is (n_windows, n_replications, n_places, n_types), in the order of the
        manifest's ``places`` and ``types``. What was asked last is held.

        Parameters
        ----------
        windows
            Slices of `months`; all months when none is given.
        """
        asked = tuple((each.start, each.stop) for each in windows or (slice(None),))
        if self._held_places is None or self._held_places[0] != asked:
            within = [slice(*each) for each in asked]
            found = counts_in(list(self.entries()), self.manifest, within)
            self._held_places = asked, found
        return self._held_places[1]

    def monthly_totals(self) -> pd.DataFrame:
        """Incidents over all replications and months: a row a type, a column a country."""
        import pandas as pd

        types, countries = self.manifest["types"], lands(self.manifest)
        return pd.DataFrame(self._counts.totals().T, index=types, columns=list(countries))

    def table(self) -> pd.DataFrame:
        """The outcome table: what is expected, how sure, and on how many runs.

        For numbers the mean with its Monte Carlo standard error and 95 % interval, and the
        5, 50 and 95 % quantiles over replications; for classes and yes/no the probability
        with its Wilson 95 % interval. ``n`` of ``n_asked`` replications did not fail;
        ``n_censored`` were not settled by the horizon. ``shown`` is the estimate as text.
        """
        import pandas as pd

        rows = []
        for option in self.options:
            for row in self.of(option).summaries():
                fields = dataclasses.asdict(row)
                rows.append({"option": option, **fields, "shown": row.shown})
        frame = pd.DataFrame(rows)
        return frame if len(self.options) > 1 else frame.drop(columns="option", errors="ignore")

    def sentences(self) -> list[str]:
        """What it is for, and how many replications it rests on."""
        failed = f"; {self.n_failed:,} failed and are left out" if self.n_failed else ""
        options = ", ".join(option or "as written" for option in self.options)
        return [
            str(self.manifest["context_of_use"]),
            f"{self.name}: {self.n:,} replications of {options}{failed}",
        ]

    def brief(self) -> pd.DataFrame:
        """Each outcome with its estimate as text, and how many replications were asked."""
        table = self.table()
        names = ["option", "outcome", "category", "shown", "unit", "n", "n_asked"]
        return table[[name for name in names if name in table.columns]]

    def _repr_html_(self) -> str:
        """The answer in sentences, and a short table by topic, for a notebook."""
        # The room of answers stands above this one.
        return str(importlib.import_module("simlib.answers").html_of(self))

    def figures(self) -> Mapping[str, Callable[[], Axes | Figure]]:
        """Distributions, probabilities, months by country and exit curves, page by page."""
        drawn: Mapping[str, Callable[[], Axes | Figure]] = plot_room().pages.pages_of(self)
        return drawn

    def summaries(self) -> Iterator[Summary]:
        """Iterate over the lines of the outcome table of a single option."""
        return self._columns.summaries()

    def summary(self, outcome: str) -> list[Summary]:
        """What replications of a single option say of an outcome: a line, or one a class.

        Raises
        ------
        KeyError
            There is no such outcome.
        """
        return self._columns.summary(self._known(outcome))

    def values(self, outcome: str) -> NDArray[Any]:
        """One outcome of all replications, in the order of `outcomes`, without the rest.

        Numbers and yes/no (1 or 0) as float64, nan where not settled; classes as text.

        Raises
        ------
        KeyError
            There is no such outcome.
        """
        return self._columns.values(self._known(outcome)).copy()

    def parts(self, table: str) -> Iterator[pd.DataFrame]:
        """Iterate over a table in pieces, in its order: what is too large to hold whole.

        The pieces, each of one stored chunk, add up to the table; a chunk without a row is
        left out. Where there is no row at all, one piece says so.

        Parameters
        ----------
        table
            ``outcomes``, ``parameters``, ``monthly``, ``decisions``, ``milestones``,
            ``failures`` or ``incidents``.

        Raises
        ------
        StoreError
            There is no such table.
        """
        if table not in store.TABLES:
            raise StoreError(f"no table {table!r}; there are {', '.join(store.TABLES)}")
        return self._frames.parts(table)

    def to_xarray(self) -> xr.DataArray:
        """Incidents as a labelled cube (option,) replication x month x place x type.

        It is read when it is computed, one chunk at a time: ``cube.sum("place").compute()``.
        Several options have the replications that all of them have.

        Raises
        ------
        StoreError
            The extra ``cube`` (Dask and xarray) is not installed.
        """
        from simlib.ensemble.cube import beside, cube

        cubes = [
            cube(self.directory, self._chunks[option], self.manifest) for option in self.options
        ]
        return cubes[0] if len(cubes) == 1 else beside(cubes, self.options)

    def extend(  # noqa: PLR0913  (what `run` takes, less what the directory knows)
        self,
        replications: int | None = None,
        *,
        options: Sequence[str] = (),
        until: str | None = None,
        jobs: int | None = None,
        scheduler: Any = None,
        agents: Sequence[type[Agent]] = (),
        progress: Listener | None = None,
    ) -> Ensemble:
        """Simulate more replications of every option, or more options; those there are stay.

        Parameters
        ----------
        replications
            How many there shall be in all; as many as there are where options are added.
        options
            Options of the scenario that are added.
        until, jobs, scheduler, progress
            As in `simlib.run`.
        agents
            The agent classes that were added when the results were made.

        Raises
        ------
        StoreError
            The agents are others, or stored replications do not come out again.
        """
        extended: Ensemble = _by_name("extend")(
            self, replications, options=options, until=until, jobs=jobs, scheduler=scheduler,
            agents=agents, progress=progress,
        )  # fmt: skip
        return extended

    def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Hash every file again, and compute the digest of every replication again.

        Parameters
        ----------
        progress
            Called with how many chunks are done, and how many there are.
        """
        found: Verification = _by_name("verify")(self, progress)
        return found

    def replay(
        self, replication: int, *, option: str | None = None, agents: Sequence[type[Agent]] = ()
    ) -> Run:
        """Regenerate one replication exactly, with its whole journal.

        Parameters
        ----------
        replication
            Its index.
        option
            The option; the only one there is when not given.
        agents
            The agent classes that were added when the results were made.

        Raises
        ------
        StoreError
            It is not among the results, or agents that were added are not given.
        """
        run: Run = _by_name("replay")(self, replication, option=option, agents=agents)
        return run

    @functools.cached_property
    def _chunks(self) -> dict[str, Sequence[Entry]]:
        """The chunks there were at the first look: what is written later changes no answer."""
        if self._given is not None:
            return {option: self._given[option] for option in self.options}
        return {option: self.directory.entries(option) for option in self.options}

    def entries(self) -> Iterator[Entry]:
        """Iterate over the stored chunks, by option and replication."""
        for entries in self._chunks.values():
            yield from entries

    @functools.cached_property
    def _frames(self) -> Frames:
        return Frames(self._chunks, self.manifest)

    @functools.cached_property
    def _columns(self) -> Outcomes:
        return Outcomes(list(self.entries()), self.manifest)

    @functools.cached_property
    def _counts(self) -> Counts:
        return Counts(list(self.entries()), self.manifest)

    def _known(self, outcome: str) -> str:
        if outcome not in self.manifest["outcomes"]:
            raise KeyError(f"no outcome {outcome!r}")
        return outcome


def _by_name(name: str) -> Callable[..., Any]:
    """A function of what simulates, which stands above what reads: methods forward to it."""
    found: Callable[..., Any] = getattr(importlib.import_module("simlib.ensemble"), name)
    return found


def open_results(path: str | os.PathLike[str]) -> Ensemble:
    """Open a results directory.

    Raises
    ------
    StoreError
        It holds no results, or of another format.
    """
    return Ensemble(reopened(Path(path)))
